"""A bucket's entries as they stay in memory after matching: time and owner, twelve bytes a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from incident_kit.arrays import Integers
from incident_kit.correlate.reconcile.match import by_code
from incident_kit.correlate.reconcile.sides import Side


@dataclass(slots=True)
class EntryRows:
    """Entries of one bucket, in file order.

    Attributes:
        time: kubelet time (ns).
        owner: whose entry it is, a row of ``owners``.
        owners: codes of pod, namespace and container, one row for each container.
    """

    time: Integers
    owner: np.ndarray[Any, np.dtype[np.int32]]
    owners: np.ndarray[Any, np.dtype[np.int64]]

    @classmethod
    def of(cls, side: Side) -> EntryRows:
        """The entries of a side."""
        codes = np.stack([side.pod, side.namespace, side.container], axis=1)
        # Entries of a container stand together, so that few of the rows are compared.
        edge = np.ones(len(codes), bool)
        np.any(codes[1:] != codes[:-1], axis=1, out=edge[1:])
        owners, place = np.unique(codes[edge], axis=0, return_inverse=True)
        owner = np.repeat(place.reshape(-1).astype(np.int32), np.diff(np.append(np.flatnonzero(edge), len(codes))))
        return cls(side.time, owner, owners)

    def __len__(self) -> int:
        return len(self.time)

    def pod(self, rows: Integers | slice = slice(None)) -> Integers:
        """Code of the pod of some rows."""
        found: Integers = self.owners[self.owner[rows], 0]
        return found

    def namespace(self, rows: Integers | slice = slice(None)) -> Integers:
        """Code of the namespace of some rows."""
        found: Integers = self.owners[self.owner[rows], 1]
        return found

    def containers(self) -> dict[int, Integers]:
        """Rows of each owner in time order."""
        found = {}
        for code, part in by_code(self.owner):
            rows = np.arange(part.start, part.stop) if isinstance(part, slice) else part
            time = self.time[rows]
            found[code] = rows if (time[1:] >= time[:-1]).all() else rows[np.lexsort((rows, time))]
        return found
