"""crash-loop: does a container end again and again?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.correlate.frames import rows
from incident_kit.correlate.pods.exits import meaning
from incident_kit.correlate.pods.instances import ContainerInstance, container_instances
from incident_kit.correlate.pods.restarts import is_of_the_incident
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, at
from incident_kit.tables.kubernetes import CONTAINERS, EVENTS, PODS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Restarts without the kubelet's own word for it (CrashLoopBackOff) that are called a loop.
_RESTARTS = 3
#: A run that lasted longer is no turn of a loop; the kubelet forgets its back-off after ten minutes.
_LONG_RUN = 3600 * SECOND
#: The kubelet says every ten seconds or so that it waits: this often only after several restarts in a row.
_TOLD_OFTEN = 10
_BACK_OFF = "Back-off restarting failed container"


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    by_container: dict[tuple[str | None, str], list[ContainerInstance]] = {}
    for instance in container_instances(evidence):
        by_container.setdefault((instance.pod_uid, instance.container), []).append(instance)
    waits = _told_to_wait(evidence)
    created = {pod["pod_uid"]: pod["created_at"] for pod in rows(evidence.table(PODS))}
    if not by_container and not waits:
        yield DidNotApply(because="the evidence holds no containers", remedy=f"Collect: {CONTAINERS.origin}")
    for key, instances in by_container.items():
        instances.sort(key=lambda instance: instance.restart_count)
        waiting = next((one for one in instances if one.waiting_reason == "CrashLoopBackOff"), None)
        ended = [one for one in instances if one.finished_at is not None and one.reason != "Completed"]
        recent = [one for one in ended if is_of_the_incident(evidence, one.finished_at)]
        often = instances[-1].restart_count >= _RESTARTS
        told = waits.pop(key, None)
        if waiting is not None:
            yield _finding(instances[-1], ended, f"waiting: CrashLoopBackOff: {waiting.waiting_message or ''}")
        elif often and told is not None:
            yield _finding(instances[-1], ended, told.words())
        elif often and recent and _are_near(recent, instances[-1].restart_count, created.get(key[0])):
            yield _finding(instances[-1], ended)
    for told in waits.values():
        if told.count >= _TOLD_OFTEN and told.uid not in {uid for uid, _ in by_container}:
            yield _finding_of_gone(told)


@dataclass(frozen=True, slots=True)
class _Told:
    """The kubelet's event that it waits before it starts a container again."""

    uid: str | None
    namespace: str | None
    pod: str
    container: str
    count: int
    first_at: int | None
    last_at: int

    def words(self) -> str:
        """As evidence."""
        return f"event BackOff {self.count} times from {at(self.first_at)} to {at(self.last_at)}"


def _told_to_wait(evidence: Evidence) -> dict[tuple[str | None, str], _Told]:
    """Events of the incident that say so, by the pod's uid and container."""
    found: dict[tuple[str | None, str], _Told] = {}
    for event in rows(evidence.table(EVENTS)):
        if event["reason"] != "BackOff" or not str(event["message"]).startswith(_BACK_OFF) or not event["container"]:
            continue
        if event["last_at"] is None or not is_of_the_incident(evidence, event["last_at"]):
            continue
        key = event["uid"], event["container"]
        before = found[key].count if key in found else 0
        found[key] = _Told(
            uid=event["uid"], namespace=event["namespace"], pod=event["name"], container=event["container"],
            count=before + int(event["count"] or 1), first_at=event["first_at"], last_at=event["last_at"],
        )  # fmt: skip
    return found


def _are_near(recent: list[ContainerInstance], restarts: int, created: int | None) -> bool:
    """Whether restarts follow one another: one or all of them, on average, after a run that was not long."""
    last = max(one.finished_at or 0 for one in recent)
    on_average = created is not None and last - created <= restarts * _LONG_RUN
    return on_average or any(map(_was_short, recent))


def _was_short(instance: ContainerInstance) -> bool:
    """Whether a run that ended may have been short; one whose start nobody told may."""
    if instance.started_at is None or instance.finished_at is None:
        return True
    return instance.finished_at - instance.started_at <= _LONG_RUN


def _finding_of_gone(told: _Told) -> Finding:
    """Of a pod that only its events know any more."""
    return RULE.finding(
        f"Container {told.container} of {told.pod} kept ending: the kubelet waited before it started it again",
        time=told.last_at,
        kind="Pod",
        namespace=told.namespace,
        name=told.pod,
        evidence=[told.words()],
        confidence=0.9,
        next_step=f"Read what it logged: incident-kit logs {told.namespace}/{told.pod} BUNDLE",
    )


def _finding(latest: ContainerInstance, ended: list[ContainerInstance], kubelets_word: str | None = None) -> Finding:
    last = ended[-1] if ended else latest
    why = meaning(last.reason, last.exit_code, last.signal)
    facts = [f"container {latest.container}: {latest.restart_count} restarts"]
    facts += [
        f"instance {one.restart_count} ended {at(one.finished_at)}: {one.reason}, exit code {one.exit_code}"
        for one in ended[-3:]
    ]
    if kubelets_word is not None:
        facts.append(kubelets_word)
    return RULE.finding(
        f"Container {latest.container} of {latest.pod} keeps ending: {latest.restart_count} restarts"
        + (f"; {why}" if why else ""),
        time=last.finished_at,
        kind="Pod",
        namespace=latest.namespace,
        name=latest.pod,
        evidence=facts,
        confidence=1.0 if kubelets_word is not None else 0.8,
        next_step=f"Read the entries before each end: incident-kit logs {latest.namespace}/{latest.pod} BUNDLE",
    )


RULE = Rule(
    name="crash-loop",
    question="Does a container end again and again?",
    severity="critical",
    refuted_by="The restarts lie far apart, or were asked for (a liveness probe that is too strict, a rollout).",
    judge=_judge,
)
