"""resources-changed: a rollout changed requests, limits or probes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.rollouts import revisions, workloads
from incident_kit.correlate.changes.templates import TemplateDifference, compare_templates
from incident_kit.correlate.objects import read_objects
from incident_kit.rules.rule import Outcome, Rule, at, is_near
from incident_kit.tables.kubernetes import OBJECTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    objects = read_objects(evidence)
    found: list[Outcome] = []
    for kind, namespace, name in workloads(objects):
        known = revisions(kind, namespace, name, objects)
        for before, after in pairwise(known):
            difference = compare_templates(before.template, after.template)
            changed = [str(d) for d in (*difference.resources, *difference.probes)]
            if not changed or (after.since is not None and not is_near(after.since, evidence)):
                continue
            found.append(
                RULE.finding(
                    f"{kind} {name} runs with other {_areas(difference)} since {at(after.since)}: "
                    + "; ".join(changed),
                    time=after.since,
                    kind=kind,
                    namespace=namespace,
                    name=name,
                    evidence=[f"revision {before.number} and {after.number} compared", after.evidence, *changed],
                    confidence=0.95 if after.number == before.number + 1 else 0.8,
                    next_step="Compare memory, CPU and readiness of its pods before and after.",
                )
            )
    return found


def _areas(difference: TemplateDifference) -> str:
    areas = (("resources", difference.resources), ("probes", difference.probes))
    return " and ".join(name for name, found in areas if found)


RULE = Rule(
    name="resources-changed",
    question="Which rollouts changed requests, limits or probes?",
    severity="info",
    needs=(OBJECTS,),
    refuted_by="An admission webhook that sets the values on the pods: compare the pods themselves.",
    judge=_judge,
)
