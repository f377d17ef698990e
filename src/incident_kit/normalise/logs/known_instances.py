"""Container instances as Kubernetes knew them, by container: what console files are held against."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownInstance:
    """One CONTAINERS row, times in ns; null where Kubernetes did not say."""

    restart_count: int | None
    started_at: int | None
    finished_at: int | None
    pod_uid: str | None
    image: str | None
    image_digest: str | None
    observed: bool | None


class KnownInstances:
    """CONTAINERS rows by namespace, pod and container."""

    def __init__(self, containers: pd.DataFrame) -> None:
        self._rows: dict[tuple[str, str, str], list[KnownInstance]] = defaultdict(list)
        for row in containers.to_dict("records"):
            key = row["namespace"], row["pod"], row["container"]
            self._rows[key].append(
                KnownInstance(
                    restart_count=None if _missing(row["restart_count"]) else int(row["restart_count"]),
                    started_at=_ns(row["started_at"]),
                    finished_at=_ns(row["finished_at"]),
                    pod_uid=_text(row["pod_uid"]),
                    image=_text(row["image"]),
                    image_digest=_text(row["image_digest"]),
                    observed=None if _missing(row["observed"]) else bool(row["observed"]),
                )
            )

    def of(self, namespace: str, pod: str, container: str) -> list[KnownInstance]:
        """The container's rows, in the table's order."""
        return self._rows.get((namespace, pod, container), [])


def of_instance(known: list[KnownInstance], restart_count: int | None) -> list[KnownInstance]:
    """The rows of one instance; of all where it is not known which instance it is."""
    return known if restart_count is None else [one for one in known if one.restart_count == restart_count]


def _missing(value: Any) -> bool:
    return value is None or value != value or str(value) in ("NaT", "<NA>")


def _ns(value: Any) -> int | None:
    return None if _missing(value) else int(value.value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
