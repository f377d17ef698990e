"""A made-up incident of any size, as the answers would give it: frames with the declared columns."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd

from incident_kit.present.material import COUNTS, SLICES, Material
from incident_kit.tables.answers import CHANGES, CONSOLE_ONLY, RABBIT
from incident_kit.tables.kubernetes import CONTAINERS, PODS
from incident_kit.window import SECOND, Window

WINDOW = Window.parse("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z")
MINUTE = 60 * SECOND
START, END = WINDOW.start, WINDOW.end
NODES = ("rabbit@broker-0", "rabbit@broker-1", "rabbit@broker-2")
HOSTILE = "evil-$\\alpha_{1}$-\x1b[31m<script>-\u202e"


def an_incident(pods: int = 3, *, name=None, seed: int = 7) -> Material:
    """Pods of services with two versions, an out-of-memory kill, an outage of shipping, a broker node lost."""
    chance = random.Random(seed)
    frames = {"pods": [], "instances": [], "entries": [], "connections": []}
    for index in range(pods):
        _add_pod(frames, index, name or f"{_service(index)}-7c9f8d6b{index % 9}-{chance.randrange(16**5):05x}", chance)
    return Material(
        start=START,
        end=END,
        pods=PODS.frame(frames["pods"]),
        instances=CONTAINERS.frame(frames["instances"]),
        counts=count_entries(CONSOLE_ONLY.frame(frames["entries"]), START, END),
        connections=RABBIT.frame(frames["connections"]),
        rabbit_nodes=NODES,
        changes=CHANGES.frame(some_changes()),
    )


def count_entries(entries: pd.DataFrame, start: int, end: int) -> pd.DataFrame:
    """COUNTS of verdict rows, as a notebook would count them: per pod, slice of the window, verdict and cause."""
    times = entries["time"].to_numpy("datetime64[ns]").view("int64")
    inside = entries["time"].notna().to_numpy() & (times >= start) & (times < end)
    kept = entries.loc[inside, ["namespace", "pod", "side", "verdict", "cause"]]
    slices = np.minimum((times[inside] - start) // max((end - start) // SLICES, 1), SLICES - 1)
    keys = ["namespace", "pod", "slice", "side", "verdict", "cause"]
    counted = kept.assign(slice=slices).groupby(keys, dropna=False, observed=True).size()
    return COUNTS.conform(counted.rename("count").reset_index())


def _service(index: int) -> str:
    return ("orders-api", "orders-service", "billing-service", "quotes-api", "ledger-jobs", "notifier")[index % 6]


def _add_pod(frames, index, pod, chance):
    service, uid = _service(index), f"uid-{index}"
    created = START - 20 * MINUTE + (index // 6 % 10) * 5 * MINUTE
    end = END if index % 5 else START + 50 * MINUTE
    identity = {"namespace": "shop", "pod": pod, "pod_uid": uid}
    frames["pods"].append(
        {
            **identity,
            "created_at": created,
            "deleted_at": None if end == END else end,
            "workload_kind": "Deployment",
            "workload": service,
            "pod_ips": [f"10.88.0.{20 + index % 11}"],
            "node": f"node-{index % 3}",
        }
    )
    kill = START + (23 + index % 7) * MINUTE if index % 3 == 0 else None
    image = f"registry.example/shop/{service}:1.{4 + (index % 2)}.2"
    first = {
        **identity,
        "container": "app",
        "container_type": "app",
        "restart_count": 0,
        "image": image,
        "started_at": created + 4 * SECOND,
        "finished_at": kill or (None if end == END else end),
    }
    frames["instances"].append(
        {
            **first,
            "reason": "OOMKilled" if kill else (None if end == END else "Completed"),
            "exit_code": 137 if kill else None,
        }
    )
    if kill:
        frames["instances"].append({**first, "restart_count": 1, "started_at": kill + 20 * SECOND, "finished_at": None})
    for _ in range(300):
        time = chance.randrange(max(created, START), end)
        outage = START + 30 * MINUTE < time < START + 36 * MINUTE
        frames["entries"].append(
            {
                "time": time,
                "side": "console",
                "namespace": "shop",
                "pod": pod,
                "container": "app",
                "level": "info",
                "text": "Order 17 accepted",
                "verdict": "console_only" if outage else "matched",
                "cause": "shipping_outage" if outage else None,
                "confidence": 0.9,
            }
        )
    lost = START + 40 * MINUTE if index % 3 == 1 else None
    link = {
        **identity,
        "user_provided_name": pod,
        "peer_host": f"10.88.0.{20 + index % 11}",
        "peer_port": 40000 + index,
        "match": "client_name",
    }
    frames["connections"].append(
        {
            **link,
            "rabbit_node": NODES[index % 3],
            "connection": f"c{index}",
            "connected_at": max(created, START) + MINUTE,
            "closed_at": lost,
            "close_reason": "connection_closed_abruptly" if lost else None,
        }
    )
    if lost:
        frames["connections"].append(
            {**link, "rabbit_node": NODES[0], "connection": f"d{index}", "connected_at": lost + 30 * SECOND}
        )


def some_changes():
    def change(minute, what, kind, name, application, **more):
        return {
            "time": START + int(minute * MINUTE),
            "what": what,
            "kind": kind,
            "namespace": "shop",
            "name": name,
            "application": application,
            "evidence": ["operationState"],
            "observed": True,
            **more,
        }

    return [
        change(
            4,
            "sync",
            "Application",
            "orders-api",
            "rootapp/rootapp-applications/orders-api",
            by="pipeline",
            automated=False,
            old="1.4.1",
            new="1.4.2",
        ),
        change(
            4.2,
            "image",
            "Deployment",
            "orders-api",
            "rootapp/rootapp-applications/orders-api",
            old="orders-api:1.4.1",
            new="orders-api:1.4.2",
        ),
        change(12, "config", "ConfigMap", "orders-settings", "rootapp/rootapp-configmaps", by="argocd", automated=True),
        change(
            21,
            "rollback",
            "Application",
            "orders-api",
            "rootapp/rootapp-applications/orders-api",
            by="alice",
            undone_by="sync at 08:41 by pipeline",
        ),
        change(
            24,
            "network_policy",
            "NetworkPolicy",
            "allow-broker",
            "rootapp/rootapp-networkpolicy",
            by="argocd",
            automated=True,
        ),
        change(41, "sync", "Application", "orders-api", "rootapp/rootapp-applications/orders-api", by="pipeline"),
        change(
            43, "deploy_restart", "Deployment", "billing-service", "rootapp/rootapp-applications/billing", by="alice"
        ),
        change(52, "job", "Job", "ledger-nightly-28901", None, by="alice"),
    ]
