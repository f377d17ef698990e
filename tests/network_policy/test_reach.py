"""May this pod reach that server: now, before the policy was made, and before it changed where an earlier bundle knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from incident_kit.answers.reach import reach
from incident_kit.errors import NotFoundError
from tests.changes.bundles import evidence_of, rfc
from tests.changes.objects import application, operation, pod, result, service, sync, written

DNS = {"ports": [{"port": 53, "protocol": "UDP"}]}
TO_BROKER = {"to": [{"podSelector": {"matchLabels": {"app": "rabbitmq"}}}], "ports": [{"port": "amqp"}]}


def labelled(name: str, app: str, *ports: dict[str, Any]) -> dict[str, Any]:
    made = pod(name, "08:00", ip=f"10.2.0.{len(app)}")
    made["metadata"]["labels"] = {"app": app}
    made["spec"]["containers"][0]["ports"] = list(ports)
    return made


def policy(created: str, *egress: dict[str, Any], changed: str | None = None) -> dict[str, Any]:
    writes = [written("argocd-controller", changed or created, "spec.egress")]
    metadata = {"name": "out", "namespace": "shop", "creationTimestamp": rfc(created), "managedFields": writes}
    spec = {"podSelector": {"matchLabels": {"app": "orders"}}, "policyTypes": ["Egress"], "egress": list(egress)}
    return {"kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


WORLD = [
    labelled("orders-1", "orders"),
    labelled("rabbitmq-0", "rabbitmq", {"name": "amqp", "containerPort": 5672}),
    service("rabbitmq", {"app": "rabbitmq"}, [{"port": 5672, "targetPort": "amqp"}]),
    service("web", {"app": "rabbitmq"}, [{"port": 80, "targetPort": 8080}]),
]


def asked(*objects: dict[str, Any], to: str | None = "rabbitmq", **more: Any) -> dict[str, Any]:
    found = reach("shop/orders-1", evidence_of(*WORLD, *objects), to, **more).to_dict("records")
    return {key: None if np.ndim(value) == 0 and pd.isna(value) else value for key, value in found[0].items()}


def test_a_named_port_is_allowed_and_another_service_is_not() -> None:
    row = asked(policy("09:00", TO_BROKER, DNS))
    assert (row["allowed"], row["before"], list(row["policies"])) == (True, True, ["shop/out"])
    assert asked(policy("09:00", TO_BROKER), to="web")["allowed"] is False


def test_a_policy_that_was_made_says_what_was_so_before_it() -> None:
    row = asked(policy("09:00", DNS))
    assert (row["allowed"], row["before"], row["since"]) == (False, True, pd.Timestamp("2026-11-23T09:00:00Z"))


def test_what_a_changed_policy_said_before_only_an_earlier_bundle_knows() -> None:
    now = policy("08:00", DNS, changed="10:00")
    assert asked(now)["before"] is None
    earlier = evidence_of(*WORLD, policy("08:00", TO_BROKER, DNS))
    assert asked(now, earlier=earlier)["before"] is True
    assert asked(now, to=None, earlier=earlier)["allowed"] is False


def test_policies_that_nobody_captured_give_no_answer() -> None:
    row = asked()
    assert row["allowed"] is None and "no networkpolicies" in str(row["reason"])


def test_an_unknown_service_is_named() -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        asked(policy("09:00"), to="nowhere")
    with pytest.raises(NotFoundError, match=r"Near: shop/rabbitmq\."):
        asked(policy("09:00"), to="other/rabbitmq")


def test_a_service_of_another_protocol_is_answered_for_that_protocol() -> None:
    resolver = labelled("coredns-0", "kube-dns", {"name": "dns", "containerPort": 53, "protocol": "UDP"})
    dns = service("kube-dns", {"app": "kube-dns"}, [{"port": 53, "protocol": "UDP"}])
    row = asked(resolver, dns, policy("09:00", DNS), to="kube-dns")
    assert (row["allowed"], row["system"]) == (True, "port 53 UDP")
    assert asked(resolver, dns, policy("09:00", TO_BROKER), to="kube-dns")["allowed"] is False


def test_that_a_pod_reaches_itself_says_nothing_of_the_others_behind_its_service() -> None:
    own = service("orders", {"app": "orders"}, [{"port": 80, "targetPort": 8080}])
    assert asked(own, policy("09:00", DNS), to="orders")["allowed"] is True
    assert asked(own, labelled("orders-2", "orders"), policy("09:00", DNS), to="orders")["allowed"] is False


def test_of_several_behind_a_service_it_is_told_how_many_can_be_reached() -> None:
    tier = [labelled(name, "web") for name in ("web-1", "web-2")]
    tier[0]["metadata"]["labels"]["open"] = "yes"
    row = asked(
        *tier,
        service("site", {"app": "web"}),
        policy("09:00", {"to": [{"podSelector": {"matchLabels": {"open": "yes"}}}]}),
        to="site",
    )
    assert row["allowed"] is True and "1 of 2" in str(row["reason"])


def test_a_nameless_port_has_an_empty_name_in_slices() -> None:
    outside = service("elastic", None, [{"port": 9200}])
    metadata = {"name": "elastic-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "elastic"}}
    part = {
        "kind": "EndpointSlice",
        "metadata": metadata,
        "endpoints": [{"addresses": ["10.50.0.5"]}],
        "ports": [{"name": "", "port": 9200}],
    }
    block = {"to": [{"ipBlock": {"cidr": "10.50.0.0/16", "except": ["10.50.1.0/24"]}}]}
    assert asked(outside, part, policy("09:00", block), to="elastic")["allowed"] is True


def test_what_is_denied_since_a_policy_was_pruned_is_denied_since_then() -> None:
    gone = [result("NetworkPolicy", "allow-amqp", "pruned", "Pruned")]
    app = application("netpol", sync(1, "10:00", identifier=0), operation=operation(1, "10:00", gone))
    evidence = evidence_of(*WORLD, policy("08:00", DNS), applications=[app])
    row = reach("shop/orders-1", evidence, "rabbitmq").astype(object).iloc[0]
    assert (row["allowed"], pd.isna(row["before"])) == (False, True)
    assert row["since"] == pd.Timestamp("2026-11-23T10:00:00Z") and "allow-amqp was removed" in row["reason"]
