"""no-ready-pod: a Service whose selector finds no pod that is ready."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.objects import Objects, created_at, name_of, namespace_of, read_objects
from incident_kit.counting import plural
from incident_kit.nested import Document, field, instant, listing, mapping
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, not_captured
from incident_kit.tables.kubernetes import OBJECTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    if "Service" not in objects.kinds:
        return not_captured(evidence, "services")
    if "Pod" not in objects.kinds and "EndpointSlice" not in objects.kinds:
        return [
            DidNotApply(because="neither pods nor EndpointSlices were captured", remedy="kubectl get pods -A -o json")
        ]
    return [f for service in objects.of("Service") if (f := _of_service(service, objects)) is not None]


def _of_service(service: Document, objects: Objects) -> Finding | None:
    spec = mapping(service, "spec")
    selector = mapping(spec, "selector")
    if not selector or spec.get("type") == "ExternalName":
        return None
    mine = objects.labelled("Pod", namespace_of(service), selector)
    if any(_ready(p) for p in mine) or (mine and spec.get("publishNotReadyAddresses") is True):
        return None
    named = {"kubernetes.io/service-name": name_of(service)}
    slices = objects.labelled("EndpointSlice", namespace_of(service), named)
    if any(_has_ready_endpoint(s) for s in slices):
        return None  # the selected pods were not captured, and the slices know better
    scaled_down = _scaled_to_zero(service, selector, objects)
    shown = ",".join(f"{k}={v}" for k, v in sorted(selector.items()))
    evidence = [f"selector {shown} selects {plural(len(mine), 'pod')}{', none ready' if mine else ''}"]
    evidence += [f"{name_of(p)}: {field(p, 'status', 'phase')}, not ready" for p in mine[:5]]
    evidence += [f"workload {name} has 0 replicas" for name in scaled_down]
    how = "it selects none" if not mine else "none of its pods is ready"
    if scaled_down and not mine:
        how = f"{', '.join(scaled_down)} is scaled to 0"
    since = [t for p in mine if (t := _not_ready_since(p)) is not None]
    return RULE.finding(
        f"Service {name_of(service)} has no ready pod: {how}",
        time=max(since) if since else created_at(service),
        kind="Service",
        namespace=namespace_of(service),
        name=name_of(service),
        evidence=evidence,
        confidence=0.95,
        severity="info" if scaled_down and not mine else None,
        next_step="Compare the selector with the labels of the pods, and look why they are not ready.",
    )


def _ready(pod: Document) -> bool:
    if mapping(pod, "metadata").get("deletionTimestamp"):
        return False
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in listing(pod, "status", "conditions"))


def _not_ready_since(pod: Document) -> int | None:
    for condition in listing(pod, "status", "conditions"):
        if condition.get("type") == "Ready" and condition.get("status") != "True":
            return instant(condition, "lastTransitionTime")
    return None


def _has_ready_endpoint(part: Document) -> bool:
    return any(field(e, "conditions", "ready") is not False for e in listing(part, "endpoints"))


def _scaled_to_zero(service: Document, selector: dict[str, Any], objects: Objects) -> list[str]:
    found = []
    for kind in ("Deployment", "StatefulSet"):
        for workload in objects.of(kind):
            labels = mapping(workload, "spec", "template", "metadata", "labels")
            chosen = namespace_of(workload) == namespace_of(service) and all(
                labels.get(k) == v for k, v in selector.items()
            )
            if chosen and field(workload, "spec", "replicas") == 0:
                found.append(name_of(workload))
    return found


RULE = Rule(
    name="no-ready-pod",
    question="Which Services have no pod behind them that is ready?",
    severity="warning",
    needs=(OBJECTS,),
    refuted_by="Endpoints written by somebody else than the endpoint controller, or pods that were not captured.",
    judge=_judge,
)
