"""Change: one change, with everything that tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from incident_kit.correlate.changes.sync import Sync
from incident_kit.tables import Row


@dataclass(kw_only=True)
class Change:
    """A row of CHANGES while its evidence is being gathered.

    Attributes:
        time: when it took effect (ns), None when not known.
        precision_seconds: how precise that time is.
        manager: field manager of the write, for finding who did it; not a column.
        sync: the sync that made the change, where one did; not a column.
    """

    time: int | None
    kind: str
    namespace: str | None
    name: str
    what: str
    old: str | None = None
    new: str | None = None
    by: str | None = None
    automated: bool | None = None
    evidence: list[str] = field(default_factory=list)
    observed: bool = True
    precision_seconds: float = 1.0
    application: str | None = None
    undone_by: str | None = None
    manager: str | None = None
    sync: Sync | None = None

    def row(self) -> Row:
        """The row of CHANGES."""
        columns = dict(vars(self))
        manager = columns.pop("manager")
        del columns["sync"]
        columns["by"] = self.by or manager
        return columns
