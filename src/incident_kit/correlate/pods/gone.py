"""Facts about pods that no longer exist, from what outlives them: events, owners' objects, endpoints, their name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from incident_kit.correlate.frames import instant as moment
from incident_kit.correlate.frames import records
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.nested import instant, listing, mapping, text
from incident_kit.normalise.kubernetes.names import (
    cron_job_of,
    deployment_of,
    generated_from,
    ordinal_of,
    read_name,
)
from incident_kit.normalise.kubernetes.owners import revision_of
from incident_kit.tables.kubernetes import EVENTS, OBJECTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_CREATED = re.compile(r"^(?:Created pod: (?P<a>\S+)|create Pod (?P<b>\S+) in StatefulSet \S+ successful)$")
_DELETED = re.compile(r"^(?:Deleted pod: (?P<a>\S+)|delete Pod (?P<b>\S+) in StatefulSet \S+ successful)$")
_ASSIGNED = re.compile(r"^Successfully assigned (?:(?P<namespace>[^/\s]+)/)?(?P<pod>\S+) to (?P<node>\S+?)\.?$")
PULLED_IMAGE = re.compile(r'(?:Pulling image|Successfully pulled image|Container image) "(?P<image>[^"]+)"')
# A failed probe names the address it asked: the pod's own, unless the probe names a host.
_PROBED = re.compile(r'(?:Get "?https?://|dial tcp )(?P<ip>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:.]+\]):\d+')
# Multus tells of each interface it attached; eth0 is the pod's own.
_ATTACHED = re.compile(r"^Add eth0 \[(?P<ips>[^\]]+)\]")
#: Events of the same end may come this long after its Killing.
_AFTER_KILLING = 5_000_000_000
#: An indexed Job's name is cut here at the earliest (58 less the index): no owner's name is told apart by less.
_PREFIX = 50
_OWNERS = ("ReplicaSet", "Job", "DaemonSet", "StatefulSet", "ReplicationController")


def learn_from_events(lives: list[Lifetime], evidence: Evidence) -> None:
    """Sightings, node, image and address from events; pods that only events know become lives."""
    by_uid: dict[str | None, Lifetime] = {life.pod_uid: life for life in lives if life.pod_uid}
    events = records(evidence.table(EVENTS))
    killed: dict[int, tuple[Lifetime, int]] = {}
    # A pod's own events first: they carry its uid, which its owner's events lack.
    for event in events:
        if event["kind"] == "Pod" and isinstance(event["name"], str):
            life = _life_of(lives, by_uid, event)
            source = f"event {event['reason']}"
            life.sight(moment(event["first_at"]), source)
            life.sight(moment(event["last_at"]), source)
            _learn_from_pod_event(life, str(event["message"] or ""), source)
            if event["reason"] == "SandboxChanged":
                _learn_sandbox(life, moment(event["last_at"]), source)
            if event["reason"] == "Killing" and (last := moment(event["last_at"])) is not None:
                killed[id(life)] = (life, last)
    for event in events:
        if event["kind"] in _OWNERS:
            times = moment(event["first_at"]), moment(event["last_at"])
            _learn_from_owner_event(lives, event, str(event["message"] or ""), *times)
    for life, last in killed.values():
        _learn_end(life, last)


def _learn_sandbox(life: Lifetime, made_at: int | None, source: str) -> None:
    """The last time at which a pod got a new sandbox, and with it its addresses."""
    known = life.value("sandbox_at")
    if made_at is not None and (known is None or made_at > known):
        life.facts.pop("sandbox_at", None)
        life.learn("sandbox_at", made_at, source)


def _learn_end(life: Lifetime, killed_at: int) -> None:
    """A pod that is gone and whose last event was its killing ended then; one that was only restarted did not."""
    if not life.captured and not any(
        at > killed_at + _AFTER_KILLING for at, source in life.seen if source.startswith("event")
    ):
        life.learn("deleted_at", killed_at, "event Killing", observed=False)


def _life_of(lives: list[Lifetime], by_uid: dict[str | None, Lifetime], event: dict[str, Any]) -> Lifetime:
    uid = event["uid"] if isinstance(event["uid"], str) else None
    if uid in by_uid:
        return by_uid[uid]
    if uid is None:
        same = [life for life in lives if life.pod == event["name"] and life.namespace == event["namespace"]]
        if len(same) == 1:
            return same[0]
    life = Lifetime(event["namespace"], str(event["name"]), uid)
    lives.append(life)
    if uid is not None:
        by_uid[uid] = life
    return life


def _learn_from_pod_event(life: Lifetime, message: str, source: str) -> None:
    assigned, image, probed = _ASSIGNED.match(message), PULLED_IMAGE.search(message), _PROBED.search(message)
    attached = _ATTACHED.match(message)
    if assigned:
        life.learn("node", assigned["node"], source)
    if image and not life.captured:
        known = life.value("images") or []
        if image["image"] not in known:
            life.facts.pop("images", None)
            life.learn("images", [*known, image["image"]], source)
    if attached and source == "event AddedInterface" and not life.captured:
        life.learn("pod_ips", [ip.partition("/")[0] for ip in attached["ips"].split()], source)
    if probed and source == "event Unhealthy" and not life.captured:
        life.learn("pod_ips", [probed["ip"].strip("[]")], source, observed=False)


def _learn_from_owner_event(
    lives: list[Lifetime], event: dict[str, Any], message: str, first: int | None, last: int | None
) -> None:
    created, deleted = _CREATED.match(message), _DELETED.match(message)
    match = created or deleted
    if match is None:
        return
    name = match["a"] or match["b"]
    source = f"event {event['reason']} of {event['kind']} {event['name']}"
    same = [life for life in lives if life.pod == name and life.namespace == event["namespace"]]
    if not same:
        same = [Lifetime(event["namespace"], name)]
        lives.append(same[0])
    if len(same) > 1:
        return  # a StatefulSet's pod with several lives: their objects and events tell them apart better
    life = same[0]
    life.learn("owner_kind", event["kind"], source)
    life.learn("owner_name", event["name"], source)
    if created:
        life.learn("created_at", first, source)
        life.sight(first, source)
    else:
        life.sight(last, source)
        if not life.captured:
            life.learn("deleted_at", last, source, observed=False)


def learn_from_endpoints(lives: list[Lifetime], evidence: Evidence) -> None:
    """Addresses from EndpointSlices, which may still name a pod whose object was not captured."""
    gone: dict[str, list[Lifetime]] = {}
    for life in lives:
        if not life.captured:
            gone.setdefault(life.pod, []).append(life)
    for document in _objects(evidence, "EndpointSlice"):
        name = text(document, "metadata", "name")
        for endpoint in listing(document, "endpoints"):
            target = mapping(endpoint, "targetRef")
            addresses = endpoint.get("addresses")
            if target.get("kind") != "Pod" or not isinstance(addresses, list):
                continue
            for life in gone.get(str(target.get("name")), []):
                if _is_target(life, target):
                    life.learn("pod_ips", [str(ip) for ip in addresses], f"EndpointSlice {name}")
                    life.learn("node", text(endpoint, "nodeName"), f"EndpointSlice {name}")


def _is_target(life: Lifetime, target: dict[str, Any]) -> bool:
    if life.pod_uid is not None and target.get("uid"):
        return bool(life.pod_uid == target["uid"])
    return life.pod == target.get("name") and life.namespace in (None, target.get("namespace"))


def learn_from_owners(lives: list[Lifetime], evidence: Evidence) -> None:
    """Owner, workload, image and revision of pods without object: from their owner's object, else from the name."""
    gone = [life for life in lives if not life.captured]
    if not gone:
        return
    owners: dict[str, list[dict[str, Any]]] = {}
    for kind in _OWNERS:
        for document in _objects(evidence, kind):
            owners.setdefault((text(document, "metadata", "name") or "")[:_PREFIX], []).append(document)
    for life in gone:
        fitting = [owner for prefix in _prefixes(life) for owner in owners.get(prefix, []) if _may_own(owner, life)]
        if len(fitting) > 1 and len(named := [o for o in fitting if _is_named_owner(o, life)]) == 1:
            fitting = named
        if len(fitting) == 1:
            _learn_from_owner(life, fitting[0])
        elif not fitting:
            _learn_from_name(life)


def _prefixes(life: Lifetime) -> set[str]:
    """Beginnings of the pod's name that its owner's name can have, so that not every owner is looked at."""
    pod = life.pod
    found = {pod[:position][:_PREFIX] for position, letter in enumerate(pod) if letter == "-"} | {pod[:_PREFIX]}
    if life.value("owner_name"):
        found.add(str(life.value("owner_name"))[:_PREFIX])
    return found


def _objects(evidence: Evidence, kind: str) -> list[dict[str, Any]]:
    def read() -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        frame = evidence.table(OBJECTS)
        wanted = frame[frame["kind"].isin([*_OWNERS, "EndpointSlice", "Node", "Service"])]
        for row_kind, document in zip(wanted["kind"], wanted["object"], strict=True):
            found.setdefault(str(row_kind), []).append(orjson.loads(document))
        return found

    return evidence.memo("objects_by_kind", read).get(kind, [])


def objects_of_kind(evidence: Evidence, kind: str) -> list[dict[str, Any]]:
    """Parsed objects of one kind: an owner's, EndpointSlice, Node or Service."""
    return _objects(evidence, kind)


def _may_own(owner: dict[str, Any], life: Lifetime) -> bool:
    name, namespace = text(owner, "metadata", "name") or "", text(owner, "metadata", "namespace")
    if life.namespace is not None and namespace != life.namespace:
        return False
    created = instant(owner, "metadata", "creationTimestamp")
    if created is not None and life.last_seen is not None and life.last_seen[0] < created:
        return False  # the pod was gone before this owner existed
    if life.value("owner_name") is not None:
        return bool(name == life.value("owner_name") and owner.get("kind") == life.value("owner_kind"))
    if owner.get("kind") == "StatefulSet":
        return ordinal_of(name, life.pod) is not None
    # A ReplicaSet's name ends in a hash that nobody else's begins with, so below it any suffix is a pod's.
    below_hash = owner.get("kind") == "ReplicaSet" and "pod-template-hash" in mapping(owner, "metadata", "labels")
    return generated_from(name, life.pod, any_suffix=below_hash)


def _is_named_owner(owner: dict[str, Any], life: Lifetime) -> bool:
    # Names cut at 58 characters fit several ReplicaSets of one Deployment; an image seen in the logs may decide.
    images = set(life.value("images") or ())
    return bool(images & set(_template_images(owner)))


def _learn_from_owner(life: Lifetime, owner: dict[str, Any]) -> None:
    kind, name = str(owner.get("kind")), text(owner, "metadata", "name") or ""
    source = f"{kind} {name}"
    life.learn("owner_kind", kind, source, observed=False)
    life.learn("owner_name", name, source, observed=False)
    life.namespace = life.namespace or text(owner, "metadata", "namespace")
    template_hash = text(owner, "metadata", "labels", "pod-template-hash")
    parent = next((r for r in listing(owner, "metadata", "ownerReferences") if r.get("controller") is not False), None)
    if parent is not None:
        workload: tuple[str | None, str | None] = (text(parent, "kind"), text(parent, "name"))
    elif kind == "ReplicaSet" and (deployment := deployment_of(name, template_hash)):
        workload = ("Deployment", deployment)
    elif kind == "Job" and (cron_job := cron_job_of(name)):
        workload = ("CronJob", cron_job)
    else:
        workload = (kind, name)
    life.learn("workload_kind", workload[0], source, observed=False)
    life.learn("workload", workload[1], source, observed=False)
    life.learn("template_hash", template_hash, source, observed=False)
    life.learn("revision", revision_of(owner), source, observed=False)
    life.learn("images", list(_template_images(owner)), source, observed=False)


def _template_images(owner: dict[str, Any]) -> Iterator[str]:
    spec = mapping(owner, "spec", "template", "spec")
    for container in [*listing(spec, "containers"), *listing(spec, "initContainers")]:
        image = text(container, "image")
        if image:
            yield image


def _learn_from_name(life: Lifetime) -> None:
    reading = read_name(life.pod)
    source = "the pod's name"
    owner_kind, owner_name = life.value("owner_kind"), life.value("owner_name")
    if owner_kind == "ReplicaSet" and (deployment := deployment_of(owner_name)):
        life.learn("workload_kind", "Deployment", "the ReplicaSet's name", observed=False)
        life.learn("workload", deployment, "the ReplicaSet's name", observed=False)
    elif owner_kind in ("DaemonSet", "StatefulSet"):
        life.learn("workload_kind", owner_kind, life.facts["owner_name"].source)
        life.learn("workload", owner_name, life.facts["owner_name"].source)
    life.learn("owner_kind", reading.owner_kind, source, observed=False)
    life.learn("owner_name", reading.owner_name, source, observed=False)
    life.learn("workload_kind", reading.workload_kind, source, observed=False)
    life.learn("workload", reading.workload, source, observed=False)
    life.learn("template_hash", reading.template_hash, source, observed=False)
    life.learn("scheduled_for", reading.scheduled_at, source, observed=False)
