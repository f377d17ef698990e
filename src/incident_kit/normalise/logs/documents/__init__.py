"""Elasticsearch hits to ELASTIC_DOCUMENTS.

`rows` states what a document says, one by one; `shape` and `columns` read whole blocks of lines to the same effect and
leave to `rows` what they cannot vouch for; `table` takes the hashes; `write` leads the blocks through.
"""

from __future__ import annotations

from incident_kit.normalise.logs.documents.rows import document_row
from incident_kit.normalise.logs.documents.write import DocumentFacts, write_documents

__all__ = ["DocumentFacts", "document_row", "write_documents"]
