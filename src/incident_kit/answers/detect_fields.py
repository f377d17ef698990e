"""detect-fields: which field of the documents plays which role, proved against known pod names."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.fields import FieldRoles, detect_roles
from incident_kit.normalise.logs.hits import Reading, hit_files, read_hits
from incident_kit.tables.kubernetes import PODS
from incident_kit.tables.schema import FLAG, INTEGER, NUMBER, TEXT, declare

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence.bundle import Evidence

_SAMPLE = 5_000

DETECTED_FIELDS = declare(
    "detect-fields",
    "one field that carries a role in a sample of the documents",
    "elasticsearch/ hits and mappings.json",
    [
        ("role", TEXT, "pod, namespace, container, time, level, message, template, exception, image, node ..."),
        ("field", TEXT, "dotted path in _source"),
        ("chosen", FLAG, "whether the profile proposed here names it first for its role"),
        ("documents", INTEGER, "documents of the sample that carry it"),
        ("share", NUMBER, "of all documents of the sample"),
        ("proved", NUMBER, "for the pod role: share of its values that are known pod names"),
        ("mapped_type", TEXT, "type in the captured mapping; null without one"),
        ("keyword", TEXT, "keyword sub-field to search exactly, by the mapping (.keyword, .raw ...)"),
        ("profile", TEXT, "line for incident-kit.toml, section [profiles.NAME.fields]"),
    ],
    order=("role", "field"),
)


def detect_fields(evidence: Evidence) -> pd.DataFrame:
    """Propose field roles from a sample of the bundle's documents and its mapping.

    Args:
        evidence: an opened bundle.

    Returns:
        DETECTED_FIELDS rows; the pod role is proved: its values are compared with the pods that Kubernetes and the
        console files know.
    """
    quiet = Context(cluster=evidence.cluster, window=evidence.window, captured_at=None, profile=evidence.profile)
    raw = evidence.raw
    files = hit_files(raw)
    samples: list[dict[str, Any]] = []
    for path in files:
        hits = read_hits(raw, [path], quiet, Reading())
        samples += [hit.source for hit in itertools.islice(hits, max(200, _SAMPLE // max(1, len(files))))]
    known = set(evidence.table(PODS)["pod"].dropna()) | {
        path.parts[-3 if path.parent.parent.parent.name == "console" else -2] for path in raw.files("console/**/*")
    }
    fields = evidence.profile.fields
    overrides = {role: getattr(fields, role) for role in fields.model_fields_set}
    roles, counts = detect_roles(samples, known, overrides)
    mapped = _mapping(raw.json("elasticsearch/mappings.json", quiet, "elasticsearch"))
    return DETECTED_FIELDS.frame(_rows(roles, counts, len(samples), mapped))


def _rows(
    roles: FieldRoles, counts: dict[str, Counter[str]], total: int, mapped: dict[str, tuple[str, str | None]]
) -> list[dict[str, Any]]:
    proved = counts["proved_pod"]
    rows = []
    for role, paths in roles.paths.items():
        present = [path for path in paths if counts[role][path]]
        for rank, path in enumerate(present):
            number = counts[role][path]
            kind, keyword = mapped.get(path, (None, None))
            chosen = rank == 0
            rows.append(
                {
                    "role": role,
                    "field": path,
                    "chosen": chosen,
                    "documents": number,
                    "share": number / total if total else 0.0,
                    "proved": proved[path] / number if role == "pod" else None,
                    "mapped_type": kind,
                    "keyword": keyword,
                    "profile": f"{role} = {_toml(present)}" if chosen else None,
                }
            )
    return rows


def _toml(paths: list[str]) -> str:
    return "[" + ", ".join(f'"{path}"' for path in paths[:4]) + "]"


def _mapping(document: Any) -> dict[str, tuple[str, str | None]]:
    """Type and keyword sub-field by dotted path, over all captured indices."""
    found: dict[str, tuple[str, str | None]] = {}

    def collect(properties: Any, prefix: str) -> None:
        for name, definition in properties.items() if isinstance(properties, dict) else ():
            if not isinstance(definition, dict):
                continue
            path = f"{prefix}{name}"
            kind = definition.get("type", "object" if "properties" in definition else None)
            keyword = next(
                (
                    f"{path}.{sub}"
                    for sub, d in (definition.get("fields") or {}).items()
                    if isinstance(d, dict) and d.get("type") == "keyword"
                ),
                None,
            )
            if isinstance(kind, str):
                found.setdefault(path, (kind, path if kind == "keyword" else keyword))
            collect(definition.get("properties"), f"{path}.")

    for index in document.values() if isinstance(document, dict) else ():
        if isinstance(index, dict):
            collect((index.get("mappings") or {}).get("properties"), "")
    return found
