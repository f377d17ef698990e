"""Pods that documents identify without naming them: by the pod's uid, the container's id or the path of its log file.

Shippers that were not told about Kubernetes know no more than the file that they read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: ``/var/log/pods/NAMESPACE_POD_UID/...`` and ``/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log``; Fluentd's tags
#: have points for slashes.
_OF_FILE = re.compile(
    r"(?:^|[./])(?:pods[./][a-z0-9-]+_(?P<pods>[a-z0-9.-]+)_[0-9a-f-]{32,36}(?:[./]|$)|containers[./](?P<containers>[a-z0-9.-]+)_[a-z0-9-]+_[a-z0-9])"
)
#: Docker's own folder is named after the container.
_PARTS = re.compile(r"[/.]")
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class PodIdentities:
    """Known pods and what else identifies them.

    Attributes:
        names: names of pods.
        by_id: pod by its uid and by its containers' ids.
    """

    names: frozenset[str] = frozenset()
    by_id: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str], pods: pd.DataFrame, containers: pd.DataFrame) -> PodIdentities:
        """From names, PODS and CONTAINERS rows; an id of two names identifies none."""
        pairs = [
            *zip(pods["pod_uid"], pods["pod"], strict=True),
            *zip(containers["container_id"], containers["pod"], strict=True),
        ]
        by_id: dict[str, str] = {}
        for identity, pod in pairs:
            if isinstance(identity, str) and isinstance(pod, str) and by_id.setdefault(identity, pod) != pod:
                by_id[identity] = ""
        return cls(frozenset(names), {identity: pod for identity, pod in by_id.items() if pod})

    def pod_of(self, value: Any) -> str | None:
        """The known pod that a field's value identifies; None where it does not."""
        if not isinstance(value, str) or not 8 <= len(value) <= _LONGEST or " " in value:
            return None
        pod = self.by_id.get(value.rpartition("://")[2])
        if pod is not None or not ("/" in value or ".log" in value):
            return pod
        file = _OF_FILE.search(value)
        if file is not None:
            named = file["pods"] or file["containers"]
            return named if named in self.names else None
        return next((self.by_id[part] for part in _PARTS.split(value) if part in self.by_id), None)
