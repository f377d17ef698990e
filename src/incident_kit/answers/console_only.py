"""console-only: the entries that never reached Elasticsearch, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from incident_kit.answers.reconciled import reconciled

    if pod is not None:
        from incident_kit.correlate.pods.identity import resolve_pod

        pod = str(resolve_pod(pod, evidence))
    return CONSOLE_ONLY.to_pandas(reconciled(evidence, CONSOLE_ONLY, pod=pod, everything=verdicts))
