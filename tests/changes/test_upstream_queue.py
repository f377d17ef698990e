"""Changes of workloads that publish to what the symptom's pod consumes, on what a real broker told in either rates mode.

The clients of the recordings, all named like pods: ``orders`` consumes queue orders.q of virtual host shop, which is bound
to exchange orders, which is bound to exchange front. ``api`` and ``orders`` itself publish to exchange orders, ``relay`` to
front, ``audit`` to an exchange that is bound to another queue, ``mailer`` to the default exchange, ``ledger`` to an exchange
orders of virtual host billing; ``quiet`` is connected to shop and publishes nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from incident_kit.answers.trace import trace
from incident_kit.correlate.changes.preceding import Preceding, preceding_changes
from incident_kit.correlate.frames import plain
from incident_kit.correlate.rabbitmq.publishers import upstreams
from incident_kit.evidence import Evidence
from tests.changes.bundles import at, evidence_of
from tests.changes.objects import deployment, pod, replica_set, template

RECORDINGS = Path(__file__).parents[1] / "recordings" / "rabbitmq"
PUBLISHERS = ("api", "relay", "audit", "mailer", "ledger", "quiet")
BOUND = "publishes to exchange {}, bound to queue orders.q of virtual host shop"


def lists(mode: str) -> dict[str, list[dict[str, Any]]]:
    """A recording, moved to the day of the tests."""
    found: dict[str, Any] = json.loads((RECORDINGS / f"publishers_{mode}.json").read_text())["body"]
    for connection in found["connections"]:
        connection["connected_at"] = at("11:00") // 1_000_000
    return found


def evidence(rabbitmq: dict[str, Any]) -> Evidence:
    """The broker's lists beside the pods: each publisher's image changed at 09:00, that of orders at 08:30."""
    objects: list[dict[str, Any]] = []
    for name in (*PUBLISHERS, "orders"):
        changed = "08:30" if name == "orders" else "09:00"
        made, revision = template(f"r/{name}:2"), 2 if name == "orders" else 1
        owner = replica_set(name, revision, changed, made)
        previous = ("08:31", "09:59") if name == "orders" else None
        objects += [
            deployment(name, made), replica_set(name, revision + 7, "07:00", template(f"r/{name}:1")), owner,
            pod(f"{name}-{revision}-x", "10:00" if previous else "09:01", made, owner=owner, previous=previous),
        ]  # fmt: skip
    return evidence_of(*objects, rabbitmq=rabbitmq)


def by_name(bundle: Evidence, **subject: Any) -> dict[str, Preceding]:
    """The first image change of each workload before the restart of orders."""
    found = preceding_changes(bundle, at("10:00"), namespace="shop", limit=100, **subject)
    changes = [p for p in found if p.change.kind == "Deployment" and p.change.what == "image"]
    return {p.change.name: p for p in reversed(changes)}


@pytest.mark.parametrize("subject", [{"pod": "orders-2-x"}, {"workload": ("Deployment", "orders")}])
def test_who_publishes_to_an_exchange_bound_to_the_queue_is_upstream(subject: dict[str, Any]) -> None:
    found = by_name(evidence(lists("detailed")), **subject)
    assert {name: (p.path, p.via) for name, p in found.items()} == {
        "api": ("upstream queue", BOUND.format("orders")),
        "relay": ("upstream queue", BOUND.format("front")),  # through a binding between exchanges
        "mailer": (
            "same virtual host",
            "publishes to virtual host shop of queue orders.q through the default exchange, to which queue is not known",
        ),
        "orders": ("same workload", None),  # publishes to its own queue
        "audit": ("same namespace", None),  # its exchange is bound to another queue
        "ledger": ("same namespace", None),  # an exchange of that name in another virtual host
        "quiet": ("same namespace", None),
    }
    assert f"before (upstream queue, api {BOUND.format('orders')}): image of Deployment api" in found["api"].sentence()


def test_in_basic_mode_a_publisher_shares_a_virtual_host_and_no_more_is_said() -> None:
    found = by_name(evidence(lists("basic")), pod="orders-2-x")
    assert {name: p.path for name, p in found.items()} == {
        "api": "same virtual host",
        "relay": "same virtual host",
        "mailer": "same virtual host",
        "audit": "same virtual host",
        "orders": "same workload",
        "ledger": "same namespace",
        "quiet": "same namespace",
    }
    told = {p.via for p in found.values() if p.path == "same virtual host"}
    assert told == {"publishes to virtual host shop of queue orders.q, to which exchange is not known"}


def test_a_trace_ranks_upstream_after_the_pods_own_and_names_exchange_and_queue() -> None:
    rows = trace("shop/orders-2-x", evidence(lists("detailed")))["preceding"].to_dict("records")
    assert {(r["path"], r["name"], plain(r["via"])) for r in rows} == {
        ("same workload", "orders", None),
        ("upstream queue", "api", BOUND.format("orders")),
        ("upstream queue", "relay", BOUND.format("front")),
    }


def test_without_bindings_nobody_is_upstream() -> None:
    kept = {name: rows for name, rows in lists("detailed").items() if name != "bindings"}
    assert not any(one.bound for one in upstreams(evidence(kept)))


def test_details_of_channels_tell_the_same_as_details_of_exchanges() -> None:
    whole = lists("detailed")
    exchanges = whole.pop("exchanges")
    for exchange in exchanges:
        for publisher in exchange["incoming"]:
            channel = next(c for c in whole["channels"] if c["name"] == publisher["channel_details"]["name"])
            target = {"exchange": {k: exchange[k] for k in ("name", "vhost")}, "stats": publisher["stats"]}
            channel.setdefault("publishes", []).append(target)
    assert upstreams(evidence(whole)) == upstreams(evidence(lists("detailed")))


def test_only_the_consumers_of_the_queue_have_somebody_upstream() -> None:
    found = upstreams(evidence(lists("detailed")))
    assert {one.consumer for one in found} == {("Deployment", "shop", "orders")}
    assert by_name(evidence(lists("detailed")), pod="quiet-1-x")["api"].path == "same namespace"


def test_missing_lists_of_publishers_are_no_gap() -> None:
    assert evidence(lists("basic")).manifest.gaps == evidence(lists("detailed")).manifest.gaps
