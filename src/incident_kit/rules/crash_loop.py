"""crash-loop: does a container end again and again?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from incident_kit.correlate.pods.exits import meaning
from incident_kit.correlate.pods.instances import ContainerInstance, container_instances
from incident_kit.correlate.pods.restarts import is_of_the_incident
from incident_kit.rules.rule import Finding, Outcome, Rule, at
from incident_kit.tables.kubernetes import CONTAINERS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Restarts without the kubelet's own word for it (CrashLoopBackOff) that are called a loop.
_RESTARTS = 3


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    by_container: dict[tuple[str | None, str], list[ContainerInstance]] = {}
    for instance in container_instances(evidence):
        by_container.setdefault((instance.pod_uid, instance.container), []).append(instance)
    for instances in by_container.values():
        instances.sort(key=lambda instance: instance.restart_count)
        waiting = next((one for one in instances if one.waiting_reason == "CrashLoopBackOff"), None)
        ended = [one for one in instances if one.finished_at is not None and one.reason != "Completed"]
        recent = [one for one in ended if is_of_the_incident(evidence, one.finished_at)]
        if waiting is None and not (recent and instances[-1].restart_count >= _RESTARTS):
            continue
        yield _finding(instances[-1], ended, waiting)


def _finding(latest: ContainerInstance, ended: list[ContainerInstance], waiting: ContainerInstance | None) -> Finding:
    last = ended[-1] if ended else latest
    why = meaning(last.reason, last.exit_code, last.signal)
    facts = [f"container {latest.container}: {latest.restart_count} restarts"]
    facts += [
        f"instance {one.restart_count} ended {at(one.finished_at)}: {one.reason}, exit code {one.exit_code}"
        for one in ended[-3:]
    ]
    if waiting is not None:
        facts.append(f"waiting: CrashLoopBackOff: {waiting.waiting_message or ''}")
    return RULE.finding(
        f"Container {latest.container} of {latest.pod} keeps ending: {latest.restart_count} restarts"
        + (f"; {why}" if why else ""),
        time=last.finished_at,
        kind="Pod",
        namespace=latest.namespace,
        name=latest.pod,
        evidence=facts,
        confidence=1.0 if waiting is not None else 0.8,
        next_step=f"Read the entries before each end: incident-kit logs {latest.namespace}/{latest.pod} BUNDLE",
    )


RULE = Rule(
    name="crash-loop",
    question="Does a container end again and again?",
    severity="critical",
    refuted_by="The restarts lie far apart, or were asked for (a liveness probe that is too strict, a rollout).",
    judge=_judge,
    needs=(CONTAINERS,),
)
