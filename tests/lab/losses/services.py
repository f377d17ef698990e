"""The services of the second incident: who logs how, and how its entries go astray."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.lab.scenario import pods
from tests.lab.scenario.pods import Manifest

NAMESPACE = "losses"
FOLDER = "losses"  # of the node, for journals and commands
VERSIONS: dict[str, dict[str, dict[str, str]]] = {
    "losses-python": {"1.0.0": {}},
    "losses-java": {"1.0.0": {}},
    "losses-go": {"1.0.0": {}},
}
COLLECTOR = [*pods.PYTHON[:-1], "labservice.collector"]
LABELLED = {"POD_FIELD": "podName", "SHIP_ATTEMPTS": "8", "RATE": "4"}


@dataclass(frozen=True)
class Service:
    """One service: its image, its containers' settings, how many pods.

    Attributes:
        containers: settings by container name.
        first: the same of init containers.
        collects: whether it reads the node's log files.
    """

    containers: dict[str, dict[str, str]]
    image: str = "losses-python"
    command: tuple[str, ...] = tuple(pods.PYTHON)
    first: dict[str, dict[str, str]] = field(default_factory=dict)
    replicas: int = 1
    memory: str = "128Mi"
    collects: bool = False


def _app(**settings: str) -> dict[str, dict[str, str]]:
    return {"app": {**LABELLED, **settings}}


def _printer(library: str, rate: int) -> Service:
    return Service({"app": {"PRINTS_WITH": library, "RATE": str(rate)}}, "losses-go", tuple(pods.BINARY))


_PORTAL = {"SERVICE_NAME": "portal", "ELASTIC_INDEX": "logs-losses-portal"}
SERVICES = {
    "intake": Service(
        _app(
            STORY="orders",
            POD_FIELD="kubernetes.pod.name",
            SHIP_QUEUE="5000",
            SHIP_BATCH="200",
            SHIP_ATTEMPTS="3",
            SHIP_RETRY_SECONDS="0.1",
        )
    ),
    "catalog": Service(_app(SPELLING="structlog", STORY="pricing", FRESH_EVERY="5", RATE="5")),
    "claims": Service(_app(SPELLING="serilog", STORY="payments", POD_FIELD="fields.podName", REFUSED_EVERY="6")),
    "gate": _printer("zerolog", 40),
    # Another rate, so that the two are not rotated at once.
    "meter": _printer("slog", 31),
    "collector": Service(
        {"app": {"COLLECTS": "gate-,meter-", "DECODES": "gate-", "POD_LOGS": "/podlogs", **LABELLED}},
        command=tuple(COLLECTOR),
        collects=True,
    ),
    "billing": Service(_app(SPELLING="json", STORY="payments", SHIP_SHIFT_HOURS="-5", REFUSED_EVERY="8")),
    "quotes": Service(_app(SHIP_LEVEL="INFO", SHIP_TRUNCATE="602"), "losses-java", tuple(pods.JAVA), memory="256Mi"),
    "portal": Service(
        {
            "app": {**LABELLED, **_PORTAL, "SPELLING": "ecs", "STORY": "orders"},
            "proxy": {**LABELLED, **_PORTAL, "SPELLING": "json", "STORY": "pricing", "SHIP_LEVEL": "WARNING"},
        },
        first={"migrate": {**LABELLED, **_PORTAL, "STORY": "orders", "JOB_SECONDS": "6", "JOB_FLUSH": "no"}},
    ),
    "stock": Service(_app(STORY="orders", SHIP_LEVEL="WARNING", STRAY_EVERY="15")),
    "pricing": Service(_app(STORY="pricing", SHIP_NOT_ON_ORDINAL="1"), replicas=2),
    "archive": Service(_app(SPELLING="json", STORY="archive")),
    "mailer": Service(_app(SPELLING="ecs", STORY="payments", SHIP_STAMPS_ARRIVAL="yes")),
}
# Nothing of the collector's own is logged, so no one can ask for its entries.
PODS = {name: service.replicas for name, service in SERVICES.items()}


def _container(name: str, settings: dict[str, str], service: Service, index: str, elastic_url: str) -> Manifest:
    settings = {"ELASTIC_INDEX": index, **settings, "ELASTIC_URL": elastic_url}
    return pods.container(name, f"{service.image}:1.0.0", list(service.command), settings, {}, service.memory)


def workload(name: str, elastic_url: str, index: str, pod_logs: str) -> Manifest:
    """The object that owns a service's pods.

    Args:
        name: which service.
        elastic_url: where its sink ships to, as pods reach it.
        index: the index or data stream.
        pod_logs: the kubelet's folder of log files.
    """
    service = SERVICES[name]
    made = [
        [_container(each, settings, service, index, elastic_url) for each, settings in part.items()]
        for part in (service.containers, service.first)
    ]
    spec = pods.pod_spec(made[0], folder=FOLDER, first=made[1])
    if service.collects:
        spec["containers"][0]["volumeMounts"].append({"name": "podlogs", "mountPath": "/podlogs", "readOnly": True})
        spec["volumes"].append({"name": "podlogs", "hostPath": {"path": pod_logs}})
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    body = {"replicas": service.replicas, "selector": {"matchLabels": labels}, "template": template}
    kind = "StatefulSet" if service.replicas > 1 else "Deployment"
    if kind == "StatefulSet":
        body |= {"serviceName": name, "podManagementPolicy": "Parallel"}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": body}
