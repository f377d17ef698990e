"""Documents that hold anything anywhere: rows of the declared types, or nothing; never an error."""

from __future__ import annotations

import tempfile
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_kit.normalise.context import Context
from incident_kit.normalise.kubernetes import normalise_kubernetes
from incident_kit.normalise.rabbitmq import normalise_rabbitmq
from incident_kit.normalise.raw import RawFolder
from incident_kit.profile import Profile
from incident_kit.tables import ALL
from incident_kit.window import Window
from tests.identity.bundles import connection, pod

KEYS = st.sampled_from(
    [
        "kind",
        "metadata",
        "name",
        "namespace",
        "uid",
        "labels",
        "annotations",
        "ownerReferences",
        "controller",
        "creationTimestamp",
        "deletionTimestamp",
        "spec",
        "containers",
        "initContainers",
        "image",
        "restartPolicy",
        "nodeName",
        "hostNetwork",
        "status",
        "phase",
        "conditions",
        "type",
        "lastTransitionTime",
        "containerStatuses",
        "state",
        "lastState",
        "terminated",
        "waiting",
        "running",
        "exitCode",
        "startedAt",
        "finishedAt",
        "containerID",
        "imageID",
        "restartCount",
        "podIP",
        "podIPs",
        "ip",
        "message",
        "reason",
        "involvedObject",
        "fieldPath",
        "count",
        "series",
        "eventTime",
        "node",
        "peer_host",
        "peer_port",
        "connected_at",
        "user_provided_name",
        "client_properties",
        "connection_name",
        "channels",
        "connection_details",
        "channel_details",
        "queue",
        "vhost",
        "leader",
        "members",
        "online",
        "partitions",
        "running",
        "uptime",
        "tags",
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "2026-11-20T10:00:00Z", "9999-99-99T00:00:00Z", "0001-01-01T00:00:00Z", "10.1.0.5:1 -> 10.0.0.1:5672", "x", "Pod", "Event"])
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


@st.composite
def damaged(draw, whole):
    """A sound document with anything in the place of some of its parts."""
    document = orjson.loads(orjson.dumps(whole))
    for _ in range(draw(st.integers(1, 4))):
        parent = document
        while isinstance(parent, dict) and parent:
            key = draw(st.sampled_from(sorted(parent)))
            if not isinstance(parent[key], dict) or draw(st.booleans()):
                parent[key] = draw(ANYTHING)
                break
            parent = parent[key]
    return document


def tables(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(orjson.dumps(content))
        context = Context(cluster="c", window=Window(start=0, end=1), captured_at=None, profile=Profile())
        raw = RawFolder(Path(folder))
        rows = normalise_kubernetes(raw, context) | normalise_rabbitmq(raw, context)
    for name, found in rows.items():
        ALL[name].arrow(found)  # refuses a wrong type
    return rows


NAMED = pod("a", ip="10.1.0.5", owner=("ReplicaSet", "a-7c9f8d6b5"))
EVENT = {
    "kind": "Event",
    "metadata": {"name": "e", "namespace": "shop"},
    "involvedObject": {"kind": "Pod", "name": "a"},
    "count": 1,
    "series": {"count": 2},
}


@settings(max_examples=60)
@given(st.lists(damaged(NAMED) | damaged(EVENT) | ANYTHING, max_size=4))
def test_any_kubernetes_list_becomes_rows_of_the_declared_types(items):
    tables({"kubernetes/pods.json": {"kind": "List", "items": items}, "kubernetes/events.json": items})


@settings(max_examples=60)
@given(st.lists(damaged(connection("10.1.0.5", 1, "10:10:00")) | ANYTHING, max_size=4))
def test_any_rabbitmq_list_becomes_rows_of_the_declared_types(items):
    tables(
        {
            f"rabbitmq/{name}.json": items
            for name in ("overview", "nodes", "connections", "channels", "consumers", "queues", "whoami")
        }
    )


def test_an_object_nested_beyond_reason_is_a_gap_and_not_an_error():
    deep: object = "x"
    for _ in range(200):
        deep = {"a": deep}
    assert (
        len(
            tables(
                {
                    "kubernetes/pods.json": {
                        "kind": "List",
                        "items": [NAMED, {**NAMED, "metadata": {"name": "deep", "uid": "d"}, "spec": deep}],
                    }
                }
            )["pods"]
        )
        >= 1
    )
