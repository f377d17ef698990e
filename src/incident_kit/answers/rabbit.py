"""rabbit: which RabbitMQ node a pod or an address was connected to, now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.answers.instants import unseen_instants
from incident_kit.correlate.frames import plain, records
from incident_kit.correlate.pods.identity import PodIdentity, lives_of, resolve_pod
from incident_kit.correlate.rabbitmq.owners import Matched, hides_pods, matched_connections
from incident_kit.correlate.rabbitmq.rows import could_not_look, next_connections, none_row, rabbit_row, why_none
from incident_kit.errors import NotFoundError
from incident_kit.normalise.rabbitmq.endpoints import is_address, plain_address
from incident_kit.tables import Row
from incident_kit.tables.answers import GAPS, RABBIT
from incident_kit.window import format_ns

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence


_ONLY_A_NAME = "a client calls itself so, and no source knows a pod of that name"
_PODS = "kubectl get pods -A -o json > kubernetes/pods.json"


def rabbit(pod_or_ip: str, evidence: Evidence, at: int | None = None) -> pd.DataFrame:
    """Connections of a pod, or from an address, that overlap the window; open or closed, one row each.

    Args:
        pod_or_ip: ``pod``, ``namespace/pod`` or an address.
        evidence: the opened bundle.
        at: an instant (ns): only connections open then.

    Returns:
        RABBIT. A connection that may be the pod's is listed as ``ambiguous`` with its candidates. Without any, one
        row with match ``none`` and the reason, which also says when RabbitMQ could not be looked at. Its
        ``attrs["gaps"]`` (GAPS) says when the broker sees nodes instead of pods, when nobody but clients, by the
        name they give themselves, knows the pod, and that the instant lies outside of what was looked at.

    Raises:
        UsageError: the name fits pods of several namespaces.
        NotFoundError: no source knows the pod, and no client calls itself so.
    """
    address = plain_address(pod_or_ip)
    gaps = [{name: plain(value) for name, value in gap.items()} for gap in records(hidden_pods(evidence))]
    gaps += unseen_instants(evidence, at)
    if is_address(address):
        rows = _rows_of_address(str(address), evidence, at)
    else:
        try:
            rows = rows_of_pod(resolve_pod(pod_or_ip, evidence), evidence, at)
        except NotFoundError:
            rows = _rows_of_name(pod_or_ip.strip(), evidence, at)
            if not rows:
                raise
            gaps.append({"source": "kubernetes", "what": f"pod {pod_or_ip}", "reason": _ONLY_A_NAME, "remedy": _PODS})
    frame = RABBIT.frame(rows)
    if gaps:
        frame.attrs["gaps"] = GAPS.frame(gaps)
    return frame


def _rows_of_name(pod: str, evidence: Evidence, at: int | None) -> list[Row]:
    """Connections of clients that call themselves like a pod that nobody else knows: its own, or of a copied name."""
    name = pod.rpartition("/")[2]
    named = [
        one
        for one in matched_connections(evidence)
        if one.connection.user_provided_name == name and not one.match.single and _asked(one, evidence, at)
    ]
    return [
        {
            **row,
            "match": "ambiguous",
            "candidates": sorted({*row["candidates"], pod}),
            "reason": f"{_ONLY_A_NAME}; {row['reason']}",
        }
        for row in _rows(named, evidence)
    ]


def hidden_pods(evidence: Evidence) -> pd.DataFrame:
    """GAPS: one row where the broker sees nodes instead of pods, else none."""
    hidden = hides_pods(evidence)
    remedy = "Let clients name their connections after their pod, or use the proxy protocol."
    row = {"source": "rabbitmq", "what": "peers of connections", "reason": hidden, "remedy": remedy}
    return GAPS.frame([row] if hidden else [])


def rows_of_pod(identity: PodIdentity, evidence: Evidence, at: int | None = None) -> list[Row]:
    """RABBIT rows of one pod."""
    asked = [matched for matched in matched_connections(evidence) if _asked(matched, evidence, at)]
    found = [matched for matched in asked if matched.match.concerns(identity.namespace, identity.pod)]
    if found:
        return _rows(found, evidence)
    reason = could_not_look(evidence) or why_none(lives_of(identity, evidence), asked, _when(at))
    return [
        none_row(
            reason,
            namespace=identity.namespace,
            pod=identity.pod,
            pod_uid=identity.pod_uids[0] if len(identity.pod_uids) == 1 else None,
        )
    ]


def _rows_of_address(address: str, evidence: Evidence, at: int | None) -> list[Row]:
    found = [
        matched
        for matched in matched_connections(evidence)
        if matched.connection.peer_host == address and _asked(matched, evidence, at)
    ]
    if found:
        return _rows(found, evidence)
    return [none_row(could_not_look(evidence) or f"no connection from this address {_when(at)}", peer_host=address)]


def _rows(found: list[Matched], evidence: Evidence) -> list[Row]:
    following = next_connections(evidence)
    return [rabbit_row(matched, evidence, following=following.after(matched)) for matched in found]


def _asked(matched: Matched, evidence: Evidence, at: int | None) -> bool:
    if at is not None:
        return matched.open_at(at)
    return matched.connection.overlaps(evidence.window.start, evidence.window.end)


def _when(at: int | None) -> str:
    return f"was open at {format_ns(at)}" if at is not None else "overlaps the window"
