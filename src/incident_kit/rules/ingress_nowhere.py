"""ingress-nowhere: an Ingress that sends requests to a Service, or a port of it, that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.objects import Objects, created_at, name_of, namespace_of, read_objects
from incident_kit.nested import Document, listing, mapping
from incident_kit.rules.rule import Outcome, Rule, not_captured
from incident_kit.tables.kubernetes import OBJECTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    if "Ingress" not in objects.kinds:
        return not_captured(evidence, "ingresses")
    if "Service" not in objects.kinds and (reasons := not_captured(evidence, "services")):
        return reasons
    return [f for ingress in objects.of("Ingress") for f in _of_ingress(ingress, objects)]


def _of_ingress(ingress: Document, objects: Objects) -> Iterable[Outcome]:
    wrong = [
        f"{where} goes to {trouble}"
        for where, backend in _backends(ingress)
        if (trouble := _trouble(backend, namespace_of(ingress), objects)) is not None
    ]
    if wrong:
        yield RULE.finding(
            f"Ingress {name_of(ingress)} leads nowhere: {wrong[0]}",
            time=created_at(ingress),
            kind="Ingress",
            namespace=namespace_of(ingress),
            name=name_of(ingress),
            evidence=wrong,
            confidence=0.95,
            next_step="Correct the backend, or bring the Service back.",
        )


def _backends(ingress: Document) -> Iterable[tuple[str, Document]]:
    spec = mapping(ingress, "spec")
    if spec.get("defaultBackend"):
        yield "the default backend", mapping(spec, "defaultBackend")
    for rule in listing(spec, "rules"):
        for path in listing(rule, "http", "paths"):
            yield f"{rule.get('host') or '*'}{path.get('path') or '/'}", mapping(path, "backend")


def _trouble(backend: Document, namespace: str | None, objects: Objects) -> str | None:
    wanted = mapping(backend, "service")
    if not wanted.get("name"):
        return None  # a resource backend
    service = objects.get("Service", namespace, str(wanted["name"]))
    if service is None:
        return f"Service {wanted['name']}, which does not exist"
    if mapping(service, "spec").get("type") == "ExternalName":
        return None
    port = mapping(wanted, "port")
    offered = listing(service, "spec", "ports")
    if port.get("number") is not None and port["number"] not in [p.get("port") for p in offered]:
        return f"port {port['number']} of Service {wanted['name']}, which does not have it"
    if port.get("name") and port["name"] not in [p.get("name") for p in offered]:
        return f"port {port['name']} of Service {wanted['name']}, which does not have it"
    return None


RULE = Rule(
    name="ingress-nowhere",
    question="Which Ingresses lead to a Service or port that does not exist?",
    severity="warning",
    needs=(OBJECTS,),
    refuted_by="A Service of that name that was not captured.",
    judge=_judge,
)
