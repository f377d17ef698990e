"""What the documentation of NetworkPolicies says beyond the e2e truth tables."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_kit.correlate.network_policy import Endpoint, external, may_connect
from incident_kit.correlate.network_policy.selectors import selects
from tests.network_policy.cluster import EVERY, denied, endpoint, pairs, pods, policy

A, B = endpoint("x/a"), endpoint("x/b")


@pytest.mark.parametrize(
    ("port", "allowed"), [(31999, False), (32000, True), (32500, True), (32768, True), (32769, False)]
)
def test_end_port_is_inclusive(port: int, allowed: bool) -> None:
    rules = [policy(pod="a", egress=[{"ports": [{"protocol": "TCP", "port": 32000, "endPort": 32768}]}])]
    assert may_connect(A, B, port, rules).allowed is allowed


def test_without_policy_types_egress_counts_only_when_there_are_egress_rules() -> None:
    ingress_only = policy(pod="a", types=[])
    with_egress = policy(pod="a", egress=[{"to": [pods("c")]}], types=[])
    assert may_connect(A, B, 80, [ingress_only]).allowed is True
    assert may_connect(B, A, 80, [ingress_only]).allowed is False
    assert may_connect(A, B, 80, [with_egress]).allowed is False


def test_an_empty_from_or_to_means_every_peer() -> None:
    rules = [policy(ingress=[{"from": [], "ports": [{"port": 80}]}])]
    assert denied(rules) == set()
    assert denied(rules, port=81) == pairs(target="x/*")


def test_a_pod_always_reaches_itself() -> None:
    assert may_connect(A, A, 80, [policy(ingress=[], egress=[])]).allowed is True


def test_pods_on_the_hosts_network_are_not_selected_but_their_address_counts() -> None:
    on_host = Endpoint(name="agent", namespace="x", labels={"pod": "b"}, addresses=("192.168.1.7",), host_network=True)
    assert may_connect(on_host, B, 80, [policy(egress=[])]).allowed is True
    assert may_connect(on_host, A, 80, [policy(pod="a", ingress=[{"from": [pods("b")]}])]).allowed is False
    block = {"ipBlock": {"cidr": "192.168.1.0/24"}}
    assert may_connect(on_host, A, 80, [policy(pod="a", ingress=[{"from": [block]}])]).allowed is True


def test_address_families_do_not_mix() -> None:
    six = external("2001:db8::5")
    assert (
        may_connect(A, six, 443, [policy(pod="a", egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])]).allowed
        is False
    )
    assert may_connect(
        A, six, 443, [policy(pod="a", egress=[{"to": [{"ipBlock": {"cidr": "2001:db8::/32"}}]}])]
    ).allowed


def test_an_unknown_address_gives_no_answer_where_one_would_be_needed() -> None:
    nowhere = Endpoint(name="RabbitMQ", unknown=True)
    by_block = [policy(pod="a", egress=[{"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}])]
    only_dns = [policy(pod="a", egress=[{"ports": [{"port": 53, "protocol": "UDP"}]}])]
    assert may_connect(A, nowhere, 5672, by_block).allowed is None
    assert may_connect(A, nowhere, 5672, only_dns).allowed is False


def test_a_denial_names_the_policies_that_isolate() -> None:
    decision = may_connect(A, B, 80, [policy(egress=[], name="deny"), policy("y", egress=[], name="other")])
    assert (decision.denied_side, decision.isolating) == ("egress", ("x/deny",))


_LABELS = st.dictionaries(st.sampled_from(["pod", "tier", "team"]), st.sampled_from(["a", "b", "c"]), max_size=3)
_PEERS = st.sampled_from([
    pods("a"), pods("b"), {"podSelector": {}}, {"namespaceSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/28"}},
    {"namespaceSelector": {"matchLabels": {"ns": "y"}}, "podSelector": {}},
])  # fmt: skip
_RULES = st.lists(
    st.fixed_dictionaries({"from": st.lists(_PEERS, max_size=2), "to": st.lists(_PEERS, max_size=2)}), max_size=2
)


@st.composite
def _policies(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [
        policy(
            draw(st.sampled_from("xyz")),
            draw(st.sampled_from(["a", "b", None])),
            ingress=draw(_RULES),
            egress=draw(_RULES),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]


@given(_policies(), st.sampled_from(EVERY), st.sampled_from(EVERY))
def test_a_rule_more_never_takes_a_way_away(rules: list[dict[str, Any]], source: str, target: str) -> None:
    """A rule added to every policy: what was allowed stays allowed, and each direction it opens is open."""
    wider = [{**p, "spec": {**p["spec"], "ingress": [*p["spec"]["ingress"], {"ports": [{"port": 80}]}]}} for p in rules]
    before = may_connect(endpoint(source), endpoint(target), 80, rules)
    after = may_connect(endpoint(source), endpoint(target), 80, wider)
    assert after.allowed or (before.denied_side == "egress" and after.denied_side == "egress")


@given(_policies())
def test_the_order_of_policies_does_not_matter(rules: list[dict[str, Any]]) -> None:
    assert denied(rules) == denied(list(reversed(rules)))


@given(_LABELS, st.sampled_from(["pod", "tier"]), st.lists(st.sampled_from(["a", "b"]), min_size=1))
def test_in_and_not_in_are_opposites_and_so_are_exists_and_does_not_exist(
    labels: dict[str, str], key: str, values: list[str]
) -> None:
    def holds(operator: str, **more: Any) -> bool:
        return selects({"matchExpressions": [{"key": key, "operator": operator, **more}]}, labels)

    assert holds("In", values=values) is not holds("NotIn", values=values)
    assert holds("Exists") is not holds("DoesNotExist")
