"""Who a pod was: its lives from every source, and the one place where a user's pod name is understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from incident_kit.correlate.frames import instant, plain, records
from incident_kit.correlate.pods.gone import learn_from_endpoints, learn_from_events, learn_from_owners
from incident_kit.correlate.pods.lifetimes import THERE, Lifetime, merge_lifetimes
from incident_kit.correlate.pods.logged import LogPod, pods_in_logs
from incident_kit.correlate.pods.presence import learn_presence
from incident_kit.errors import NotFoundError, UsageError
from incident_kit.tables.kubernetes import CONTAINERS, PODS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_POD_TIMES = ("created_at", "scheduled_at", "started_at", "ready_at", "sandbox_at", "deleted_at", "finished_at")
_POD_FACTS = (
    "phase", "status", "ready", "restarts", "reason", "message", "node", "host_ip", "host_network", "service_account",
    "qos_class", "owner_kind", "owner_name", "workload_kind", "workload", "application", "template_hash", "revision",
    "resources",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PodIdentity:
    """The pod that a user means.

    Attributes:
        namespace: None where only documents without namespace know the pod.
        pod: its name.
        pod_uids: uids of its lives in time order; a StatefulSet's pod may have several, a pod known only from
            logs has none.
    """

    namespace: str | None
    pod: str
    pod_uids: tuple[str, ...] = ()

    def __str__(self) -> str:
        """``namespace/pod``."""
        return f"{self.namespace}/{self.pod}" if self.namespace else self.pod


def lifetimes(evidence: Evidence) -> list[Lifetime]:
    """Every life of every pod that the evidence knows, in order of their beginning.

    From pod objects, events, owners' objects, endpoints, console files and documents; each fact says whether it
    was observed or inferred, and from what.
    """
    return evidence.memo("lifetimes", lambda: _build(evidence))


def lives_of(identity: PodIdentity, *evidences: Evidence) -> list[Lifetime]:
    """The lives of one pod over one or several bundles of the same cluster."""
    groups = [
        [
            life
            for life in lifetimes(evidence)
            if life.pod == identity.pod
            and (None in (life.namespace, identity.namespace) or life.namespace == identity.namespace)
        ]
        for evidence in evidences
    ]
    return list(learn_presence(merge_lifetimes(groups), evidences))


def resolve_pod(text: str, *evidences: Evidence) -> PodIdentity:
    """The pod that ``pod`` or ``namespace/pod`` means.

    Raises:
        UsageError: the name fits pods of several namespaces; the message names them.
        NotFoundError: no source knows it; carries near names.
    """
    wanted = text.strip()
    namespace, _, name = wanted.rpartition("/")
    if not name or "/" in namespace:
        raise UsageError(f"{text!r} is no pod name. Write POD or NAMESPACE/POD.")
    known = [life for evidence in evidences for life in lifetimes(evidence)]
    fitting = [life for life in known if life.pod == name and (not namespace or life.namespace in (None, namespace))]
    if not fitting:
        near = _near(wanted, known)
        raise NotFoundError(f"No source knows a pod {wanted!r}." + ("" if near else _known_instead(known)), near)
    spaces = sorted({life.namespace for life in fitting if life.namespace is not None})
    if len(spaces) > 1:
        candidates = ", ".join(f"{space}/{name}" for space in spaces)
        raise UsageError(f"Several pods are named {name!r}: {candidates}. Write one of these.")
    ordered = sorted(fitting, key=lambda life: life.begin or 0)
    uids = dict.fromkeys(life.pod_uid for life in ordered if life.pod_uid is not None)
    return PodIdentity(namespace=spaces[0] if spaces else None, pod=name, pod_uids=tuple(uids))


def _near(wanted: str, known: Sequence[Lifetime]) -> list[str]:
    """Known pods with a name like it: of the same workload first, then with the name or part of it, then by letters.

    By letters both the whole name is compared and, for a workload with a slip in it, what comes before its hashes.
    """
    space, _, name = wanted.strip().lower().rpartition("/")
    keys = {life.pod: life.key for life in sorted(known, key=lambda life: life.namespace == space)}
    siblings = [pod for pod in keys if name and pod.startswith(f"{name}-")]
    holding = [pod for pod in keys if name and name in pod]
    close = get_close_matches(name, list(keys), 5, 0.6)
    stems: dict[str, list[str]] = {}
    for pod in keys:
        for stem in (pod.rsplit("-", count)[0] for count in (1, 2)):
            stems.setdefault(stem, []).append(pod)
    close += [pod for stem in get_close_matches(name, list(stems), 2, 0.8) for pod in sorted(stems[stem])]
    return [keys[pod] for pod in dict.fromkeys([*sorted(siblings), *sorted(holding), *close])][:5]


def _known_instead(known: Sequence[Lifetime]) -> str:
    """What may be asked about where no name is like the one that was; any part of a name finds the whole."""
    keys = sorted({life.key for life in known})
    if not keys:
        return " No pod is known at all: neither pod objects, events, consoles nor documents name one."
    some = ", ".join(keys[:3])
    return f" Pods known: {len(keys)}, such as {some}; a part of a name finds those that hold it."


def _build(evidence: Evidence) -> list[Lifetime]:
    lives = _from_objects(evidence)
    learn_from_events(lives, evidence)
    by_name: dict[str, list[Lifetime]] = {}
    for life in sorted(lives, key=lambda life: life.begin or 0):
        by_name.setdefault(life.pod, []).append(life)
    for seen in pods_in_logs(evidence):
        found = _learn_from_logs(by_name.get(seen.pod, []), seen)
        if found is not None:
            by_name.setdefault(seen.pod, []).append(found)
            lives.append(found)
    learn_from_endpoints(lives, evidence)
    learn_from_owners(lives, evidence)
    return sorted(lives, key=lambda life: (life.begin or 0, life.key, life.pod_uid or ""))


def _from_objects(evidence: Evidence) -> list[Lifetime]:
    images = _images(evidence)
    lives: list[Lifetime] = []
    for row in records(evidence.table(PODS)):
        life = Lifetime(plain(row["namespace"]), str(row["pod"]), plain(row["pod_uid"]), captured=True)
        for name in _POD_TIMES:
            moment = instant(row[name])
            life.learn(name, moment, f"pods.json: {name}")
            # A deletion time may lie in the future: the grace period's end.
            if name != "deleted_at" or evidence.captured_at is None or (moment or 0) <= evidence.captured_at:
                life.sight(moment, f"pod object: {name}")
        for name in _POD_FACTS:
            life.learn(name, plain(row[name]), "pod object")
        addresses = plain(row["pod_ips"])
        life.learn("pod_ips", list(addresses) if addresses is not None else None, "pod object")
        life.learn("images", images.get(life.pod_uid or ""), "pod object")
        if life.end is None and evidence.captured_at is not None:
            life.sight(evidence.captured_at, THERE[0])
        lives.append(life)
    return lives


def _images(evidence: Evidence) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in records(evidence.table(CONTAINERS)):
        image, uid = plain(row["image"]), plain(row["pod_uid"])
        if image and uid and image not in found.setdefault(uid, []):
            found[uid].append(image)
    return found


def _learn_from_logs(same_name: list[Lifetime], seen: LogPod) -> Lifetime | None:
    """Add what one side of the logs knows to the pod's life; a life that nobody else knows is returned."""
    source = "Elasticsearch documents" if seen.side == "elastic" else "console files"
    homes = [life for life in same_name if None in (life.namespace, seen.namespace) or life.namespace == seen.namespace]
    if len({life.namespace for life in homes}) > 1:
        return None  # documents without namespace fit pods of several: they tell of neither
    fresh = None if homes else Lifetime(seen.namespace, seen.pod)
    if fresh is not None:
        homes = [fresh]
    if len(homes) > 1:
        # Several lives of one name: each gets the part of the sightings that it can have had.
        first, last = homes[0], homes[-1]
        if seen.first is not None and first.may_live_at(seen.first):
            first.sight(seen.first, source)
        if seen.last is not None and last.may_live_at(seen.last):
            last.sight(seen.last, source)
        return None
    life = homes[0]
    life.namespace = life.namespace or seen.namespace
    life.sight(seen.first, source)
    life.sight(seen.last, source)
    if len(seen.nodes) == 1:
        life.learn("node", seen.nodes[0], source)
    life.learn("images", list(seen.images), source)
    return fresh
