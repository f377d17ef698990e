"""mixed-versions: did a workload run several versions at once, for longer than a rollout takes?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.rollouts import ROLLED_OUT
from incident_kit.correlate.pods.images import full_reference, workload_images
from incident_kit.rules.rule import Finding, Outcome, Rule, at
from incident_kit.tables.kubernetes import CONTAINERS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_KINDS = (*sorted(ROLLED_OUT), "ReplicaSet")
#: A rollout that is over within this is not worth a finding.
_ROLLOUT = 300 * SECOND
#: Still mixed at the end of the evidence: a rollout that began this shortly before may just be running.
_JUST_BEGUN = 30 * SECOND

#: Kind, namespace and name of a workload, and one of its containers.
_Container = tuple[str, str | None, str, str]


@dataclass(slots=True)
class _Ran:
    """What one pod's container ran of one image: when, and as which bytes, as far as somebody told."""

    image: str
    pod: str
    spans: list[tuple[int, int]] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)

    @property
    def whole(self) -> tuple[int, int]:
        """From its first start to its last end; a restart does not end a pod's version."""
        return min(start for start, _ in self.spans), max(end for _, end in self.spans)

    def is_same_version(self, other: _Ran) -> bool:
        """Whether both ran the same bytes, or one image by two spellings of its reference."""
        return full_reference(self.image) == full_reference(other.image) or bool(self.digests & other.digests)


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    until = evidence.captured_at if evidence.captured_at is not None else evidence.window.end
    found: dict[_Container, dict[tuple[str, str], _Ran]] = {}
    for ran in workload_images(evidence):
        run = ran.run
        if ran.workload_kind not in _KINDS or run.started_at is None or run.container is None:
            continue
        workload = (ran.workload_kind, ran.namespace, ran.workload, run.container)
        end = run.finished_at if run.finished_at is not None else until
        of_pod = found.setdefault(workload, {}).setdefault((run.image, ran.pod), _Ran(run.image, ran.pod))
        of_pod.spans.append((run.started_at, end))
        if run.image_digest is not None:
            of_pod.digests.add(run.image_digest)
    for workload, pods in found.items():
        mixed = _longest_overlap(list(pods.values()))
        if mixed is None:
            continue
        start, end, one, other = mixed
        lasting = end >= until and end - start >= _JUST_BEGUN
        if (lasting or end - start >= _ROLLOUT) and start < evidence.window.end and end > evidence.window.start:
            yield _finding(workload, start, end, one, other, still=end >= until)


def _longest_overlap(pods: list[_Ran]) -> tuple[int, int, _Ran, _Ran] | None:
    """The longest time in which two pods of different versions ran."""
    best: tuple[int, int, _Ran, _Ran] | None = None
    for one, (start, end) in ((ran, ran.whole) for ran in pods):
        for other, (other_start, other_end) in ((ran, ran.whole) for ran in pods):
            if one.image >= other.image or one.is_same_version(other):
                continue
            begin, finish = max(start, other_start), min(end, other_end)
            if begin < finish and (best is None or finish - begin > best[1] - best[0]):
                best = (begin, finish, one, other)
    return best


def _finding(
    workload: _Container,
    start: int,
    end: int,
    one: _Ran,
    other: _Ran,
    *,
    still: bool,
) -> Finding:
    kind, namespace, name, container = workload
    lasted = "still at the end of the evidence" if still else f"until {at(end)}"
    return RULE.finding(
        f"{name} ran {one.image} and {other.image} at once from {at(start)}, {lasted}",
        time=start,
        kind=kind,
        namespace=namespace,
        name=name,
        evidence=[f"pod {ran.pod}, container {container}: {ran.image}" for ran in (one, other)],
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
