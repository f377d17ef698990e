"""Cases of another policy engine's own tests, written anew: kubernetes-sigs/kube-network-policies at 583a637158fb.

Its ``pkg/networkpolicy/networkpolicy_test.go`` sends packets between four pods (18 cases), and asks for address blocks (5)
and ports (11). 33 of the 34 agree. The other one gives a policy an empty list of ingress rules and expects everything to be
allowed; the API's documentation says that such a policy allows nothing, and so do the e2e tests (default-deny-ingress).
"""

from __future__ import annotations

from typing import Any

import pytest

from incident_kit.correlate.network_policy import Endpoint, external, may_connect

MARK = {"a": "b"}


def _pod(name: str, namespace: str, address: str, labels: dict[str, str], *, marked: bool = True) -> Endpoint:
    return Endpoint(
        name=name,
        namespace=namespace,
        labels=labels,
        namespace_labels={"kubernetes.io/metadata.name": namespace, **(MARK if marked else {})},
        addresses=(address,),
        named_ports={("http", "TCP"): 80},
    )


A = _pod("a", "foo", "192.168.1.11", MARK)
B = _pod("b", "bar", "192.168.2.22", MARK)
C = _pod("c", "blocked", "192.168.3.33", {"c": "d"}, marked=False)
D = _pod("d", "bar", "192.168.4.44", {"c": "d"})
OUTSIDE = external("10.0.0.1")

BLOCK = {"ipBlock": {"cidr": "192.168.0.0/16"}}
PODS, SPACES = {"podSelector": {"matchLabels": MARK}}, {"namespaceSelector": {"matchLabels": MARK}}
RANGE = {"protocol": "TCP", "port": 30000, "endPort": 65537}


def _policy(
    namespace: str, side: str, *rules: dict[str, Any], selector: dict[str, str] | None = None
) -> dict[str, Any]:
    spec = {
        "podSelector": {"matchLabels": selector} if selector else {},
        "policyTypes": [side.capitalize()],
        side: list(rules),
    }
    return {"metadata": {"name": f"{side}-{len(rules)}-{bool(selector)}", "namespace": namespace}, "spec": spec}


DENY_IN, DENY_OUT = _policy("bar", "ingress"), _policy("bar", "egress")
BLOCK_IN = _policy("bar", "ingress", {"from": [BLOCK]})
PORTS_OUT = _policy("foo", "egress", {"ports": [RANGE], "to": []}, selector=MARK)


def _out(peer: dict[str, Any]) -> dict[str, Any]:
    return _policy("foo", "egress", {"to": [peer]}, selector=MARK)


BOTH_IN = _policy("bar", "ingress", {"from": [PODS | SPACES]}, selector=MARK)
STRICT = [DENY_OUT, PORTS_OUT]

PACKETS: list[tuple[str, list[dict[str, Any]], Endpoint, Endpoint, int, bool]] = [
    ("no policy", [], A, B, 80, True),
    ("ingress denied", [DENY_IN], A, B, 80, False),
    ("egress denied", [DENY_OUT], B, A, 80, False),
    ("egress denied does not hold replies back", [DENY_OUT], A, B, 80, True),
    ("a block opens a denied ingress", [DENY_IN, BLOCK_IN], A, B, 80, True),
    ("from outside the block", [BLOCK_IN], OUTSIDE, B, 80, False),
    ("below the range of ports", STRICT, A, B, 80, False),
    ("in the range of ports", STRICT, A, B, 30080, True),
    ("a block beside the range", [*STRICT, _out(BLOCK)], A, B, 80, True),
    ("pods of the own namespace only", [*STRICT, _out(PODS)], A, B, 80, False),
    ("pods of the own namespace, and other labels", [*STRICT, _out(PODS)], A, C, 80, False),
    ("namespaces", [*STRICT, _out(SPACES)], A, B, 80, True),
    ("namespaces, another one", [*STRICT, _out(SPACES)], A, C, 80, False),
    ("pods and namespaces", [*STRICT, _out(PODS | SPACES)], A, B, 80, True),
    ("pods and namespaces, neither", [*STRICT, _out(PODS | SPACES)], A, C, 80, False),
    ("ingress of pods and namespaces", [DENY_IN, BOTH_IN], A, B, 80, True),
    ("ingress of a pod that only the denial selects", [DENY_IN, BOTH_IN], A, D, 80, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policies", "source", "target", "port", "allowed"), [p[1:] for p in PACKETS], ids=[p[0] for p in PACKETS]
)
def test_packets(policies: list[dict[str, Any]], source: Endpoint, target: Endpoint, port: int, allowed: bool) -> None:
    assert may_connect(source, target, port, policies).allowed is allowed


def test_a_policy_with_an_empty_list_of_rules_allows_nothing() -> None:
    """The one case that differs, see above: an empty list cannot be told from an absent one in what the API stores."""
    assert may_connect(A, B, 80, [DENY_IN, _policy("bar", "ingress")]).allowed is False


NARROW, BUT = {"cidr": "192.168.0.0/24"}, {"cidr": "192.168.0.0/24", "except": ["192.168.1.0/24"]}
BLOCKS = [(None, "192.168.0.1", True), (NARROW, "192.168.0.1", True), (NARROW, "10.0.0.1", False),
          (BUT, "192.168.0.1", True), (BUT, "192.168.1.1", False)]  # fmt: skip


@pytest.mark.parametrize(("block", "address", "allowed"), BLOCKS)
def test_address_blocks(block: dict[str, Any] | None, address: str, allowed: bool) -> None:
    rule: dict[str, Any] = {"to": [{"ipBlock": block}]} if block else {}
    assert may_connect(A, external(address), 80, [_policy("foo", "egress", rule)]).allowed is allowed


def _port(port: int | str, protocol: str, end: int | None = None) -> dict[str, Any]:
    return {"protocol": protocol, "port": port, **({"endPort": end} if end else {})}


ASKED = [
    (None, 80, "TCP", True),
    *((_port(30000, p), 30000, p, True) for p in ("TCP", "UDP")),
    *((_port(30000, p), 138, p, False) for p in ("TCP", "UDP")),
    *((_port(30000, p, 65537), 30138, p, True) for p in ("TCP", "UDP")),
    *((_port(30000, p, 65537), 138, p, False) for p in ("TCP", "UDP")),
    (_port("http", "TCP"), 80, "TCP", True),
    (_port("http", "UDP"), 80, "UDP", False),
]


@pytest.mark.parametrize(("ports", "port", "protocol", "allowed"), ASKED)
def test_ports(ports: dict[str, Any] | None, port: int, protocol: str, allowed: bool) -> None:
    rule = {"ports": [ports]} if ports else {}
    assert may_connect(A, B, port, [_policy("foo", "egress", rule)], protocol).allowed is allowed
