"""mixed-versions: did a workload run several versions at once, for longer than a rollout takes?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from incident_kit.correlate.pods.images import workload_images
from incident_kit.rules.rule import Finding, Outcome, Rule, at
from incident_kit.tables.kubernetes import CONTAINERS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
#: A rollout that is over within this is not worth a finding.
_ROLLOUT = 300 * SECOND
#: Still mixed at the end of the evidence: a rollout that began this shortly before may just be running.
_JUST_BEGUN = 30 * SECOND

#: Kind, namespace and name of a workload, and one of its containers.
_Container = tuple[str, str | None, str, str]


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    until = evidence.captured_at if evidence.captured_at is not None else evidence.window.end
    spans: dict[_Container, dict[tuple[str, str], list[tuple[int, int]]]] = {}
    for ran in workload_images(evidence):
        run = ran.run
        if ran.workload_kind not in _KINDS or run.started_at is None or run.container is None:
            continue
        workload = (ran.workload_kind, ran.namespace, ran.workload, run.container)
        end = run.finished_at if run.finished_at is not None else until
        spans.setdefault(workload, {}).setdefault((run.image, ran.pod), []).append((run.started_at, end))
    for workload, pods in spans.items():
        mixed = _longest_overlap(pods)
        if mixed is None:
            continue
        start, end, one, other = mixed
        lasting = end >= until and end - start >= _JUST_BEGUN
        if (lasting or end - start >= _ROLLOUT) and start < evidence.window.end and end > evidence.window.start:
            yield _finding(workload, start, end, one, other, still=end >= until)


def _longest_overlap(
    pods: dict[tuple[str, str], list[tuple[int, int]]],
) -> tuple[int, int, tuple[str, str], tuple[str, str]] | None:
    """The longest time in which two pods of different versions ran; a restart does not end a pod's version."""
    whole = {key: (min(s for s, _ in spans), max(e for _, e in spans)) for key, spans in pods.items()}
    best: tuple[int, int, tuple[str, str], tuple[str, str]] | None = None
    for one, (start, end) in whole.items():
        for other, (other_start, other_end) in whole.items():
            if one[0] >= other[0]:
                continue
            begin, finish = max(start, other_start), min(end, other_end)
            if begin < finish and (best is None or finish - begin > best[1] - best[0]):
                best = (begin, finish, one, other)
    return best


def _finding(
    workload: _Container,
    start: int,
    end: int,
    one: tuple[str, str],
    other: tuple[str, str],
    *,
    still: bool,
) -> Finding:
    kind, namespace, name, container = workload
    lasted = "still at the end of the evidence" if still else f"until {at(end)}"
    return RULE.finding(
        f"{name} ran {one[0]} and {other[0]} at once from {at(start)}, {lasted}",
        time=start,
        kind=kind,
        namespace=namespace,
        name=name,
        evidence=[f"pod {pod}, container {container}: {image}" for image, pod in (one, other)],
        confidence=0.9 if still else 0.8,
        next_step=f"kubectl rollout status {kind.lower()}/{name} -n {namespace}",
    )


RULE = Rule(
    name="mixed-versions",
    question="Did a workload run several versions at once, for longer than a rollout takes?",
    severity="warning",
    refuted_by="A canary or a partitioned rollout was meant.",
    judge=_judge,
    needs=(CONTAINERS,),
)
