"""oom-killed: was a container killed for exceeding its memory limit?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from incident_kit.correlate.frames import plain, records
from incident_kit.correlate.pods.exits import meaning
from incident_kit.correlate.pods.restarts import instances, is_of_the_incident
from incident_kit.rules.rule import Outcome, Rule, at
from incident_kit.tables.kubernetes import CONTAINERS, PODS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    limits = _memory_limits(evidence)
    for row in instances(evidence):
        finished = row["finished_at"]
        if row["reason"] != "OOMKilled" or not is_of_the_incident(evidence, finished):
            continue
        limit = limits.get((row["pod_uid"], row["container"]))
        facts = [
            f"status of container {row['container']}, instance {row['restart_count']} ({row['source']}): reason OOMKilled, "
            f"exit code {row['exit_code']}, finished {at(finished)}",
            meaning("OOMKilled", row["exit_code"]) or "",
        ]
        if limit:
            facts.append(f"memory limit {limit}")
        yield RULE.finding(
            f"Container {row['container']} of {row['pod']} was killed for exceeding its memory limit"
            + (f" of {limit}" if limit else "")
            + f" at {at(finished)}",
            time=finished,
            kind="Pod",
            namespace=row["namespace"],
            name=row["pod"],
            evidence=facts,
            next_step=f"Read its last entries: incident-kit logs {row['namespace']}/{row['pod']} BUNDLE; "
            "compare its memory with the limit before raising it.",
        )


def _memory_limits(evidence: Evidence) -> dict[tuple[Any, Any], str]:
    found: dict[tuple[Any, Any], str] = {}
    for pod in records(evidence.table(PODS)):
        resources = plain(pod["resources"])
        for container, wanted in orjson.loads(resources).items() if resources else ():
            limit = (wanted.get("limits") or {}).get("memory")
            if limit:
                found[plain(pod["pod_uid"]), container] = str(limit)
    return found


RULE = Rule(
    name="oom-killed",
    question="Was a container killed for exceeding its memory limit?",
    severity="critical",
    refuted_by="The container's status shows another reason; or the node as a whole ran out of memory (event SystemOOM).",
    judge=_judge,
    needs=(CONTAINERS,),
)
