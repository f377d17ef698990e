"""Console entries and Elasticsearch documents: the tables that may hold tens of millions of rows.

Both are Parquet datasets of buckets by a hash of the pod's name; documents that name no pod are in the bucket
``none``. Hashes of the normal form are taken when the tables are made, so that matching never reads text.
"""

from __future__ import annotations

from incident_kit.tables.schema import FLAG, INTEGER, TEXT, TIME, declare

CONSOLE_ENTRIES = declare(
    "console_entries",
    "one entry on a console: one or more lines that one call of a logger (or a runtime) wrote",
    "kubectl logs, the kubelet's own files",
    [
        ("cluster", TEXT, "name of the cluster, from the manifest"),
        ("namespace", TEXT, "namespace of the pod"),
        ("pod", TEXT, "name of the pod"),
        ("pod_uid", TEXT, "pod uid, where the pod object was captured"),
        ("container", TEXT, "name of the container"),
        ("restart_count", INTEGER, "container instance; restarts before it"),
        ("number", INTEGER, "position of the entry within its container, from 0, in time order"),
        ("time", TIME, "kubelet time of the entry's first line"),
        ("app_time", TIME, "the application's own time, where the text carries one with date; else null"),
        ("stream", TEXT, "stdout or stderr; null where the log API does not say"),
        ("level", TEXT, "level in lower case, folded; null where the text carries none"),
        ("logger", TEXT, "logger, where the text carries one"),
        ("message", TEXT, "the message without prefix, all lines"),
        ("template", TEXT, "message template, where the console carries one (CLEF, JSON)"),
        ("properties", TEXT, "JSON object of the entry's structured values, where the console carries them"),
        ("text", TEXT, "the entry as the console shows it, escape sequences removed"),
        ("format", TEXT, "name of the recognised format; null for text without its prefix"),
        ("line_count", INTEGER, "lines of the entry"),
        ("text_length", INTEGER, "characters of the text, so that no cause has to read it"),
        ("part", INTEGER, "number of the rotated file within the instance, from 0"),
        ("edge", INTEGER, "1 first entry of a rotated file after a rotation, 2 last before one, 0 neither"),
        ("image", TEXT, "image reference of the instance"),
        ("image_digest", TEXT, "digest of the instance"),
        ("image_observed", FLAG, "false where the image is another instance's of the same pod"),
        ("message_hash", INTEGER, "hash of the normal form of the message, all lines"),
        ("head_hash", INTEGER, "hash of the normal form of the message's first line without trailing key=value pairs"),
        ("text_hash", INTEGER, "hash of the normal form of the whole text"),
        ("mask_hash", INTEGER, "hash of the message with numbers and identifiers masked: its template as guessed"),
    ],
    key=("namespace", "pod", "container", "number"),
    order=("namespace", "pod", "container", "number"),
    logs=True,
)

ELASTIC_DOCUMENTS = declare(
    "elastic_documents",
    "one document (hit)",
    "_search answers, or hits one a line",
    [
        ("cluster", TEXT, "name of the cluster, from the manifest"),
        ("document_id", TEXT, "_index/_id"),
        ("namespace", TEXT, "as the document says; null where it does not"),
        ("pod", TEXT, "as the document says; null where it does not"),
        ("container", TEXT, "as the document says; null where it does not"),
        ("node", TEXT, "as the document says"),
        ("image", TEXT, "as the document says"),
        ("time", TIME, "the document's own time at the full precision of _source"),
        ("ingested_at", TIME, "when it arrived, where the document says"),
        ("level", TEXT, "level in lower case, folded"),
        ("logger", TEXT, "logger"),
        ("message", TEXT, "message"),
        ("exception", TEXT, "exception text in a field of its own"),
        ("template", TEXT, "message template, where the document carries one"),
        ("properties", TEXT, "JSON object of the values of the template and of other fields of the application"),
        ("id_hash", INTEGER, "hash of document_id: a hit that was fetched twice is one document"),
        ("rejected", TEXT, "why it was refused: a document of a failure store or dead-letter index; else null"),
        ("message_hash", INTEGER, "hash of the normal form of the message"),
        ("head_hash", INTEGER, "hash of the normal form of the message's first line"),
        ("text_hash", INTEGER, "hash of the normal form of the original line, where the document keeps it"),
    ],
    key=("document_id",),
    order=("time", "document_id"),
    logs=True,
)
