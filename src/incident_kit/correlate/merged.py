"""Several bundles of one cluster as one evidence: what the snapshots of a store know together.

Each snapshot holds only what changed, so that none of them alone knows a pod; lives, addresses and connections are
merged as `trace` merges bundles, and the answers that rest on these ask the whole store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from incident_kit.correlate.rabbitmq.owners import match_connections
from incident_kit.correlate.several import several_connections, several_ledger, several_lives
from incident_kit.errors import UsageError
from incident_kit.evidence import Evidence
from incident_kit.tables import Table
from incident_kit.tables.rabbitmq import BINDINGS, CHANNELS, CONSUMERS, PUBLISHES, QUEUES, RABBIT_NODES
from incident_kit.window import Window

if TYPE_CHECKING:
    import pandas as pd

#: State of one moment: only the latest is true.
_MOMENTARY = tuple(table.name for table in (BINDINGS, CHANNELS, CONSUMERS, PUBLISHES, QUEUES, RABBIT_NODES))


class MergedEvidence(Evidence):
    """One evidence over bundles, in order of their capture; raw documents are the latest bundle's.

    Args:
        evidences: at least one, of one cluster.

    Raises:
        UsageError: none, or of several clusters.
    """

    def __init__(self, evidences: Sequence[Evidence]) -> None:
        clusters = sorted({one.cluster for one in evidences})
        if len(clusters) != 1:
            raise UsageError(f"Bundles of one cluster are read as one; these are of {', '.join(clusters) or 'none'}.")
        self._parts = sorted(evidences, key=lambda one: one.captured_at or one.window.end)
        latest = self._parts[-1]
        window = Window(
            start=min(one.window.start for one in self._parts), end=max(one.window.end for one in self._parts)
        )
        gaps = [
            dict(pairs) for pairs in dict.fromkeys(tuple(g.items()) for one in self._parts for g in one.manifest.gaps)
        ]
        super().__init__(latest.path, latest.folder, replace(latest.manifest, window=window, gaps=gaps))
        lives, ledger = several_lives(self._parts), several_ledger(self._parts)
        connections = several_connections(self._parts)
        self._memo |= {
            "lifetimes": lives,
            "connection_intervals": connections,
            "ip_ledger": ledger,
            "matched_connections": match_connections(connections, lives, ledger),
        }

    def table(self, table: Table) -> pd.DataFrame:
        """Rows of all bundles, each key once, the latest; of what is true only for a moment, the latest bundle's."""
        import pandas as pd

        if table.name in _MOMENTARY or table.logs:
            return self._parts[-1].table(table)

        def read() -> pd.DataFrame:
            frames = [frame for one in self._parts if len(frame := one.table(table))]
            if not frames:
                return table.frame()
            whole = pd.concat(frames, ignore_index=True)
            same = whole[list(table.key)] if table.key else whole.astype(str)
            return whole.loc[~same.duplicated(keep="last")].reset_index(drop=True)

        merged: pd.DataFrame = self.memo(("merged", table.name), read)
        return merged.copy()
