"""console-only: the entries that never reached Elasticsearch, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incident_kit.tables.answers import CONSOLE_ONLY

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence.bundle import Evidence


def console_only(evidence: Evidence, pod: str | None = None, verdicts: bool = False) -> pd.DataFrame:
    """Entries that are on a console and not in Elasticsearch.

    Args:
        evidence: an opened bundle.
        pod: only this pod; ``namespace/pod`` or a name.
        verdicts: every entry and every unmatched document of the window instead.

    Returns:
        CONSOLE_ONLY rows by time; only what lies within the window is judged.
    """
    from incident_kit.answers.reconciled import reconciled_rows, reconciliation_of

    if pod is not None:
        from incident_kit.correlate.identity import resolve_pod

        pod = str(resolve_pod(pod, evidence))
    rows: list[dict[str, Any]] = list(
        reconciled_rows(evidence, reconciliation_of(evidence), CONSOLE_ONLY.columns, pod=pod, everything=verdicts)
    )
    return CONSOLE_ONLY.frame(rows)
