"""What the figures draw: the answers about one window, gathered once.

Figures neither join nor judge. Log entries may be tens of millions, so they arrive here as counts per pod, slice of
time, verdict and cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.present.text import visible
from incident_kit.tables.schema import INTEGER, TEXT, declare

if TYPE_CHECKING:
    import pandas as pd

#: Slices into which a figure's window is cut for counting.
SLICES = 240

COUNTS = declare(
    "counts",
    "one pod, slice of the window, side, verdict and cause that has log entries",
    "console-only --verdicts",
    [
        ("namespace", TEXT, "namespace"),
        ("pod", TEXT, "pod"),
        ("slice", INTEGER, "0 to SLICES - 1, of the window"),
        ("side", TEXT, "console or elastic"),
        ("verdict", TEXT, "verdict"),
        ("cause", TEXT, "cause, null where the verdict has none"),
        ("count", INTEGER, "entries or documents"),
    ],
    order=("namespace", "pod", "slice"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The answers a figure draws.

    Attributes:
        start: start of the window (ns).
        end: end of the window (ns).
        pods: PODS rows, also of pods that are gone, as far as they could be rebuilt.
        instances: CONTAINERS rows.
        counts: COUNTS rows over the window.
        connections: RABBIT rows, one a connection.
        rabbit_nodes: names of the nodes, also those without connections.
        changes: CHANGES rows.
    """

    start: int
    end: int
    pods: pd.DataFrame
    instances: pd.DataFrame
    counts: pd.DataFrame
    connections: pd.DataFrame
    rabbit_nodes: tuple[str, ...]
    changes: pd.DataFrame

    @property
    def slice_seconds(self) -> float:
        """Length of one slice."""
        return (self.end - self.start) / SLICES / 1e9


def pod_key(namespace: object, pod: object) -> str:
    """``namespace/pod``: what tells lanes apart."""
    return f"{visible(namespace)}/{visible(pod)}"


def keys_of(frame: pd.DataFrame) -> pd.Series[str]:
    """``namespace/pod`` of every row."""
    import pandas as pd

    listed = [pod_key(space, pod) for space, pod in zip(frame["namespace"], frame["pod"], strict=True)]
    return pd.Series(listed, index=frame.index, dtype=object)


def short_image(image: object) -> str:
    """An image reference without its registry and path: ``orders-api:1.4.2``."""
    text = visible(image)
    name, at, digest = text.partition("@")
    return name.rsplit("/", 1)[-1] + (f"@{digest.removeprefix('sha256:')[:7]}" if at else "")
