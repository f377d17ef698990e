"""oom-killed: was a container killed for exceeding its memory limit?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import orjson

from incident_kit.correlate.frames import rows
from incident_kit.correlate.pods.exits import meaning
from incident_kit.correlate.pods.instances import container_instances
from incident_kit.correlate.pods.restarts import is_of_the_incident
from incident_kit.rules.rule import Outcome, Rule, at
from incident_kit.tables.kubernetes import CONTAINERS, PODS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence


def _judge(evidence: Evidence) -> Iterator[Outcome]:
    limits = _memory_limits(evidence)
    for ended in container_instances(evidence):
        finished = ended.finished_at
        if ended.reason != "OOMKilled" or not is_of_the_incident(evidence, finished):
            continue
        limit = limits.get((ended.pod_uid, ended.container))
        facts = [
            f"status of container {ended.container}, instance {ended.restart_count} ({ended.source}): reason OOMKilled, "
            f"exit code {ended.exit_code}, finished {at(finished)}",
            meaning("OOMKilled", ended.exit_code) or "",
        ]
        if limit:
            facts.append(f"memory limit {limit}")
        yield RULE.finding(
            f"Container {ended.container} of {ended.pod} was killed for exceeding its memory limit"
            + (f" of {limit}" if limit else "")
            + f" at {at(finished)}",
            time=finished,
            kind="Pod",
            namespace=ended.namespace,
            name=ended.pod,
            evidence=facts,
            next_step=f"Read its last entries: incident-kit logs {ended.namespace}/{ended.pod} BUNDLE; "
            "compare its memory with the limit before raising it.",
        )


def _memory_limits(evidence: Evidence) -> dict[tuple[str | None, str], str]:
    """Memory limits as written, e.g. ``110Mi``, by pod uid and container."""
    found: dict[tuple[str | None, str], str] = {}
    for pod in rows(evidence.table(PODS)):
        for container, wanted in orjson.loads(pod["resources"]).items() if pod["resources"] else ():
            limit = (wanted.get("limits") or {}).get("memory")
            if limit:
                found[pod["pod_uid"], container] = str(limit)
    return found


RULE = Rule(
    name="oom-killed",
    question="Was a container killed for exceeding its memory limit?",
    severity="critical",
    refuted_by="The container's status shows another reason; or the node as a whole ran out of memory (event SystemOOM).",
    judge=_judge,
    needs=(CONTAINERS,),
)
