"""The services of the scenario as Kubernetes objects: who logs how, ships how, talks to which node."""

from __future__ import annotations

from tests.lab.scenario import pods
from tests.lab.scenario.pods import Manifest

VERSIONS: dict[str, dict[str, dict[str, str]]] = {
    "orders-api": {"1.4.2": {}, "1.5.0": {}},
    "orders-service": {"1.4.2": {}, "1.5.0": {}},
    "orders-jobs": {"1.4.2": {}, "1.5.0": {}},
    "payments-api": {"1.4.2": {}, "1.5.0": {"LEAK_MEBIBYTES_PER_SECOND": "2.5", "REFUSED_EVERY": "9"}},
    "payments-service": {"2.0.1": {}, "2.1.0": {}},
    "notifications": {"0.9.0": {}},
    "pricing": {"3.2.0": {}},
    "reports": {"1.0.0": {}},
    "node-agent": {"1.0.0": {}},
}

# What each service's process is told; the rest has defaults that are a usual sink's.
SETTINGS: dict[str, dict[str, str]] = {
    "orders-api": {
        "SPELLING": "pattern",
        "STORY": "orders",
        "CONSOLE_STREAM": "stderr",
        "AMQP_CLIENT_NAME": "$POD_NAME",
        "AMQP_PUBLISHES": "orders.accepted",
        "SHIP_ATTEMPTS": "3",
        "RATE": "5",
    },
    "orders-service": {
        "POD_FIELD": "podName",
        "SHIP_LEVEL": "INFO",
        "SHIP_TRUNCATE": "602",
        "SHIP_ATTEMPTS": "2",
        "AMQP_CONSUMES": "orders.accepted",
        "RATE": "5",
    },
    "orders-jobs": {
        "SPELLING": "structlog",
        "STORY": "orders",
        "POD_FIELD": "podName",
        "JOB_SECONDS": "7",
        "JOB_FLUSH": "no",
        "SHIP_FLUSH_SECONDS": "2",
        "RATE": "5",
    },
    "payments-api": {
        "SPELLING": "serilog",
        "STORY": "payments",
        "POD_FIELD": "fields.podName",
        "SHIP_ATTEMPTS": "40",
        "AMQP_CLIENT_NAME": "payments-api",
        "AMQP_PUBLISHES": "payments.booked",
        "RATE": "5",
    },
    "payments-service": {
        "AMQP_CLIENT_NAME": "payments-worker",
        "AMQP_CONSUMES": "payments.booked",
        "RATE": "4",
        "SHIP_QUEUE": "60",
        "SHIP_BATCH": "20",
    },
    "notifications": {
        "SPELLING": "json",
        "STORY": "notifications",
        "POD_FIELD": "podName",
        "SHIP_UNLABELLED": "legacy.smtp",
        "SHIP_MAX_BYTES": "2000",
        "AMQP_CONSUMES": "mails",
        "SHIP_QUEUE": "20000",
        "SHIP_BATCH": "500",
        "SHIP_ATTEMPTS": "40",
        "RATE": "5",
    },
    "pricing": {
        "SPELLING": "pattern",
        "STORY": "pricing",
        "SHIP_NOT_ON_ORDINAL": "1",
        "SHIP_QUEUE": "120",
        "SHIP_BATCH": "40",
        "SHIP_PAUSE_SECONDS": "0.2",
        "RATE": "5",
    },
    "reports": {
        "SPELLING": "structlog",
        "STORY": "pricing",
        "POD_FIELD": "podName",
        "SHIP_SHIFT_HOURS": "1",
        "RATE": "3",
    },
    "node-agent": {"RATE": "1"},
}

# Addresses by node number, in the order in which the client tries them.
BROKER_ORDER = {
    "orders-api": (0, 1, 2),
    "orders-service": (1, 2, 0),
    "payments-api": (2, 0, 1),
    "payments-service": (2, 1, 0),
    "notifications": (1, 0, 2),
    "node-agent": (0, 1, 2),
}
COMMANDS = {"orders-service": pods.JAVA, "payments-service": pods.BINARY, "node-agent": pods.BINARY}
MEMORY = {"orders-service": "256Mi", "payments-api": "110Mi", "notifications": "160Mi"}
CONFIGURED = {"orders-api": "orders-config", "payments-api": "payments-config"}


def _container(name: str, version: str, broker_addresses: list[str], elastic_url: str) -> Manifest:
    """The container of one service at one version."""
    settings = dict(SETTINGS[name])
    settings |= {"ELASTIC_URL": elastic_url, "ELASTIC_INDEX": f"logs-shop-{name.split('-')[0]}"}
    if name in BROKER_ORDER:
        settings["AMQP_ADDRESSES"] = ",".join(broker_addresses[number] for number in BROKER_ORDER[name])
    secrets = {"ELASTIC_AUTHORIZATION": "elastic", "AMQP_PASSWORD": "broker"}
    command = COMMANDS.get(name, pods.PYTHON)
    made = pods.container("app", f"{name}:{version}", command, settings, secrets, MEMORY.get(name, "128Mi"))
    if name in CONFIGURED:
        made["envFrom"] = [{"configMapRef": {"name": CONFIGURED[name]}}]
    return made


def pod_spec(name: str, version: str, broker_addresses: list[str], elastic_url: str) -> Manifest:
    """A pod of one service; the interpreter and the Java runtime come from the node."""
    return pods.pod_spec([_container(name, version, broker_addresses, elastic_url)])


def _labelled(name: str, spec: Manifest) -> Manifest:
    return {
        "metadata": {"labels": {"app": name, "app.kubernetes.io/part-of": name.split("-", maxsplit=1)[0]}},
        "spec": spec,
    }


def workload(name: str, spec: Manifest) -> Manifest:
    """The object that owns a service's pods."""
    selector = {"selector": {"matchLabels": {"app": name}}, "template": _labelled(name, spec)}
    metadata = {"name": name, "namespace": "shop", "labels": {"app": name}}
    match name:
        case "orders-jobs":
            job = {"backoffLimit": 0, "template": _labelled(name, {**spec, "restartPolicy": "Never"})}
            return {
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "metadata": metadata,
                "spec": {
                    "schedule": "* * * * *",
                    "successfulJobsHistoryLimit": 3,
                    "failedJobsHistoryLimit": 1,
                    "concurrencyPolicy": "Allow",
                    "jobTemplate": {"metadata": {"labels": {"app": name}}, "spec": job},
                },
            }
        case "pricing":
            return {
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "metadata": metadata,
                "spec": {"replicas": 2, "serviceName": name, "podManagementPolicy": "Parallel", **selector},
            }
        case "node-agent":
            selector["template"]["spec"]["hostNetwork"] = True
            return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": selector}
        case _:
            replicas = 2 if name in ("orders-api", "payments-service") else 1
            return {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": metadata,
                "spec": {"replicas": replicas, "revisionHistoryLimit": 5, **selector},
            }


def service(name: str) -> Manifest:
    """A Service in front of a workload's pods."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    }
