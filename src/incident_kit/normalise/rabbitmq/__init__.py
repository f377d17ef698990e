"""RabbitMQ's answers and logs -> CONNECTIONS, CHANNELS, CONSUMERS, QUEUES, PUBLISHES, BINDINGS, RABBIT_NODES, RABBIT_EVENTS."""

from __future__ import annotations

from incident_kit.normalise.rabbitmq.documents import normalise_rabbitmq

__all__ = ["normalise_rabbitmq"]
