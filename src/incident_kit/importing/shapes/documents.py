"""Elasticsearch's documents in other forms than hits: CSV of Kibana, answers of SQL and ES|QL, bare documents, Dev Tools."""

from __future__ import annotations

import re
from typing import Any

import orjson

from incident_kit.importing.layout import shown_name
from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.shape import Pieces, Shape, Source
from incident_kit.importing.shapes.tabular import Row, columns_of, has_columns, rows_of
from incident_kit.normalise.logs.candidates import CANDIDATES
from incident_kit.normalise.logs.fields import FieldRoles

_BLOCK_ROWS = 5_000
_ROLES = FieldRoles()
_COLUMNS = {
    role: frozenset(name.lower() for name in CANDIDATES[role]) for role in ("pod", "time", "message", "template")
}
#: Rows that Discover, SQL, ES|QL and `_search` give at most unless they are asked for more.
_LIMITS = frozenset({500, 1_000, 10_000})
#: What only answers of Elasticsearch, and what Kibana wraps them in, say.
_ANSWER = re.compile(r'"(?:hits|rawResponse|responses|response|result)"\s*:\s*[\[{]')
_TRIPLE = re.compile(rb'"""(.*?)"""', re.DOTALL)
_ELSEWHERE = ("console", "rabbitmq", "kubernetes", "argocd")


def _fits_table(sample: Sample) -> bool:
    if sample.place in _ELSEWHERE or (sample.is_json and not has_columns(sample) and not _is_bare_array(sample)):
        return False
    columns = {column.lower() for column in columns_of(sample)}
    said = _COLUMNS["message"] | _COLUMNS["template"]
    if sample.place == "elasticsearch":
        return bool(columns) and bool(columns & (_COLUMNS["time"] | said))
    return bool(columns & _COLUMNS["time"]) and bool(columns & said) and bool(columns & _COLUMNS["pod"])


def _is_bare_array(sample: Sample) -> bool:
    """Whether it is an array of documents, not of hits; in ``elasticsearch/`` that is the layout's own."""
    return sample.place is None and sample.body[:1] == "[" and not sample.names("_source")


def _convert_table(source: Source) -> Pieces:
    """One hit a row; a row without ``_id`` has its place in the file for one."""
    destination = f"elasticsearch/{source.sample.stem}-{source.number}.ndjson"
    count = 0
    block: list[bytes] = []
    for count, row in enumerate(rows_of(source, "elasticsearch"), 1):  # how many there were is asked below
        block.append(orjson.dumps(_hit(row, source, count)) + b"\n")
        if len(block) >= _BLOCK_ROWS:
            yield destination, b"".join(block)
            block = []
    yield destination, b"".join(block)
    _judge(source, count)


def _hit(row: Row, source: Source, number: int) -> Row:
    fields = {
        name: value
        for name, value in row.items()
        if name not in ("_id", "_index", "_score", "_ignored", "_type", "_source")
    }
    inner = row.get("_source")
    if isinstance(inner, str) and inner[:1] == "{":
        try:
            fields = {**orjson.loads(inner), **fields}
        except orjson.JSONDecodeError:
            fields["_source"] = inner
    return {
        "_index": str(row.get("_index") or ""), "_id": str(row.get("_id") or f"{source.relative} row {number}"), "_source": fields,
    }  # fmt: skip


def _judge(source: Source, count: int) -> None:
    """Gaps that leave what was not read in doubt, for an export that is, or may be, only a part."""
    context, text = source.context, source.sample.text
    what = shown_name(source.relative, "elasticsearch")
    if re.search(r'"(?:is_partial|isPartial)"\s*:\s*true', text):
        context.gap("elasticsearch", what, "the answer is partial (is_partial)", "Ask again.")
    elif count in _LIMITS:
        context.gap(
            "elasticsearch", what,
            f"it holds exactly {count:,} rows, at which Elasticsearch and Kibana stop unless asked for more: there may be others",
            "Ask for all of them (LIMIT, fetch_size, or a narrower window).",
        )  # fmt: skip
    elif re.search(r'"cursor"\s*:\s*"', text):
        context.gap(
            "elasticsearch", what, "it is one page of an answer of SQL (cursor): others follow", "Fetch all pages."
        )


def _fits_lines(sample: Sample) -> bool:
    if sample.place in _ELSEWHERE or not sample.objects or has_columns(sample):
        return False
    if sample.relative.lower().endswith((".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")) and sample.place:
        return False  # the layout's own
    # The document of a bulk request's line follows it, and is no hit by itself.
    bulk = _is_action(sample.objects[0])
    return sample.place == "elasticsearch" or bulk or all(map(_is_hit, sample.objects))


def _fits_bare(sample: Sample) -> bool:
    """Lines that may be a console's of JSON, too: asked only where the file's name tells no pod."""
    return sample.place is None and bool(sample.objects) and all(map(_is_document, sample.objects))


def _is_action(document: dict[str, Any]) -> bool:
    action = document.get("index") or document.get("create")
    return isinstance(action, dict) and len(document) == 1


def _is_hit(document: dict[str, Any]) -> bool:
    return "_source" in document or isinstance(document.get("result"), dict) or "@version" in document


def _is_document(document: dict[str, Any]) -> bool:
    return _ROLES.value(document, "pod") is not None and _ROLES.value(document, "time") is not None


def _convert_lines(source: Source) -> Pieces:
    return ((f"elasticsearch/{source.sample.stem}-{source.number}.ndjson", block) for block in source.blocks)


def _fits_answer(sample: Sample) -> bool:
    if sample.place in _ELSEWHERE or not sample.is_json or (sample.objects and len(sample.objects) > 1):
        return False
    if sample.place == "elasticsearch" and sample.relative.lower().endswith((".json", ".json.gz")):
        return sample.body is not sample.text or '"""' in sample.text
    if sample.body[:1] == "[" and sample.names("_index", "_source"):
        return True
    return bool(_ANSWER.search(sample.text)) and bool(sample.names("_index") or sample.names("_shards"))


def _convert_answer(source: Source) -> Pieces:
    """An answer as it is, but for the request above it and the tripled quotes that Dev Tools show."""
    data = source.data()
    above = len(source.sample.text) - len(source.sample.body)
    data = data[len(source.sample.text[:above].encode()) :]
    if b'"""' in data:
        data = _TRIPLE.sub(lambda found: orjson.dumps(found[1].decode("utf-8", "replace")), data)
    yield f"elasticsearch/{source.sample.stem}-{source.number}.json", data


TABLE = Shape("a table of documents", _fits_table, _convert_table, "elasticsearch")
BARE_LINES = Shape("documents one a line", _fits_bare, _convert_lines, "elasticsearch")
LINES = Shape("documents one a line", _fits_lines, _convert_lines, "elasticsearch")
ANSWER = Shape("an answer of Elasticsearch", _fits_answer, _convert_answer, "elasticsearch")
