"""What one service does, read once from its environment."""

from __future__ import annotations

import os
from dataclasses import dataclass


def _number(name: str, default: float) -> float:
    return float(os.environ.get(name) or default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """Who this process is, by the downward API."""

    namespace: str
    name: str
    uid: str
    ip: str
    node: str
    container: str

    @classmethod
    def from_environment(cls) -> Pod:
        """Read the downward API's variables."""
        return cls(
            namespace=os.environ.get("POD_NAMESPACE", "local"),
            name=os.environ.get("POD_NAME", "local-pod"),
            uid=os.environ.get("POD_UID", "00000000-0000-0000-0000-000000000000"),
            ip=os.environ.get("POD_IP", ""),
            node=os.environ.get("NODE_NAME", ""),
            container=os.environ.get("CONTAINER_NAME", "app"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """How the second sink ships to Elasticsearch; each default is a usual sink's."""

    url: str
    authorization: str
    index: str
    pod_field: str
    level: str
    queue_size: int
    batch_size: int
    flush_seconds: float
    pause_seconds: float
    attempts: int
    retry_seconds: float
    timeout_seconds: float
    truncate: int
    max_bytes: int
    shift_hours: float
    unlabelled_loggers: tuple[str, ...]
    stamps_arrival: bool
    service: str

    @classmethod
    def from_environment(cls) -> Shipping:
        """Read the sink's variables; no URL means that the sink is not configured."""
        without = os.environ.get("SHIP_NOT_ON_ORDINAL", "")
        configured = not (without and os.environ.get("POD_NAME", "").endswith(f"-{without}"))
        return cls(
            url=os.environ.get("ELASTIC_URL", "") if configured else "",
            authorization=os.environ.get("ELASTIC_AUTHORIZATION", ""),
            index=os.environ.get("ELASTIC_INDEX", "logs-local"),
            pod_field=os.environ.get("POD_FIELD", "kubernetes.pod.name"),
            level=os.environ.get("SHIP_LEVEL", "DEBUG"),
            queue_size=int(_number("SHIP_QUEUE", 2000)),
            batch_size=int(_number("SHIP_BATCH", 100)),
            flush_seconds=_number("SHIP_FLUSH_SECONDS", 1.0),
            pause_seconds=_number("SHIP_PAUSE_SECONDS", 0.0),
            attempts=int(_number("SHIP_ATTEMPTS", 3)),
            retry_seconds=_number("SHIP_RETRY_SECONDS", 1.0),
            timeout_seconds=_number("SHIP_TIMEOUT_SECONDS", 5.0),
            truncate=int(_number("SHIP_TRUNCATE", 0)),
            max_bytes=int(_number("SHIP_MAX_BYTES", 0)),
            shift_hours=_number("SHIP_SHIFT_HOURS", 0.0),
            unlabelled_loggers=tuple(filter(None, os.environ.get("SHIP_UNLABELLED", "").split(","))),
            stamps_arrival=os.environ.get("SHIP_STAMPS_ARRIVAL", "no") == "yes",
            service=os.environ.get("SERVICE_NAME") or os.environ.get("CONTAINER_NAME", "app"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Which RabbitMQ node the service talks to, how it names itself and what it consumes."""

    addresses: tuple[tuple[str, int], ...]
    user: str
    password: str
    vhost: str
    client_name: str
    consumes: str
    publishes: str

    @classmethod
    def from_environment(cls) -> Broker:
        """Read the AMQP variables; no address means no connection."""
        addresses = [part.rsplit(":", 1) for part in os.environ.get("AMQP_ADDRESSES", "").split(",") if part]
        return cls(
            addresses=tuple((host, int(port)) for host, port in addresses),
            user=os.environ.get("AMQP_USER", "app"),
            password=os.environ.get("AMQP_PASSWORD", ""),
            vhost=os.environ.get("AMQP_VHOST", "shop"),
            client_name=os.environ.get("AMQP_CLIENT_NAME", "").replace("$POD_NAME", os.environ.get("POD_NAME", "")),
            consumes=os.environ.get("AMQP_CONSUMES", ""),
            publishes=os.environ.get("AMQP_PUBLISHES", ""),
        )
