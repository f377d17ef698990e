"""What documents say, and the log table made of it: hashes of their normal forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from incident_kit.normalise.logs.buckets import column
from incident_kit.normalise.logs.normal_form import hashes, normal_forms
from incident_kit.normalise.logs.text_bytes import holds
from incident_kit.tables.logs import ELASTIC_DOCUMENTS

#: Columns that the documents themselves fill; times in ns, ``original`` is the line as the application wrote it.
SAID = pa.schema(
    [
        *((name, pa.string()) for name in ("document_id", "namespace", "pod", "container", "node", "image")),
        ("time", pa.int64()),
        ("ingested_at", pa.int64()),
        *((name, pa.string()) for name in ("level", "logger", "message", "exception", "template", "properties")),
        ("rejected", pa.string()),
        ("original", pa.string()),
    ]
)
#: A text of which the text without leading blanks, or the first line, may be another.
_LED = r"^[^!-~]"
_LED_OR_LONG = rf"\n|{_LED}"


def documents_table(said: pa.Table, cluster: str) -> pa.Table:
    """A SAID table as ELASTIC_DOCUMENTS; rows without time are left out."""
    if said["time"].null_count:
        said = said.filter(said["time"].is_valid())
    texts: dict[str, pa.Array] = {name: said[name].combine_chunks() for name in ("message", "document_id", "original")}
    forms = normal_forms(texts["message"])
    message_hash = hashes(forms)
    columns: dict[str, Any] = {field.name: said[field.name] for field in SAID if field.name != "original"}
    columns |= {
        "cluster": pa.repeat(pa.scalar(cluster, pa.string()), said.num_rows),
        "id_hash": hashes(texts["document_id"]),
        "message_hash": message_hash,
        "head_hash": _head_hashes(texts["message"], message_hash),
        "text_hash": hashes(normal_forms(texts["original"])),
    }
    schema = ELASTIC_DOCUMENTS.schema
    return pa.Table.from_arrays([column(columns[field.name], field.type) for field in schema], schema=schema)


def _head_hashes(messages: pa.Array, message_hash: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Hashes of first lines; a message of one line is its own."""
    pattern = _LED_OR_LONG if holds(messages, b"\n") else _LED
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(messages, pattern), False))
    if not len(rows):
        return message_hash
    heads = [text.lstrip().partition("\n")[0] for text in messages.take(pa.array(rows)).to_pylist()]
    found = message_hash.copy()
    found[rows] = hashes(normal_forms(pa.array(heads, messages.type)))
    return found
