"""The first incident, from the first sync to the last log line, in about five minutes."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from tests.lab.scenario import node, services
from tests.lab.scenario.actions import Actions
from tests.lab.scenario.keeper import ConsoleKeeper, ObjectWatch
from tests.lab.scenario.lab import LAB, NAMESPACE, TRUTH, Lab, until
from tests.lab.scenario.repository import Repository, application
from tests.lab.services.build import build
from tests.lab.services.images import Registry, push_all

RELEASE_ORDER = (
    "orders-api",
    "orders-service",
    "orders-jobs",
    "payments-api",
    "payments-service",
    "notifications",
    "pricing",
    "reports",
    "node-agent",
)
ARRIVAL_SECONDS = 15  # what was logged last has arrived by then, or never will
EXPECTED_PODS = {
    "orders-api": 2,
    "orders-service": 1,
    "payments-api": 1,
    "payments-service": 2,
    "notifications": 1,
    "pricing": 2,
    "reports": 1,
    "node-agent": 1,
}


def prepare(lab: Lab) -> Repository:
    """Build, push, empty the namespace and the indices, lay out the node's folders and the repository."""
    built = build(LAB / "services")
    digests = push_all(Registry(lab.facts["kubernetes"]["registry"]), built, services.VERSIONS)
    remove(lab)
    shutil.rmtree(TRUTH, ignore_errors=True)
    for folder in ("console", "objects"):
        (TRUTH / folder).mkdir(parents=True)
    (TRUTH / "images.json").write_text(json.dumps(digests, indent=1))
    node.lay_out(built, TRUTH)
    _index_templates(lab)
    gateway = lab.facts["kubernetes"]["gateway"]
    argocd = lab.facts["argocd"]
    return Repository(
        bare=Path(argocd["repository"]),
        worktree=TRUTH / "worktree",
        url=argocd.get("repository_url") or f"file://{argocd['repository']}",
        broker_addresses=[f"{gateway}:{node['amqp_port']}" for node in lab.facts["rabbitmq"]["nodes"]],
        elastic_url=lab.elasticsearch["pod_url"],
    )


def remove(lab: Lab) -> None:
    """Take an earlier run away: Applications first, then what they deployed, then documents and queues."""
    lab.kubectl("-n", "argocd", "delete", "applications", "--all", "--ignore-not-found")
    lab.make_anew(NAMESPACE)
    for queue in lab.rabbit("/queues/shop", user="admin"):
        lab.rabbit(f"/queues/shop/{queue['name']}", user="admin", method="DELETE")
    for broker in lab.facts["rabbitmq"]["nodes"]:
        os.truncate(broker["log"], 0)  # a recording holds its own incident, not the ones before
    for index in lab.elastic("GET", "/logs-shop-*/_settings") or {}:
        lab.elastic("DELETE", f"/{index}")


def _index_templates(lab: Lab) -> None:
    """Map what the services send; carrier_code is a number here, which a later release does not know."""
    text = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
    keyword = {"type": "keyword"}
    properties = {
        "@timestamp": {"type": "date"},
        "message": {"type": "text"},
        "level": keyword,
        "podName": keyword,
        "log": {"properties": {"level": keyword, "logger": keyword}},
        "kubernetes": {"properties": {"pod": {"properties": {"name": keyword}}}},
        "fields": {"properties": {"podName": keyword, "carrier_code": {"type": "long"}, "SourceContext": keyword}},
        "messageTemplate": text,
    }
    body = {
        "index_patterns": ["logs-shop-*"],
        "template": {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"},
            "mappings": {"properties": properties},
        },
    }
    lab.elastic("PUT", "/_index_template/logs-shop", body)


def secrets(lab: Lab) -> None:
    """Give the pods their credentials, made for this lab."""
    body = {
        "name": "shop-writer",
        "role_descriptors": {
            "writer": {
                "index": [
                    {"names": ["logs-shop-*"], "privileges": ["create_doc", "create_index", "auto_configure", "write"]}
                ]
            }
        },
    }
    authorization = ""
    if lab.elasticsearch.get("password"):
        authorization = "ApiKey " + lab.elastic("POST", "/_security/api_key", body)["encoded"]
    values = {"elastic": authorization, "broker": lab.facts["rabbitmq"]["users"]["app"]}
    lab.apply(
        *(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "stringData": {"value": value},
            }
            for name, value in values.items()
        )
    )


class Incident:
    """The course of events; each method is one act."""

    def __init__(self, lab: Lab, repository: Repository) -> None:
        self.lab, self.repository = lab, repository
        self.actions = Actions(lab)

    def deploy(self) -> None:
        """Everything at its first version, synced by the pipeline in release order."""
        self.repository.seed()
        secrets(self.lab)
        root = application("rootapp", "root", self.repository.url, automated=True, namespace="argocd")
        self.lab.apply(root)
        names = {*RELEASE_ORDER, "orders-config", "payments-config", "shop-netpol"}
        self.lab.await_applications(names)
        for name in ("orders-config", "payments-config"):
            until(lambda name=name: self._exists("configmap", name), seconds=120, what=f"ConfigMap {name}")
        for name in RELEASE_ORDER:
            self.actions.sync(name, "ci", new=self.repository.versions[name])
        for name, count in EXPECTED_PODS.items():
            self.actions.ready(name, count)

    def _exists(self, kind: str, name: str) -> bool:
        return bool(self.lab.kubectl("-n", NAMESPACE, "get", kind, name, "--ignore-not-found", "-o", "name").strip())

    def release(self) -> None:
        """payments 1.5.0 leaks and logs a value that the mapping refuses."""
        self.repository.set_version("payments-api", "1.5.0")
        self.repository.set_version("payments-service", "2.1.0")
        self.repository.commit("Release payments 1.5.0")
        self.actions.sync("payments-api", "ci", old="1.4.2", new="1.5.0")
        self.actions.sync("payments-service", "ci", old="2.0.1", new="2.1.0")
        self.actions.ready("payments-service", 2, image="payments-service:2.1.0")

    def change_config(self) -> None:
        """A time-out changes in Git, autosync brings it, nobody restarts orders-api."""
        self.repository.set_config("orders-config", TIMEOUT="5")
        self.actions.config_synced(
            lambda: self.repository.commit("Shorten the time-out of orders"),
            "orders-config", "orders-config", "TIMEOUT", "5",
        )  # fmt: skip

    def bursts(self) -> None:
        """A burst over a small queue, and one that makes the kubelet rotate a console."""
        self.actions.order("pricing-0", do="burst", count=2500)
        notifications = self.actions.pods("notifications")[0]["metadata"]["name"]
        self.actions.order(notifications, do="burst", count=4000)

    def out_of_memory(self) -> dict[str, Any]:
        """Wait for the leak to be killed; its last entries were not flushed.

        Now and then the runtime misses why a container ended, and the kubelet says Error: such an end is remembered as
        what it was called, and another one is waited for, which comes with the next minute.
        """
        for _attempt in range(4):
            pod = self.actions.ready("payments-api", 1, image="payments-api:1.5.0")[0]
            if self.actions.restart_by(pod["metadata"]["name"], "OOMKilled", lambda: None) == "OOMKilled":
                return pod
        raise RuntimeError("payments-api ended four times, and never for its memory by the kubelet's word")

    def roll_back(self) -> None:
        """alice rolls payments-api back to the version before."""
        history = self.lab.application("payments-api")["status"]["history"]
        self.actions.rollback("payments-api", history[-2]["id"], "alice", old="1.5.0", new="1.4.2")
        self.actions.ready("payments-api", 1, image="payments-api:1.4.2")

    def outage(self) -> None:
        """Elasticsearch is stopped for half a minute; meanwhile a pod of orders-api crashes."""
        with self.actions.outage("node"):
            time.sleep(12)
            victim = self.actions.pods("orders-api")[0]["metadata"]["name"]
            self.actions.restart_by(victim, "Error", lambda: self.actions.order(victim, do="crash"))
            time.sleep(14)

    def undo_rollback(self) -> None:
        """The pipeline syncs payments-api to HEAD again: 1.5.0 is back, and so is the leak."""
        self.actions.sync("payments-api", "ci", old="1.4.2", new="1.5.0")
        self.actions.ready("payments-api", 1, image="payments-api:1.5.0")

    def deaths(self) -> None:
        """kill -9, a panic, and a clean exit that never flushed."""
        killed, panicked = self.actions.pods("payments-service")
        self.actions.restart_by(
            killed["metadata"]["name"], "Error", lambda: self.actions.kill(killed["metadata"]["uid"])
        )
        name = panicked["metadata"]["name"]
        self.actions.restart_by(name, "Error", lambda: self.actions.order(name, do="crash"))
        polite = self.actions.pods("orders-service")[0]["metadata"]["name"]
        self.actions.restart_by(polite, "Completed", lambda: self.actions.order(polite, do="exit", code=0))

    def manual_job(self) -> str:
        """Somebody starts the CronJob's work by hand; returns the address of its pod."""
        with self.actions.change("Job", "orders-jobs-by-hand", "manual run", "kubernetes-admin", automated=False):
            self.lab.kubectl("-n", NAMESPACE, "create", "job", "orders-jobs-by-hand", "--from=cronjob/orders-jobs")

        def finished() -> str:
            pods = self.lab.objects("pods", "-l", "job-name=orders-jobs-by-hand")
            done = pods and pods[0]["status"]["phase"] == "Succeeded"
            return pods[0]["status"]["podIP"] if done else ""

        address: str = until(finished, seconds=120, what="the manual job's end")
        return address

    def reuse_address(self, address: str) -> None:
        """A pod is deleted before the capture; its successor gets the finished Job's address."""
        gone = self.actions.pods("reports")[0]["metadata"]["name"]
        self.actions.give_next_address(address)
        with self.actions.change("Pod", gone, "delete", "kubernetes-admin", automated=False):
            self.lab.kubectl("-n", NAMESPACE, "delete", "pod", gone, "--wait=true")
        self.actions.ready("reports", 1)

    def broker_outage(self) -> None:
        """RabbitMQ's third node stops: its clients go to another; they stay there when it is back."""
        with self.actions.broker_down(2):
            time.sleep(6)

    def freeze(self) -> None:
        """Elasticsearch hangs for eight seconds: retries make true duplicates."""
        with self.actions.freeze():
            time.sleep(8)

    def run(self) -> None:
        """All acts in order, with quiet time between them so that causes stay apart."""
        self.deploy()
        time.sleep(15)
        self.release()
        self.change_config()
        self.bursts()
        self.out_of_memory()
        self.roll_back()
        time.sleep(5)
        self.outage()
        time.sleep(15)
        self.undo_rollback()
        self.deaths()
        address = self.manual_job()
        self.reuse_address(address)
        self.broker_outage()
        self.freeze()
        leaking = self.out_of_memory()["metadata"]["name"]
        self.actions.order(leaking, do="calm")  # or it would be killed again while the evidence is taken
        time.sleep(5)


def play(lab: Lab) -> None:
    """Prepare the lab, play the incident, and write down its window."""
    repository = prepare(lab)
    keeper = ConsoleKeeper(Path(lab.facts["kubernetes"]["pod_logs"]), TRUTH / "console", NAMESPACE)
    keeper.start()
    watch = ObjectWatch(lab, ("pods", "jobs", "replicasets"), TRUTH / "objects", NAMESPACE)
    started = time.time_ns()
    try:
        Incident(lab, repository).run()
    finally:
        ended = time.time_ns()
        time.sleep(ARRIVAL_SECONDS)
        keeper.stop()
        watch.stop()
        (TRUTH / "window.json").write_text(json.dumps({"from": started, "to": ended}))
    print(f"the incident took {(ended - started) / 1e9:.0f} s")
