"""crash-loop: does a container end again and again?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from incident_kit.correlate.pods.exits import meaning
from incident_kit.correlate.pods.restarts import instances, is_of_the_incident
from incident_kit.rules.rule import Outcome, Rule, at
from incident_kit.tables.kubernetes import CONTAINERS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Restarts without the kubelet's own word for it (CrashLoopBackOff) that are called a loop.
_RESTARTS = 3


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    by_container: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for row in instances(evidence):
        by_container.setdefault((row["pod_uid"], row["container"]), []).append(row)
    for rows in by_container.values():
        rows.sort(key=lambda row: int(row["restart_count"]))
        waiting = next((row for row in rows if row["waiting_reason"] == "CrashLoopBackOff"), None)
        ended = [row for row in rows if row["finished_at"] is not None and row["reason"] != "Completed"]
        recent = [row for row in ended if is_of_the_incident(evidence, row["finished_at"])]
        restarts = int(rows[-1]["restart_count"])
        if waiting is None and not (recent and restarts >= _RESTARTS):
            continue
        yield _finding(rows[-1], ended, restarts, waiting)


def _finding(
    latest: dict[str, Any], ended: list[dict[str, Any]], restarts: int, waiting: dict[str, Any] | None
) -> dict[str, Any]:
    last = ended[-1] if ended else latest
    why = meaning(last["reason"], last["exit_code"], last["signal"])
    facts = [f"container {latest['container']}: {restarts} restarts"]
    facts += [
        f"instance {row['restart_count']} ended {at(row['finished_at'])}: {row['reason']}, exit code {row['exit_code']}"
        for row in ended[-3:]
    ]
    if waiting is not None:
        facts.append(f"waiting: CrashLoopBackOff: {waiting['waiting_message'] or ''}")
    return RULE.finding(
        f"Container {latest['container']} of {latest['pod']} keeps ending: {restarts} restarts"
        + (f"; {why}" if why else ""),
        time=last["finished_at"],
        kind="Pod",
        namespace=latest["namespace"],
        name=latest["pod"],
        evidence=facts,
        confidence=1.0 if waiting is not None else 0.8,
        next_step=f"Read the entries before each end: incident-kit logs {latest['namespace']}/{latest['pod']} BUNDLE",
    )


RULE = Rule(
    name="crash-loop",
    question="Does a container end again and again?",
    severity="critical",
    refuted_by="The restarts lie far apart, or were asked for (a liveness probe that is too strict, a rollout).",
    judge=_judge,
    needs=(CONTAINERS,),
)
