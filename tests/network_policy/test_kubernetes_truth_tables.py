"""The truth tables of Kubernetes' own e2e tests, written anew.

Each case stands for one of ``test/e2e/network/netpol/network_policy.go`` (kubernetes/kubernetes at 008b3652959c), named
as there; the expected reachability is that test's. Left out: SCTP on a plug-in without it and pods on the host's network,
which the tests themselves leave to the plug-in.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.network_policy.cluster import Pair, denied, endpoint, namespaces, pairs, pods, policy

NOT_X = {"namespaceSelector": {"matchExpressions": [{"key": "ns", "operator": "NotIn", "values": ["x"]}]}}
IN_Y = {"namespaceSelector": {"matchExpressions": [{"key": "ns", "operator": "In", "values": ["y"]}]}}
B_OR_C = {"podSelector": {"matchExpressions": [{"key": "pod", "operator": "In", "values": ["b", "c"]}]}}
B_IN = {"podSelector": {"matchExpressions": [{"key": "pod", "operator": "In", "values": ["b"]}]}}
ALL_PODS: dict[str, Any] = {"podSelector": {}, "namespaceSelector": {}}
Y_81 = policy(pod="a", ingress=[{"from": [namespaces(ns="y")], "ports": [{"port": 81, "protocol": "TCP"}]}])
Y_80 = policy(pod="a", ingress=[{"from": [namespaces(ns="y")], "ports": [{"port": 80, "protocol": "TCP"}]}], name="p80")
INTO_A = pairs(target="x/a")
FROM_Y = pairs("y/*", "x/a")
BLOCK_B = "10.0.0.2/32"

Case = tuple[str, list[Any], int, str, set[Pair]]
CASES: list[Case] = [
    ("default-deny-ingress", [policy(ingress=[])], 80, "TCP", pairs(target="x/*")),
    ("default-deny-all", [policy(ingress=[], egress=[])], 80, "TCP", pairs(target="x/*") | pairs("x/*")),
    ("from pods of the server's namespace", [policy(pod="a", ingress=[{"from": [pods("b")]}])], 80, "TCP",
     INTO_A - pairs("x/b", "x/a")),
    ("ingress for a target", [policy(ingress=[]), policy(pod="a", ingress=[{"from": [ALL_PODS]}], name="allow")], 80, "TCP",
     pairs(target="x/b") | pairs(target="x/c")),
    ("from pods in all namespaces", [policy(pod="a", ingress=[{"from": [{"namespaceSelector": {}}]}])], 80, "TCP", set()),
    ("only from a different namespace", [policy(pod="a", ingress=[{"from": [namespaces(ns="y")]}])], 80, "TCP",
     INTO_A - FROM_Y),
    ("PodSelector with MatchExpressions", [policy(pod="a", ingress=[{"from": [B_IN]}])], 80, "TCP",
     INTO_A - pairs("x/b", "x/a")),
    ("NamespaceSelector with MatchExpressions", [policy(pod="a", ingress=[{"from": [IN_Y]}])], 80, "TCP", INTO_A - FROM_Y),
    ("PodSelector or NamespaceSelector", [policy(pod="a", ingress=[{"from": [NOT_X, pods("b")]}])], 80, "TCP",
     pairs("x/c", "x/a")),
    ("PodSelector and NamespaceSelector", [policy(pod="a", ingress=[{"from": [NOT_X | pods("b")]}])], 80, "TCP",
     INTO_A - pairs("y/b", "x/a") - pairs("z/b", "x/a")),
    ("multiple PodSelectors and NamespaceSelectors", [policy(pod="a", ingress=[{"from": [NOT_X | B_OR_C]}])], 80, "TCP",
     pairs("x/*", "x/a") | pairs("y/a", "x/a") | pairs("z/a", "x/a")),
    ("any PodSelectors", [policy(pod="a", ingress=[{"from": [pods("b"), pods("c")]}])], 80, "TCP",
     INTO_A - pairs("x/b", "x/a") - pairs("x/c", "x/a")),
    ("only a pod of a different namespace", [policy(pod="a", ingress=[{"from": [namespaces(ns="y") | pods("a")]}])], 80,
     "TCP", INTO_A - pairs("y/a", "x/a")),
    ("based on Ports", [Y_81], 81, "TCP", INTO_A - FROM_Y),
    ("stacked, port of the first", [Y_81], 80, "TCP", INTO_A),
    ("stacked, second unblocks port 80", [Y_81, Y_80], 80, "TCP", INTO_A - FROM_Y),
    ("allow-all, port 80", [policy(ingress=[{}])], 80, "TCP", set()),
    ("allow-all, port 81", [policy(ingress=[{}])], 81, "TCP", set()),
    ("ingress on a named port, that port", [policy(ingress=[{"ports": [{"port": "serve-81-tcp"}]}])], 81, "TCP", set()),
    ("ingress on a named port, another", [policy(ingress=[{"ports": [{"port": "serve-81-tcp"}]}])], 80, "TCP",
     pairs(target="x/*")),
    ("from a namespace on a named port, that port",
     [policy(pod="a", ingress=[{"from": [namespaces(ns="y")], "ports": [{"port": "serve-80-tcp"}]}])], 80, "TCP",
     INTO_A - FROM_Y),
    ("from a namespace on a named port, another",
     [policy(pod="a", ingress=[{"from": [namespaces(ns="y")], "ports": [{"port": "serve-80-tcp"}]}])], 81, "TCP", INTO_A),
    ("egress on a named port, that port", [policy(egress=[{"ports": [{"port": "serve-80-tcp"}]}])], 80, "TCP", set()),
    ("egress on a named port, another", [policy(egress=[{"ports": [{"port": "serve-80-tcp"}]}])], 81, "TCP", pairs("x/*")),
    ("updated policy", [policy(ingress=[])], 81, "TCP", pairs(target="x/*")),
    ("deny ingress from other namespaces", [policy(ingress=[{"from": [{"podSelector": {}}]}])], 80, "TCP",
     pairs("y/*", "x/*") | pairs("z/*", "x/*")),
    ("deny egress by PodSelector", [policy(pod="a", egress=[])], 80, "TCP", pairs("x/a")),
    ("deny egress of a namespace", [policy(egress=[])], 80, "TCP", pairs("x/*")),
    ("Ingress and Egress together, port 80",
     [policy(pod="a", ingress=[{"from": [pods("b")]}], egress=[{"ports": [{"port": 80}]}])], 80, "TCP",
     INTO_A - pairs("x/b", "x/a")),
    ("Ingress and Egress together, port 81",
     [policy(pod="a", ingress=[{"from": [pods("b")]}], egress=[{"ports": [{"port": 80}]}])], 81, "TCP",
     (INTO_A - pairs("x/b", "x/a")) | pairs("x/a")),
    ("egress denied although the server allows",
     [policy(pod="a", egress=[{"to": [namespaces(ns="y") | pods("a")]}]),
      policy("y", "a", ingress=[{"from": [namespaces(ns="x") | pods("a")]}]),
      policy("y", "b", ingress=[{"from": [namespaces(ns="x") | pods("a")]}], name="b")], 80, "TCP",
     (pairs("x/a") | pairs(target="y/a") | pairs(target="y/b")) - pairs("x/a", "y/a")),
    ("egress to a server of a different namespace", [policy(pod="a", egress=[{"to": [namespaces(ns="y") | pods("a")]}])],
     80, "TCP", pairs("x/a") - pairs("x/a", "y/a")),
    ("any port of a protocol, TCP", [policy(pod="a", ingress=[{"ports": [{"protocol": "TCP"}]}])], 80, "TCP", set()),
    ("any port of a protocol, UDP", [policy(pod="a", ingress=[{"ports": [{"protocol": "TCP"}]}])], 80, "UDP", INTO_A),
    ("ingress allow-all takes precedence, before", [policy(ingress=[{"ports": [{"port": 80}]}])], 81, "TCP",
     pairs(target="x/*")),
    ("ingress allow-all takes precedence", [policy(ingress=[{"ports": [{"port": 80}]}]), policy(ingress=[{}], name="all")],
     81, "TCP", set()),
    ("egress allow-all takes precedence, before", [policy(egress=[{"ports": [{"port": 80}]}])], 81, "TCP", pairs("x/*")),
    ("egress allow-all takes precedence", [policy(egress=[{"ports": [{"port": 80}]}]), policy(egress=[{}], name="all")],
     81, "TCP", set()),
    ("deleted policies", [], 80, "TCP", set()),
    ("egress to a CIDR block", [policy(pod="a", egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.12/32"}}]}])], 80, "TCP",
     pairs("x/a") - pairs("x/a", "y/b")),
    ("except clause", [policy(pod="a", egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/24", "except": [BLOCK_B]}}]}])], 80,
     "TCP", pairs("x/a", "x/b")),
    ("CIDR and Except of two policies overlap",
     [policy(pod="a", egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/24", "except": [BLOCK_B]}}]}]),
      policy(pod="a", egress=[{"to": [{"ipBlock": {"cidr": BLOCK_B}}]}], name="b")], 80, "TCP", set()),
    ("ingress and egress independently, egress", [policy(pod="a", egress=[{}])], 80, "TCP", set()),
    ("ingress and egress independently, both", [policy(pod="a", egress=[{}]), policy(pod="a", ingress=[], name="d")], 80,
     "TCP", INTO_A),
    ("SCTP is not TCP",
     [policy(ingress=[]), policy(pod="a", ingress=[{"ports": [{"port": 81, "protocol": "SCTP"}]}], name="sctp")], 81, "TCP",
     pairs(target="x/*")),
    ("SCTP isolates", [policy(pod="a", ingress=[{"ports": [{"port": 80, "protocol": "SCTP"}]}])], 81, "TCP", INTO_A),
    ("UDP is not TCP", [policy(pod="a", ingress=[{"ports": [{"port": 81, "protocol": "UDP"}]}])], 81, "TCP", INTO_A),
    ("UDP egress", [policy(pod="a", egress=[{"ports": [{"port": 80, "protocol": "UDP"}]}])], 80, "UDP", set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policies", "port", "protocol", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_the_evaluator_agrees_with_the_truth_table(
    policies: list[Any], port: int, protocol: str, expected: set[Pair]
) -> None:
    assert denied(policies, port, protocol) == expected


def test_labels_that_a_namespace_gets_later_open_the_way() -> None:
    rules = [policy(pod="a", ingress=[{"from": [namespaces(ns2="updated")]}])]
    assert denied(rules) == INTO_A
    from dataclasses import replace

    updated = {
        f"y/{pod}": replace(endpoint(f"y/{pod}"), namespace_labels={"ns": "y", "ns2": "updated"}) for pod in "abc"
    }
    assert denied(rules, changed=updated) == INTO_A - FROM_Y


def test_labels_that_a_pod_gets_later_open_or_close_the_way() -> None:
    wanted = {"podSelector": {"matchLabels": {"pod": "b", "pod2": "updated"}}}
    rules = [policy(pod="a", ingress=[{"from": [wanted]}])]
    assert denied(rules) == INTO_A
    assert denied(rules, changed={"x/b": endpoint("x/b", pod2="updated")}) == INTO_A - pairs("x/b", "x/a")
    closing = [policy(selector={"matchLabels": {"target": "isolated"}}, ingress=[])]
    assert denied(closing) == set()
    assert denied(closing, changed={"x/a": endpoint("x/a", target="isolated")}) == INTO_A
