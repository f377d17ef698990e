"""logs-lost: a workload whose console entries never reached Elasticsearch, and what kind of loss it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.correlate.pods.workloads import Workloads
from incident_kit.correlate.reconcile import reconciliation_of
from incident_kit.correlate.reconcile.buckets import Bucket
from incident_kit.correlate.reconcile.verdicts import CAUSES, CODE, NOT_LOST
from incident_kit.counting import plural
from incident_kit.rules.rule import Finding, Outcome, Rule, at
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Losses that come with every start and end of a process; a few of them are usual.
_USUAL = frozenset({"died_before_flush", "before_logger", "rotation_edge"})
_FEW = 20

_STEP = {
    "shipping_outage": "Look at Elasticsearch and the way to it in that time; the entries stand only on the console.",
    "burst": "Look at the shipper's queue and at 429 answers; widen the queue or log less.",
    "never_arrives": "Compare the field that the mapping refuses with what the service logs.",
    "pod_absent": "Look whether the pod's logging is set up at all: its siblings ship.",
    "died_before_flush": "Flush the logger before the process ends.",
}


@dataclass
class _Loss:
    causes: Counter[str] = field(default_factory=Counter)
    pods: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None
    entries: int = 0
    confidence: float = 0.0

    def add(self, pod: str, times: Any, causes: Any, confidences: Any) -> None:
        """Count the lost entries of one pod."""
        self.causes.update(str(c) for c in causes)
        self.pods[pod] += len(times)
        first, last = int(times.min()), int(times.max())
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        self.confidence = max(self.confidence, float(confidences.mean()))


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    workload_of = Workloads(evidence)
    lost: dict[tuple[str | None, str, str], _Loss] = {}
    for bucket in reconciliation_of(evidence).buckets:
        _count(bucket, evidence, workload_of, lost)
    return [_finding(key, loss) for key, loss in sorted(lost.items(), key=str) if loss.causes]


def _count(
    bucket: Bucket,
    evidence: Evidence,
    workload_of: Workloads,
    lost: dict[tuple[str | None, str, str], _Loss],
) -> None:
    entries, names, verdicts = bucket.entries, bucket.names.names, bucket.verdicts
    inside = np.flatnonzero((entries.time >= evidence.window.start) & (entries.time < evidence.window.end))
    owner = entries.owner[inside]
    gone = inside[verdicts.code[inside] == CODE["console_only"]]
    gone = gone[~np.isin(verdicts.cause[gone], NOT_LOST)]
    for code, count in zip(*np.unique(owner, return_counts=True), strict=True):
        pod_code, namespace_code, _ = entries.owners[code].tolist()
        namespace, pod = names[namespace_code] if namespace_code >= 0 else None, names[pod_code]
        kind, namespace, workload = workload_of(namespace, pod)
        loss = lost.setdefault((namespace, kind, workload), _Loss())
        loss.entries += int(count)
        chosen = gone[entries.owner[gone] == code]
        if len(chosen):
            causes = [CAUSES[cause] for cause in verdicts.cause[chosen].tolist()]
            loss.add(pod, entries.time[chosen], causes, verdicts.percent[chosen] / 100)


def _finding(key: tuple[str | None, str, str], loss: _Loss) -> Finding:
    namespace, kind, workload = key
    total = sum(loss.causes.values())
    shown = ", ".join(f"{number:,} {cause}" for cause, number in loss.causes.most_common())
    usual = set(loss.causes) <= _USUAL and total <= _FEW * len(loss.pods)
    main = loss.causes.most_common(1)[0][0]
    entries = plural(total, "console entry", "console entries")
    when = (
        f"at {at(loss.first)}" if at(loss.first) == at(loss.last) else f"between {at(loss.first)} and {at(loss.last)}"
    )
    return RULE.finding(
        f"{entries} of {workload} never reached Elasticsearch {when}: {shown}",
        time=loss.first,
        kind=kind,
        namespace=namespace,
        name=workload,
        evidence=[
            f"{total:,} of {loss.entries:,} entries of the window are console_only",
            *(f"{cause}: {number:,}" for cause, number in loss.causes.most_common()),
            *(f"{pod}: {number:,}" for pod, number in loss.pods.most_common(5)),
        ],
        confidence=round(loss.confidence, 2),
        severity="info" if usual else None,
        next_step=_STEP.get(main, "Read them: incident-kit console-only BUNDLE."),
    )


RULE = Rule(
    name="logs-lost",
    question="Which workloads lost log entries on the way to Elasticsearch?",
    severity="warning",
    needs=(CONSOLE_ENTRIES, ELASTIC_DOCUMENTS),
    refuted_by="The documents in an index, a failure store or a time that the capture did not ask for.",
    judge=_judge,
)
