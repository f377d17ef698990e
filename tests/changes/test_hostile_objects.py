"""Objects with fields missing, null or of another type than the API promises break no answer and hide nothing else."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from incident_kit.answers.changes import changes
from incident_kit.answers.findings import findings
from tests.changes.bundles import evidence_of
from tests.changes.objects import (
    application,
    config_map,
    cron_job,
    deployment,
    event,
    job,
    operation,
    pod,
    replica_set,
    result,
    service,
    sync,
    template,
    written,
)

_READER = template(
    envFrom=[{"configMapRef": {"name": "c"}}],
    env=[{"name": "RABBITMQ_HOST", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    volumeMounts=[{"name": "v", "subPath": "LOG_LEVEL"}], ports=[{"name": "amqp", "containerPort": 5672}],
)  # fmt: skip
_READER["spec"]["volumes"] = [{"name": "v", "configMap": {"name": "c", "items": [{"key": "LOG_LEVEL", "path": "x"}]}}]
_OWNER = replica_set("orders", 2, "09:00", _READER, history="1")
_POLICY = {
    "kind": "NetworkPolicy", "metadata": {"name": "n", "namespace": "shop", "uid": "n", "creationTimestamp": "2026-11-23T10:00:00Z"},
    "spec": {"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["orders-api"]}]},
             "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": [{"port": "amqp", "endPort": 9}]}],
             "egress": [], "policyTypes": ["Ingress", "Egress"]},
}  # fmt: skip
_INGRESS = {
    "kind": "Ingress", "metadata": {"name": "w", "namespace": "shop", "uid": "w"},
    "spec": {"rules": [{"http": {"paths": [{"path": "/", "backend": {"service": {"name": "x", "port": {"number": 1}}}}]}}]},
}  # fmt: skip
OBJECTS: list[dict[str, Any]] = [
    deployment("orders", _READER, written("kubectl-set", "10:00", "spec.template"), application="orders-api"), _OWNER,
    replica_set("orders", 1, "08:00", template("r/o:1")), pod("orders-1", "09:30", _READER, owner=_OWNER, previous=("09:00", "09:29")),
    config_map("c", "06:00", written("kubectl-edit", "10:00", "data.LOG_LEVEL")), cron_job("n", "0 * * * *", last="09:00", suspend=False),
    job("n-1", "10:00", "10:10", cron="n", scheduled="10:00", manual=True), service("orders", {"app": "orders-api"}, [{"port": 5672}]),
    event("Job", "gone", "SuccessfulCreate", "Created pod: gone-x", "10:07"), _POLICY, _INGRESS,
]  # fmt: skip
APPLICATIONS = [
    application("orders-api", sync(1, "08:00", identifier=0), sync(2, "09:00", identifier=1), sync(1, "09:30", identifier=2),
                resources=[{"kind": "Deployment", "name": "orders", "namespace": "shop", "status": "OutOfSync", "requiresPruning": True}],
                operation=operation(2, "10:00", [result("Deployment", "orders", "unchanged", images=["r/o:1"])])),
    application("orders-service", sync(2, "08:50", identifier=0), parent="orders-api"),
]  # fmt: skip

_JUNK = st.sampled_from(
    [
        None,
        "",
        "x",
        0,
        -1,
        True,
        [],
        {},
        [None],
        [1],
        ["a"],
        {"a": None},
        {"a": {"b": []}},
        2**70,
        "9999-99-99T00:00:00Z",
    ]
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, child in children for p in _paths(child, (*path, key)))] if path else [
        p for key, child in children for p in _paths(child, (key,))
    ]  # fmt: skip


_EVERYTHING = {"objects": OBJECTS, "applications": APPLICATIONS}
_PLACES = [p for p in _paths(_EVERYTHING) if len(p) > 2 and p[2] != "kind"]


@settings(max_examples=25)
@example([(("objects", 7, "spec", "ports", 0, "port"), {"a": None})])
@example([(("applications", 0, "status", "resources", 0, "namespace"), [None])])
@given(st.lists(st.tuples(st.sampled_from(_PLACES), _JUNK), min_size=1, max_size=6))
def test_any_field_may_hold_anything(faults: list[tuple[tuple[Any, ...], Any]]) -> None:
    broken = copy.deepcopy(_EVERYTHING)
    for path, junk in faults:
        here: Any = broken
        for key in path[:-1]:
            here = (
                here[key]
                if (isinstance(here, dict) and key in here)
                or (isinstance(here, list) and isinstance(key, int) and key < len(here))
                else None
            )
        if isinstance(here, dict) or (isinstance(here, list) and isinstance(path[-1], int) and path[-1] < len(here)):
            here[path[-1]] = junk
    spared = config_map("spared", "06:00", written("kubectl-edit", "10:30", "data.TIMEOUT"))
    evidence = evidence_of(spared, *[o for o in broken["objects"] if o], applications=broken["applications"])
    told = changes(evidence)
    # What is broken takes nothing away from what is not.
    kept = told[(told["name"] == "spared") & (told["what"] == "config")]
    assert kept[["new", "by"]].to_numpy().tolist() == [["data keys TIMEOUT", "kubectl-edit"]]
    found = findings(evidence)
    assert set(found["severity"]) <= {"critical", "warning", "info"}
    assert found["confidence"].between(0, 1).all()
