"""whois: who had an address, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.answers.instants import unseen_instants
from incident_kit.correlate.pods.holdings import Holding
from incident_kit.correlate.pods.ledger import Ledger, ip_ledger
from incident_kit.errors import UsageError
from incident_kit.normalise.rabbitmq.endpoints import is_address, plain_address
from incident_kit.tables import Row
from incident_kit.tables.answers import GAPS, WHOIS
from incident_kit.window import MAX_NS

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence


def whois(ip: str, evidence: Evidence, at: int | None = None) -> pd.DataFrame:
    """Every pod that may have had an address, or nothing but the reason.

    Args:
        ip: IPv4 or IPv6 address; brackets are allowed.
        evidence: the opened bundle.
        at: an instant (ns); without it every interval overlapping the window or not is told.

    Returns:
        WHOIS: one row per candidate pod and interval. An address of a node has its hostNetwork pods, or one row
        with pod null; an address nobody is known to have has one row with pod null and the reason. Its
        ``attrs["gaps"]`` (GAPS) says that the instant lies outside of what was looked at.

    Raises:
        UsageError: it is no address.
    """
    address = plain_address(ip)
    if address is None or not is_address(address):
        raise UsageError(f"{ip!r} is no IP address. Write one such as 10.2.3.4 or fd00::7.")
    frame = WHOIS.frame(whois_rows(address, ip_ledger(evidence), at))
    if unseen := unseen_instants(evidence, at):
        frame.attrs["gaps"] = GAPS.frame(unseen)
    return frame


def whois_rows(ip: str, ledger: Ledger, at: int | None) -> list[Row]:
    """Rows of WHOIS for one address in its shortest spelling."""
    everybody = ledger.of(ip)
    holders = everybody if at is None else ledger.holders(ip, at) or ledger.possible_holders(ip, at)
    node = ledger.node_of(ip)
    rows = [
        {
            "ip": ip,
            "namespace": holding.life.namespace,
            "pod": holding.life.pod,
            "pod_uid": holding.life.pod_uid,
            "from": holding.begin,
            "to": _until(holding),
            "source": holding.source,
            "reason": _reason(holding, holders, node, at),
        }
        for holding in holders
    ]
    if rows:
        return rows
    return [{"ip": ip, "source": "IP ledger", "reason": _nobody(ip, ledger, everybody, node)}]


def _until(holding: Holding) -> int | None:
    """When it cannot have it any more; None where it has it, or nobody recorded it."""
    until = holding.possible_to if holding.possible_to is not None else holding.end
    return None if until == MAX_NS else until


def _reason(holding: Holding, holders: list[Holding], node: str | None, at: int | None) -> str:
    if holding.host_network:
        return (
            f"shares the address of its node {node or holding.life.value('node')} (hostNetwork); so does anything on it"
        )
    if node is not None:
        return f"the address is also node {node}'s"
    if at is not None and not holding.covers(at):
        return f"not known: {holding.why_not_known(at)}"
    others = [other for other in holders if other is not holding and _clash(holding, other)]
    if others:
        names = ", ".join(sorted(other.life.key for other in others))
        return f"several: the evidence cannot tell it from {names}, whose intervals overlap"
    if holding.open_ended:
        return "the pod is gone and nobody recorded when it ended"
    return "the only pod known to have it then" if at is not None else "held in this interval"


def _clash(one: Holding, other: Holding) -> bool:
    begin = max(one.begin or 0, other.begin or 0)
    ends = [end for end in (one.end, other.end) if end is not None]
    return not ends or begin < min(ends)


def _nobody(ip: str, ledger: Ledger, everybody: list[Holding], node: str | None) -> str:
    if node is not None:
        return f"the address of node {node}: anything on that node, or a pod behind it, may have used it"
    if everybody:
        names = ", ".join(sorted({holding.life.key for holding in everybody}))
        return f"none at that instant; at other times it was held by {names}"
    if not ledger.holdings and not ledger.nodes:
        return "could not look: the evidence holds no pod or node with an address; collect kubernetes/pods.json"
    other = ledger.what_else(ip)
    return f"none: {other}" if other else "none: no pod, node or Service in the evidence has it"
