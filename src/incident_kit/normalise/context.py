"""Context: what every normaliser needs to know beside the documents, and where it reports what it could not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from incident_kit.progress import Progress, silent
from incident_kit.window import Window

if TYPE_CHECKING:
    from incident_kit.profile import Profile


@dataclass(kw_only=True)
class Context:
    """One bundle's frame of reference.

    Attributes:
        cluster: name of the cluster, for every table.
        window: what is judged; documents outside are kept.
        captured_at: when the evidence was taken (ns), or None when nobody said.
        profile: field names, patterns, release groups.
        gaps: GAPS rows; append through `gap`.
        progress: told how far the work is.
        imported: True for a folder collected by hand, False for the kit's own capture.
        unmarked: files of ``raw/`` that are known to hold nothing of a broker: redaction looked at every byte of them.
    """

    cluster: str
    window: Window
    captured_at: int | None
    profile: Profile
    progress: Progress = silent
    imported: bool = True
    gaps: list[dict[str, Any]] = field(default_factory=list)
    unmarked: set[str] = field(default_factory=set)

    def gap(
        self,
        source: str,
        what: str,
        reason: str,
        remedy: str = "",
        *,
        start: int | None = None,
        end: int | None = None,
    ) -> None:
        """Record something that was asked for and not obtained."""
        self.gaps.append(
            {"source": source, "what": what, "from": start, "to": end, "reason": reason, "remedy": remedy or None}
        )
