"""What each table is: columns, types, units, origin. No behaviour beyond the checks in `schema`."""

from __future__ import annotations

from incident_kit.tables import answers, argocd, kubernetes, logs, rabbitmq
from incident_kit.tables.schema import Row, Table, declare

_MODULES = (kubernetes, logs, rabbitmq, argocd, answers)

#: Every declared table by name.
ALL: dict[str, Table] = {
    table.name: table for module in _MODULES for table in vars(module).values() if isinstance(table, Table)
}

__all__ = ["ALL", "Row", "Table", "answers", "argocd", "declare", "kubernetes", "logs", "rabbitmq"]
