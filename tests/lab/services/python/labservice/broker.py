"""AMQP connections by pika: publishes, consumes, reconnects to the next node when one dies."""

from __future__ import annotations

import itertools
import logging
import socket
import threading
import time

import pika
import pika.exceptions

from labservice.journal import Journal
from labservice.settings import Broker

log = logging.getLogger("amqp")
REPLICATED = {"x-queue-type": "quorum"}  # a classic queue would be away with its node


class BrokerLink(threading.Thread):
    """Holds one connection for as long as the service lives."""

    def __init__(self, settings: Broker, journal: Journal) -> None:
        """Prepare the link; ``start`` connects."""
        super().__init__(name="broker-link", daemon=True)
        self._settings = settings
        self._journal = journal

    def run(self) -> None:
        """Connect, work until the connection ends, go on with the next address."""
        for host, port in itertools.cycle(self._settings.addresses):
            try:
                self._work(host, port)
            except (pika.exceptions.AMQPError, OSError) as error:
                log.warning("Broker connection to port %s ended: %s", port, type(error).__name__)
            time.sleep(1.0)

    def _work(self, host: str, port: int) -> None:
        name = self._settings.client_name
        connection = pika.BlockingConnection(
            pika.ConnectionParameters(
                host=host,
                port=port,
                virtual_host=self._settings.vhost,
                credentials=pika.PlainCredentials(self._settings.user, self._settings.password),
                heartbeat=10,
                client_properties={"connection_name": name} if name else None,
                blocked_connection_timeout=60,
            )
        )
        local, peer = _addresses(connection)
        facts = {"local": local, "peer": peer, "client_name": name, "vhost": self._settings.vhost}
        self._journal.write("connected", **facts)
        try:
            self._publish_and_consume(connection)
        finally:
            self._journal.write("disconnected", **facts)

    def _publish_and_consume(self, connection: pika.BlockingConnection) -> None:
        channel = connection.channel()
        for queue in filter(None, (self._settings.consumes, self._settings.publishes)):
            channel.queue_declare(queue, durable=True, arguments=REPLICATED)
        if self._settings.consumes:
            channel.basic_qos(prefetch_count=20)
            channel.basic_consume(self._settings.consumes, _acknowledge)
        while connection.is_open:
            connection.process_data_events(time_limit=1.0)
            if self._settings.publishes:
                channel.basic_publish("", self._settings.publishes, b"{}")


def _acknowledge(channel, method, _properties, _body) -> None:  # type: ignore[no-untyped-def]
    channel.basic_ack(method.delivery_tag)


def _addresses(connection: pika.BlockingConnection) -> tuple[str, str]:
    """The socket's two ends; pika has no public way to ask, and the truth needs the port."""
    stream: socket.socket = connection._impl._transport._sock
    local, peer = stream.getsockname(), stream.getpeername()
    return f"{local[0]}:{local[1]}", f"{peer[0]}:{peer[1]}"
