"""key=value pairs and JSON behind a message, as structlog, zap, slog, zerolog and klog write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.arrays import put
from incident_kit.normalise.logs.levels import fold_level
from incident_kit.normalise.logs.text_bytes import holds

_VALUE = r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\[[^\]]*\]|\{[^}]*\}|[^\s]*)"
#: What may follow a message, to the end. The earliest place where it matches is where the message ends.
_TAIL = rf"(?:\s+\[[\w.\-/:]+\])?(?:[\s,;|]+[\w.@\-/\[\]]+={_VALUE})*(?:\s+\{{(?s:.*)\}})?(?:\s+\[\]|\s+\{{\}})*\s*$"
_QUOTED = r"^\"(?P<head>(?:[^\"\\]|\\.)*)\"(?:\s.*)?$"
_LOGFMT = r"(?:^|\s)(?:msg|message|event)=(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<bare>\S+))"
_LOGFMT_NAMES = (b"msg=", b"message=", b"event=")
_MAY_BE_CUT = r"(?:^|[\s,;|])[\w.@\-/\[\]]+=|[}\]]\s*$"
_PAIR = re.compile(r"(?:^|[\s,;|\[{(])([\w.@\-/]+)=(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\[[^\]]*\]|[^\s,;]+)")
_PRETTY = re.compile(r"^\s+([\w.@\-]+): (.+)$")


def cut_heads(messages: pa.Array) -> pa.Array:
    """The message without what follows it: ``"Pod ready" node=n1`` and ``Pod ready  node=n1`` give ``Pod ready``."""
    heads = messages
    if holds(messages, b"=", b"{", b"]"):
        # What the expressions could cut ends in a bracket or holds a pair, whatever its neighbours hold; the rest is not asked.
        rows = pc.fill_null(pc.match_substring_regex(messages, _MAY_BE_CUT), False)
        if pc.any(rows).as_py():
            heads = pc.replace_with_mask(messages, rows, _without_tails(messages.filter(rows)))
    if holds(messages, b'"'):
        rows = np.flatnonzero(pc.fill_null(pc.starts_with(messages, '"'), False))
        quoted = pc.extract_regex(messages.take(pa.array(rows)), _QUOTED)
        told = np.asarray(quoted.is_valid())
        heads = put(heads, rows[told], quoted.field("head").filter(pa.array(told)))
    return heads


def _without_tails(messages: pa.Array) -> pa.Array:
    # Replacing asks only where the tail begins; to extract what stands before it takes RE2 twenty times as long.
    plain = pc.replace_substring_regex(messages, _TAIL, "")
    heads = pc.if_else(pc.equal(pc.utf8_trim_whitespace(plain), ""), messages, plain)
    if not holds(messages, *_LOGFMT_NAMES):
        return heads
    logfmt = pc.extract_regex(messages, _LOGFMT)
    said = pc.if_else(
        pc.equal(pc.fill_null(logfmt.field("quoted"), ""), ""), logfmt.field("bare"), logfmt.field("quoted")
    )
    return pc.coalesce(pc.if_else(logfmt.is_valid(), said, pa.scalar(None, messages.type)), heads)


#: Names that logfmt gives to what a line says itself.
LINE_NAMES = frozenset({"time", "ts", "level", "msg", "message", "lvl", "t", "timestamp"})


def names_of(line: str) -> list[str]:
    """Names of the key=value pairs of one line, in order."""
    return [name for name, _ in _pairs(line)]


def _pairs(line: str) -> list[tuple[str, str]]:
    equals = line.find("=")
    # The first pair's name holds no blank: nothing before the last blank in front of it need be asked.
    return _PAIR.findall(line, max(0, line.rfind(" ", 0, equals))) if equals >= 0 else []


def pairs_of(text: str) -> dict[str, Any]:
    """The key=value pairs, trailing JSON and pretty-printed fields of an entry's text."""
    found: dict[str, Any] = {}
    first, _, rest = text.partition("\n")
    brace = first.find('{"')
    if brace >= 0 and first.rstrip().endswith("}"):
        try:
            document = orjson.loads(first[brace:])
        except orjson.JSONDecodeError:
            pass  # not JSON after all: pairs may still be there
        else:
            found.update(document if isinstance(document, dict) else {})
            first = first[:brace]
    for name, value in _pairs(first):
        if name not in LINE_NAMES:
            found[name] = scalar(value)
    for line in rest.split("\n")[:40] if rest else ():
        pretty = _PRETTY.match(line)
        if pretty and not pretty[1].isdigit():
            found[pretty[1]] = scalar(pretty[2].rstrip(","))
    return found


#: ``level=warn``, and ``'level': 'warn'`` as Python prints a dict.
_LEVEL_PAIR = re.compile(
    r"(?:^|[\s,;{\[(])(?:(?:level|lvl|severity|levelname)=\"?|'(?:level|lvl|severity|levelname|log\.level)': ')(\w+)",
    re.IGNORECASE,
)
_LEVEL_NAMES = ("level", "lvl", "severity", "log.level", "levelname", "loglevel")


def level_of(text: str, found: Mapping[str, Any]) -> str | None:
    """The folded level that the pairs or the JSON behind a prefix say."""
    pair = _LEVEL_PAIR.search(text.partition("\n")[0])
    values = [pair[1]] if pair else []
    return next(filter(None, map(fold_level, [*values, *(found.get(name) for name in _LEVEL_NAMES)])), None)


#: What a JSON value begins with, blanks included; the empty text has nothing else either.
_BEGIN_JSON = frozenset('-0123456789tfn"[{ \t\n\r')


def scalar(text: str) -> Any:
    """The value that a text stands for."""
    if text[:1] in "\"'" and text[-1:] == text[:1] and len(text) > 1:
        inner = text[1:-1]
        return inner.replace('\\"', '"').replace("\\\\", "\\")
    if text[:1] not in _BEGIN_JSON:
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
