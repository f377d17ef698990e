"""Objects that somebody saved with ``kubectl get -o yaml`` instead of ``-o json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import yaml

#: Deeper than any object of the API; a parser that follows hostile nesting would run out of stack.
_DEEPEST = 100
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


def yaml_documents(text: str) -> tuple[list[Any], str | None]:
    """Documents of a YAML text; times stay text, as in JSON.

    Of a text that is torn within a list, the elements before are kept.

    Returns:
        The documents, and what is wrong with the text and where; None where nothing is.
    """
    import yaml

    try:
        return _load(text), None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 1
        told = f"broken YAML at line {line}: {error.problem or error}"
        end = text.rfind("\n- ", 0, sum(map(len, text.splitlines(keepends=True)[:line])))
        try:
            return (_load(text[: end + 1]) if end > 0 else []), told
        except (yaml.YAMLError, ValueError, TypeError):
            return [], told
    except (yaml.YAMLError, ValueError, TypeError) as error:  # TypeError: a value that JSON has not
        return [], f"not readable as YAML: {error}"


def _load(text: str) -> list[Any]:
    import yaml

    loader = _loader()
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliased = isinstance(
            event, yaml.AliasEvent
        )  # the server's answers have none; a few lines of them are gigabytes
        if aliased or depth > _DEEPEST:
            raise ValueError("it uses aliases" if aliased else "it is nested deeper than any object")
    documents = [document for document in yaml.load_all(text, Loader=loader) if document is not None]
    plain: list[Any] = orjson.loads(json.dumps(documents, allow_nan=False))  # keys are text, numbers fit
    return plain


def _loader() -> type[yaml.SafeLoader]:
    """The safe loader, in C where there is one, without its guesses at times."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, pattern) for tag, pattern in resolver if tag != _TIMESTAMP]
        for first, resolver in base.yaml_implicit_resolvers.items()
    }
    loader: type[yaml.SafeLoader] = type("_Loader", (base,), {"yaml_implicit_resolvers": resolvers})
    return loader
