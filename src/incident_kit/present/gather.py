"""The answers that figures, report and story show, asked once per opened bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.present.material import COUNTS, SLICES, Material, short_image
from incident_kit.tables.answers import GAPS, RABBIT
from incident_kit.tables.kubernetes import CONTAINERS, PODS
from incident_kit.tables.rabbitmq import CONNECTIONS, RABBIT_NODES

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence

_FACTS = ("node", "pod_ips", "host_network", "workload_kind", "workload", "application", "created_at", "started_at", "ready_at",
          "finished_at", "deleted_at", "phase", "status")  # fmt: skip


def material(evidence: Evidence, workload: str | None = None) -> Material:
    """What the figures draw of one bundle.

    Args:
        evidence: an opened bundle.
        workload: only the pods of this workload; all by default.
    """
    whole: Material = evidence.memo("present.material", lambda: _gather(evidence))
    if workload is None:
        return whole
    from dataclasses import replace

    chosen = whole.pods[whole.pods["workload"] == workload]
    names = set(zip(chosen["namespace"], chosen["pod"], strict=True))

    def of_workload(frame: pd.DataFrame) -> pd.DataFrame:
        inside = [pair in names for pair in zip(frame["namespace"], frame["pod"], strict=True)]
        return frame.loc[np.array(inside, dtype=bool)]

    return replace(
        whole, pods=chosen, instances=of_workload(whole.instances), counts=of_workload(whole.counts),
        connections=of_workload(whole.connections),
    )  # fmt: skip


def _gather(evidence: Evidence) -> Material:
    window = evidence.window
    nodes = rabbit_nodes(evidence)
    return Material(
        start=window.start,
        end=window.end,
        pods=known_pods(evidence),
        instances=known_instances(evidence),
        counts=counts(evidence),
        connections=connections(evidence, nodes),
        rabbit_nodes=nodes,
        changes=changes_of(evidence),
    )


def changes_of(evidence: Evidence) -> pd.DataFrame:
    """CHANGES rows."""
    from incident_kit.answers.changes import changes

    return evidence.memo("present.changes", lambda: changes(evidence)).copy()


def gaps_of(evidence: Evidence) -> pd.DataFrame:
    """GAPS rows: those of the bundle, and those that only an answer can see."""
    import pandas as pd

    from incident_kit.answers.rabbit import hidden_pods

    found = [frame for frame in (evidence.gaps, hidden_pods(evidence)) if len(frame)]
    return GAPS.conform(pd.concat(found, ignore_index=True)) if found else GAPS.frame()


def counts(evidence: Evidence) -> pd.DataFrame:
    """COUNTS rows: console entries and documents without entry."""
    from incident_kit.answers.verdict_counts import verdict_counts

    return evidence.memo(
        "present.counts", lambda: COUNTS.frame(one.row() for one in verdict_counts(evidence, slices=SLICES))
    )


def losses(evidence: Evidence) -> pd.DataFrame:
    """CONSOLE_ONLY rows of the entries that never reached Elasticsearch."""
    from incident_kit.answers.console_only import console_only

    return evidence.memo("present.losses", lambda: console_only(evidence))


def rabbit_nodes(evidence: Evidence) -> tuple[str, ...]:
    """Names of the RabbitMQ nodes that any source knows."""
    named = [*evidence.table(RABBIT_NODES)["rabbit_node"], *evidence.table(CONNECTIONS)["rabbit_node"]]
    return tuple(sorted({name for name in named if isinstance(name, str)}))


def connections(evidence: Evidence, nodes: tuple[str, ...]) -> pd.DataFrame:
    """RABBIT rows of every connection, of all nodes."""
    import pandas as pd

    from incident_kit.answers.rabbit_node import rabbit_node

    frames = [frame for node in nodes if len(frame := rabbit_node(node, evidence))]
    return RABBIT.conform(pd.concat(frames, ignore_index=True)) if frames else RABBIT.frame()


def known_instances(evidence: Evidence) -> pd.DataFrame:
    """CONTAINERS rows, and one inferred row for each image of a pod of which no container was captured.

    Of an instance that the status forgot, events may tell when it started.
    """
    import pandas as pd

    from incident_kit.correlate.pods.identity import lifetimes
    from incident_kit.correlate.pods.instances import container_instances

    known = set(evidence.table(CONTAINERS)["pod_uid"].dropna())
    captured = CONTAINERS.frame(one.row() for one in container_instances(evidence) if one.pod_uid in known)
    rows = []
    for life in lifetimes(evidence):
        if life.captured or life.pod_uid in known:
            continue
        first, last = life.first_seen, life.last_seen
        for image in life.value("images") or ():
            rows.append({
                "namespace": life.namespace, "pod": life.pod, "pod_uid": life.pod_uid, "image": image,
                "container": short_image(image).partition(":")[0], "container_type": "app", "observed": False,
                "started_at": life.value("started_at") or (first[0] if first else None), "source": "inferred",
                "finished_at": life.value("deleted_at") or (last[0] if last else None), "reason": "gone",
            })  # fmt: skip
    return pd.concat([captured, CONTAINERS.frame(rows)], ignore_index=True) if rows else captured


def bundle_name(evidence: Evidence) -> str:
    """Name of the bundle without its suffix, as titles say it."""
    return evidence.path.name.removesuffix(".zip").removesuffix(".incident")


def known_pods(evidence: Evidence) -> pd.DataFrame:
    """PODS rows of every pod that lived in the window, also of those whose objects are gone."""
    from incident_kit.correlate.pods.identity import lifetimes

    rows = []
    for life in lifetimes(evidence):
        row: dict[str, Any] = {"namespace": life.namespace, "pod": life.pod, "pod_uid": life.pod_uid}
        row |= {name: life.value(name) for name in _FACTS}
        first, last = life.first_seen, life.last_seen
        row["created_at"] = row["created_at"] or row["started_at"] or (first[0] if first else None)
        if not life.captured:  # gone: the last sighting is all that tells its end
            row["deleted_at"] = row["deleted_at"] or (last[0] if last else None)
        end = row["deleted_at"] or row["finished_at"] or evidence.window.end
        if end >= evidence.window.start and (row["created_at"] or 0) < evidence.window.end:
            rows.append(row)
    return PODS.frame(rows)
