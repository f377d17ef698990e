"""trace: a pod's whole story, also of a pod that is gone, from one or several bundles."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from incident_kit.answers.changes import changes
from incident_kit.answers.findings import findings
from incident_kit.correlate.changes.preceding import before_restarts
from incident_kit.correlate.pods.about import Subjects, subjects_of
from incident_kit.correlate.pods.identity import PodIdentity, lives_of, resolve_pod
from incident_kit.correlate.pods.images import ImageRun, image_runs
from incident_kit.correlate.pods.lifetimes import Lifetime
from incident_kit.correlate.pods.log_numbers import log_counts, log_numbers
from incident_kit.correlate.several import instances_of, rabbit_rows_of
from incident_kit.errors import UsageError
from incident_kit.tables import Row
from incident_kit.tables.answers import CHANGES, COVERAGE, FINDINGS, GAPS, PRECEDING, RABBIT
from incident_kit.tables.kubernetes import CONTAINERS
from incident_kit.window import format_ns

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence


def trace(pod: str, *evidence: Evidence) -> dict[str, Any]:
    """Who a pod was, what ran in it, what it logged, what it was connected to, and what changed around it.

    Args:
        pod: ``pod`` or ``namespace/pod``; it may be known only from Elasticsearch.
        evidence: one bundle, or several of the same cluster, whose knowledge is merged.

    Returns:
        ``identity`` (with ``first_seen``, ``last_seen`` and where from, and ``facts``, each observed or inferred),
        ``instances`` (CONTAINERS), ``images``, ``logs`` in numbers, ``rabbit`` (RABBIT), ``changes``, ``preceding`` (what
        changed before each restart), ``findings``, ``coverage`` and ``gaps``.

    Raises:
        UsageError: no bundle, bundles of several clusters, or an ambiguous name.
        NotFoundError: no bundle knows the pod.
    """
    if not evidence:
        raise UsageError("trace needs at least one bundle.")
    clusters = sorted({one.cluster for one in evidence})
    if len(clusters) > 1:
        raise UsageError(f"The bundles are of several clusters: {', '.join(clusters)}. Trace in one cluster at a time.")
    identity = resolve_pod(pod, *evidence)
    lives = lives_of(identity, *evidence)
    instances = instances_of(identity, evidence)
    connections = rabbit_rows_of(identity, evidence)
    subjects = subjects_of(identity, lives, evidence)
    return {
        "pod": str(identity),
        "identity": _identity(identity, lives),
        "instances": CONTAINERS.frame(instance.row() for instance in instances),
        "images": [_image(run) for run in image_runs(lives, instances)],
        "logs": _logs(identity, evidence),
        "rabbit": RABBIT.frame(connections),
        "rabbit_summary": _rabbit_summary(connections),
        "changes": CHANGES.conform(_about(subjects, [changes(one) for one in evidence], CHANGES.columns)),
        "preceding": PRECEDING.frame(_preceding(identity, evidence)),
        "findings": FINDINGS.conform(_about(subjects, [findings(one) for one in evidence], FINDINGS.columns)),
        "coverage": COVERAGE.conform(_coverage(identity, evidence)),
        "gaps": GAPS.conform(_joined([one.gaps for one in evidence])),
    }


def _image(run: ImageRun) -> Row:
    """An image of the pod's, with the time in which it ran as ``from`` and ``to``."""
    return {
        "pod_uid": run.pod_uid,
        "container": run.container,
        "image": run.image,
        "image_digest": run.image_digest,
        "revision": run.revision,
        "from": run.started_at,
        "to": run.finished_at,
        "observed": run.observed,
        "source": run.source,
    }


def _preceding(identity: PodIdentity, evidence: tuple[Evidence, ...]) -> list[Row]:
    """What changed before each restart, once where several bundles tell of it."""
    rows = [row for one in evidence for row in before_restarts(one, identity.namespace, identity.pod)]
    return list({tuple(map(str, row.values())): row for row in rows}.values())


def _identity(identity: PodIdentity, lives: list[Lifetime]) -> dict[str, Any]:
    """The pod as one object; facts of its latest life first, and of every life in ``lives``."""
    latest = lives[-1]
    firsts = [seen for life in lives if (seen := life.first_seen)]
    lasts = [seen for life in lives if (seen := life.last_seen)]
    first, last = min(firsts, default=(None, None)), max(lasts, default=(None, None))
    return {
        "namespace": identity.namespace,
        "pod": identity.pod,
        "pod_uid": latest.pod_uid,
        "pod_uids": list(identity.pod_uids),
        "first_seen": first[0],
        "first_seen_from": first[1],
        "last_seen": last[0],
        "last_seen_from": last[1],
        "observed": latest.captured,
        **{name: fact.value for name, fact in sorted(latest.facts.items())},
        "facts": [
            {
                "pod_uid": life.pod_uid,
                "fact": name,
                "value": format_ns(fact.value) if _is_time(name) else fact.value,
                "observed": fact.observed,
                "source": fact.source,
            }
            for life in lives
            for name, fact in sorted(life.facts.items())
        ],
    }


def _is_time(name: str) -> bool:
    return name.endswith("_at") or name == "scheduled_for"


def _logs(identity: PodIdentity, evidence: tuple[Evidence, ...]) -> dict[str, Any]:
    """Numbers of the bundle that holds most of the pod's logs, with its verdicts; some may not know the pod at all."""
    knowing = [one for one in evidence if lives_of(identity, one)]
    home = max(knowing, key=lambda one: sum(log_counts(identity, one).values()))
    return {**log_numbers(identity, home), **_verdicts(identity, home)}


def _verdicts(identity: PodIdentity, evidence: Evidence) -> dict[str, Any]:
    from incident_kit.answers.verdict_counts import verdict_counts

    counted: Counter[tuple[str, str]] = Counter()
    causes: Counter[str | None] = Counter()
    for one in verdict_counts(evidence, pod=str(identity)):
        counted[one.side, one.verdict] += one.count
        if one.verdict == "console_only":
            causes[one.cause] += one.count
    return {
        "by_verdict": [
            {"side": side, "verdict": verdict, "count": count} for (side, verdict), count in counted.most_common()
        ],
        "by_cause": [{"cause": cause, "count": count} for cause, count in causes.most_common()],
    }


def _rabbit_summary(rows: list[Row]) -> dict[str, Any]:
    """Which nodes the pod's own connections are on, and whether all that are open sit on one."""
    own = [row for row in rows if row["match"] in ("client_name", "pod_ip")]
    still_open = [row for row in own if row.get("closed_at") is None]
    nodes = sorted({row["rabbit_node"] for row in own if row["rabbit_node"]})
    open_nodes = sorted({row["rabbit_node"] for row in still_open if row["rabbit_node"]})
    return {
        "connections": len(own),
        "open": len(still_open),
        "ambiguous": sum(1 for row in rows if row["match"] == "ambiguous"),
        "rabbit_nodes": nodes,
        "open_on": open_nodes,
        "all_on_one_node": len(open_nodes) == 1 if still_open else None,
        "consumer_lost": [row["connection"] for row in still_open if row.get("channel_count") == 0],
    }


def _about(subjects: Subjects, frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    frame = _joined(frames)[columns]
    kept = [
        subjects.concern(kind, namespace, name)
        for kind, namespace, name in zip(frame["kind"], frame["namespace"], frame["name"], strict=True)
    ]
    # As an array: an empty list would select columns.
    return frame.loc[np.array(kept, dtype=bool)]


def _coverage(identity: PodIdentity, evidence: tuple[Evidence, ...]) -> pd.DataFrame:
    frame = _joined([one.coverage for one in evidence])
    same = (frame["pod"] == identity.pod) | frame["pod"].isna()
    if identity.namespace is not None:
        same &= (frame["namespace"] == identity.namespace) | frame["namespace"].isna()
    return frame[same]


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    bare = [frame.copy() for frame in frames]
    for frame in bare:
        frame.attrs = {}  # pandas compares attrs when it concatenates, and those of findings hold a frame
    filled = [frame for frame in bare if len(frame)] or bare[:1]
    joined = pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0]
    duplicated = joined.astype(str).duplicated()
    return joined[~duplicated].reset_index(drop=True)
