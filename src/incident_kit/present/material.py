"""What the figures draw: the answers about one window, gathered once.

Figures neither join nor judge. Log entries may be tens of millions, so they arrive here as counts per pod, slice of
time, verdict and cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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


def count_entries(entries: pd.DataFrame, start: int, end: int) -> pd.DataFrame:
    """COUNTS of verdict rows: how many of each verdict per pod and slice of the window; others are left out."""
    import pandas as pd

    times = entries["time"].to_numpy("datetime64[ns]").view("int64")
    inside = entries["time"].notna().to_numpy() & (times >= start) & (times < end)
    kept = entries.loc[inside, ["namespace", "pod", "side", "verdict", "cause"]]
    width = max((end - start) // SLICES, 1)
    slices = pd.Series(np.minimum((times[inside] - start) // width, SLICES - 1), index=kept.index, name="slice")
    keys = ["namespace", "pod", "slice", "side", "verdict", "cause"]
    counted = kept.assign(slice=slices).groupby(keys, dropna=False, observed=True).size()
    return COUNTS.conform(counted.rename("count").reset_index())


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
