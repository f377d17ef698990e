"""Snapshot: a cheap, periodic capture of what evaporates, so that next time history exists.

Pods, events, ReplicaSets, Jobs, nodes and RabbitMQ connections go into a small bundle of their own, named by its time.
An object that an earlier snapshot holds in the same version is not stored again until that one is half way to its end,
so that dropping old snapshots never loses the last copy of something that still exists. The uids of all pods that are
there are kept each time: so it is known until when a pod that is gone was seen.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from incident_kit.capture.incident import open_session, seal
from incident_kit.capture.kubernetes import capture_list
from incident_kit.capture.rabbitmq import capture_broker
from incident_kit.capture.scope import Scope
from incident_kit.capture.session import Progress, Session, say
from incident_kit.correlate.pods.presence import PRESENT
from incident_kit.errors import SourceError
from incident_kit.importing.build import staging
from incident_kit.profile import Profile
from incident_kit.sources.kubernetes import Cluster
from incident_kit.window import SECOND, Window

_PLURALS = ("events", "pods", "replicasets", "jobs", "nodes")
_NAME = re.compile(r"(\d{8}T\d{6}Z)\.zip")
_INDEX = "index.json"
#: The first snapshot reaches back as far as events usually do.
_FIRST_SECONDS = 3600
_DAY = 86_400 * SECOND


def take_snapshot(
    profile: Profile,
    store: str | Path,
    *,
    keep_days: float = 14.0,
    keep_bytes: int = 2_000_000_000,
    progress: Progress = say,
) -> Path:
    """Add one snapshot to a store and drop what is too old or too much.

    Args:
        profile: which servers.
        store: folder of snapshots; made when it does not exist.
        keep_days: older snapshots are dropped.
        keep_bytes: beyond this size the oldest are dropped; the newest always stays.
        progress: told one line for each step.

    Returns:
        The new snapshot, a bundle.
    """
    folder = Path(store)
    folder.mkdir(parents=True, exist_ok=True)
    now = time.time_ns()
    earlier = snapshots(folder)
    start = _taken_at(earlier[-1]) if earlier else now - _FIRST_SECONDS * SECOND
    window = Window(start=min(start, now - SECOND), end=now)
    target = folder / f"{datetime.fromtimestamp(now // SECOND, UTC):%Y%m%dT%H%M%SZ}.zip"
    index = Index(folder / _INDEX, target.name, {path.name for path in earlier}, now, keep_days)
    with staging(target, force=False) as stage:
        session = open_session(profile, window, Scope(), target, progress)
        _read(session, index)
        path = seal(session, stage, target, force=False)
    index.write()
    for dropped in rotate(folder, keep_days=keep_days, keep_bytes=keep_bytes, now=now):
        progress(f"dropped {dropped.name}")
    return path


def snapshots(store: Path) -> list[Path]:
    """Snapshots of a store, oldest first; other files are left alone."""
    return sorted(path for path in store.iterdir() if _NAME.fullmatch(path.name))


def rotate(store: Path, *, keep_days: float, keep_bytes: int, now: int) -> list[Path]:
    """Drop snapshots that are too old or too much; which ones."""
    kept = snapshots(store)
    dropped = [path for path in kept[:-1] if _taken_at(path) < now - int(keep_days * _DAY)]
    kept = [path for path in kept if path not in dropped]
    size = sum(path.stat().st_size for path in kept)
    while size > keep_bytes and len(kept) > 1:
        oldest = kept.pop(0)
        size -= oldest.stat().st_size
        dropped.append(oldest)
    for path in dropped:
        path.unlink()
    return dropped


class Index:
    """Which snapshot holds an object in which version.

    Args:
        path: the index file of the store.
        name: the snapshot being made.
        existing: names of the snapshots that still exist.
        now: time of the snapshot (ns).
        keep_days: how long snapshots live.
    """

    def __init__(self, path: Path, name: str, existing: set[str], now: int, keep_days: float) -> None:
        self._path, self._name = path, name
        oldest = now - int(keep_days * _DAY / 2)
        fresh = {one for one in existing if _taken_at(Path(one)) >= oldest}
        self._held: dict[str, str] = {k: v for k, v in _index_file(path).items() if v in fresh}

    def is_new(self, document: dict[str, Any]) -> bool:
        """Whether an object must be stored; from then on it counts as stored."""
        metadata = document.get("metadata", {})
        key = f"{metadata.get('uid')}@{metadata.get('resourceVersion')}"
        if key in self._held:
            return False
        self._held[key] = self._name
        return True

    def write(self) -> None:
        """Remember for the next snapshot."""
        part = self._path.with_suffix(".part")
        part.write_bytes(orjson.dumps(self._held))
        part.replace(self._path)


def _index_file(path: Path) -> dict[str, str]:
    try:
        held = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}  # without an index everything is stored once more
    return held if isinstance(held, dict) else {}


def _read(session: Session, index: Index) -> None:
    settings = session.profile.kubernetes
    try:
        cluster = Cluster(
            context=settings.context, kubeconfig=settings.kubeconfig, timeout_seconds=settings.timeout_seconds
        )
    except SourceError as error:
        session.gap(error)
    else:
        listed_at = time.time_ns()
        for plural in _PLURALS:
            if capture_list(session, cluster, plural, index.is_new) and plural == "pods":
                session.store.document(PRESENT, {"listed_at": listed_at, "pods": _uids(session.pods)})
    if session.profile.rabbitmq.urls:
        session.step("rabbitmq", "rabbitmq", lambda: capture_broker(session))


def _uids(pods: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Uids of pods by namespace."""
    found: dict[str, list[str]] = {}
    for pod in pods:
        metadata = pod.get("metadata", {})
        found.setdefault(str(metadata.get("namespace")), []).append(str(metadata.get("uid")))
    return found


def _taken_at(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return 0
    moment = datetime.strptime(match[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND
