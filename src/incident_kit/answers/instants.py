"""Whether an instant that is asked about lies in what was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.tables import Row
from incident_kit.window import format_ns

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def unseen_instants(evidence: Evidence, *instants: int | None) -> list[Row]:
    """GAPS rows, one for each instant before the window or after the capture: what was so then, nobody looked at.

    What the evidence says of such an instant is right as far as it goes: a pod that was there before the window, a connection
    open at its end. What had ended before, and what began afterwards, it cannot know.

    Args:
        evidence: the opened bundle.
        instants: instants asked about (ns); None is passed over.
    """
    start, end = evidence.window.start, max(evidence.window.end, evidence.captured_at or evidence.window.end)
    return [
        {
            "source": "bundle",
            "what": f"--at {format_ns(instant)}",
            "from": instant,
            "to": instant,
            "reason": f"it lies {'before' if instant < start else 'after'} what was looked at ({format_ns(start)} to "
            f"{format_ns(end)}): "
            + ("what had ended before that is not known" if instant < start else "what happened since is not known"),
            "remedy": "Ask a bundle whose window holds it.",
        }
        for instant in dict.fromkeys(instants)
        if instant is not None and not start <= instant <= end
    ]
