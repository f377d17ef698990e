"""One pod's client: speaks one protocol from the pod's own address and journals what it does.

Settings are one JSON argument; SIGTERM asks for an orderly goodbye. Which connections it had the kernel tells (``truth``).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

SETTINGS: dict[str, Any] = json.loads(sys.argv[1])
sys.path.insert(0, SETTINGS["libraries"])
LEAVING = threading.Event()
_JOURNAL = os.open(SETTINGS["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
_Socket = socket.socket


def journal(event: str, **facts: object) -> None:
    """Append one event with its time and who we are."""
    row = {"event": event, "at": time.time_ns(), **{key: SETTINGS[key] for key in ("pod", "case", "protocol")}, **facts}
    os.write(_JOURNAL, (json.dumps(row) + "\n").encode())


class PodSocket(_Socket):
    """A socket that leaves from the pod's address, whichever library opens it."""

    def connect(self, address: Any) -> None:
        """Bind to the pod's address, then connect."""
        self._leave_from_pod()
        super().connect(address)

    def connect_ex(self, address: Any) -> int:
        """As `connect`, for libraries that wait themselves."""
        self._leave_from_pod()
        return super().connect_ex(address)

    def _leave_from_pod(self) -> None:
        if self.family == socket.AF_INET and self.getsockname()[1] == 0:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.bind((SETTINGS["address"], 0))


def amqp091(port: int) -> None:
    """A consumer and publisher of one quorum queue."""
    import pika

    parameters = pika.ConnectionParameters(
        host="127.0.0.1", port=port, virtual_host=SETTINGS["vhost"], heartbeat=SETTINGS.get("heartbeat", 60),
        credentials=pika.PlainCredentials(SETTINGS["user"], SETTINGS["password"]), blocked_connection_timeout=300,
        client_properties={"connection_name": SETTINGS["name"]} if SETTINGS.get("name") else None,
    )  # fmt: skip
    connection = pika.BlockingConnection(parameters)
    try:
        channel = connection.channel()
        queue = SETTINGS.get("queue", "work")
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": SETTINGS.get("queue_type", "quorum")})
        channel.basic_qos(prefetch_count=5)
        acknowledge = SETTINGS.get("acknowledges", True)

        def received(where: Any, method: Any, _properties: Any, _body: bytes) -> None:
            if acknowledge:
                where.basic_ack(method.delivery_tag)

        if SETTINGS.get("consumes", True):
            channel.basic_consume(queue, received)
        journal("working")
        while not LEAVING.is_set():
            connection.process_data_events(time_limit=0.5)
            if channel.is_open and SETTINGS.get("publishes"):
                channel.basic_publish("", queue, b"{}")
            if not channel.is_open:
                journal("without channel")
                while not LEAVING.is_set():
                    connection.process_data_events(time_limit=0.5)
        connection.close()
    finally:
        if connection.is_open:
            connection.close()


def amqp10(port: int) -> None:
    """A receiver and a sender in sessions of their own; the container is named like the pod, or at random."""
    from proton.handlers import MessagingHandler
    from proton.reactor import Container

    class Worker(MessagingHandler):
        lost = False

        def on_start(self, event: Any) -> None:
            container = event.container
            self.connection = container.connect(
                f"amqp://127.0.0.1:{port}", reconnect=False, user=SETTINGS["user"], password=SETTINGS["password"],
                allowed_mechs="PLAIN", virtual_host=f"vhost:{SETTINGS['vhost']}", heartbeat=SETTINGS.get("heartbeat", 60),
            )  # fmt: skip
            queue = f"/queues/{SETTINGS.get('queue', 'work')}"
            if SETTINGS.get("consumes", True):
                container.create_receiver(self.connection, queue)
            if SETTINGS.get("publishes"):
                session = self.connection.session()
                session.open()
                container.create_sender(session, queue)
            container.schedule(0.5, self)

        def on_connection_opened(self, _event: Any) -> None:
            journal("working")

        def on_timer_task(self, event: Any) -> None:
            if LEAVING.is_set():
                self.connection.close()
            elif not self.lost:
                event.container.schedule(0.5, self)

        def on_sendable(self, event: Any) -> None:
            from proton import Message

            if SETTINGS.get("publishes") and not getattr(self, "sent", False):
                event.sender.send(Message(body="{}"))
                self.sent = True

        def on_disconnected(self, event: Any) -> None:
            self.lost = True
            if not LEAVING.is_set():
                journal("ended", why=str(event.transport.condition))

        def on_connection_closing(self, event: Any) -> None:
            self.lost = True
            journal("ended", why=str(event.connection.remote_condition))
            event.connection.close()

        on_connection_error = on_connection_closing

    container = Container(Worker())
    if SETTINGS.get("name"):
        container.container_id = SETTINGS["name"]
    container.run()


def mqtt(port: int) -> None:
    """A subscriber and publisher; the client identifier is the pod's name, or the server's choice."""
    from paho.mqtt import client as paho

    version = paho.MQTTv5 if SETTINGS.get("version") == 5 else paho.MQTTv311
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=SETTINGS.get("name") or "", protocol=version)
    client.username_pw_set(f"{SETTINGS['vhost']}:{SETTINGS['user']}", SETTINGS["password"])
    ended = threading.Event()

    def connected(*_: Any) -> None:
        journal("working")
        client.subscribe("tills/+/state", qos=1)

    client.on_connect, client.on_disconnect = connected, lambda *_: ended.set()
    client.reconnect_delay_set(600, 600)
    client.connect("127.0.0.1", port, keepalive=SETTINGS.get("heartbeat", 60), bind_address=SETTINGS["address"])
    client.loop_start()
    while not LEAVING.is_set() and not ended.is_set():
        client.publish("tills/1/state", b"{}", qos=1)
        LEAVING.wait(2)
    client.disconnect()
    client.loop_stop()


def stomp(port: int) -> None:
    """A subscriber; STOMP has no name for a client."""
    import stomp as library

    beat = SETTINGS.get("heartbeat", 0) * 1000
    connection = library.Connection12(
        [("127.0.0.1", port)], vhost=SETTINGS["vhost"], heartbeats=(beat, beat), reconnect_attempts_max=1
    )
    connection.connect(SETTINGS["user"], SETTINGS["password"], wait=True)
    connection.subscribe(destination=f"/queue/{SETTINGS.get('queue', 'stomp')}", id="1", ack="client")
    journal("working")
    while not LEAVING.is_set() and connection.is_connected():
        LEAVING.wait(0.5)
    if connection.is_connected():
        connection.disconnect()


def stream(port: int) -> None:
    """A consumer of a stream."""
    from rstream import AMQPMessage, Consumer

    async def work() -> None:
        named = {"connection_name": SETTINGS["name"]} if SETTINGS.get("name") else {}
        lost = asyncio.Event()

        async def closed(_why: Any) -> None:
            lost.set()

        consumer = Consumer(
            "127.0.0.1", port, vhost=SETTINGS["vhost"], username=SETTINGS["user"], password=SETTINGS["password"],
            heartbeat=SETTINGS.get("heartbeat", 60), on_close_handler=closed, **named,
        )  # fmt: skip

        async def received(_message: AMQPMessage, _context: Any) -> None:
            await asyncio.sleep(0)

        await consumer.start()
        await consumer.create_stream("ledger", exists_ok=True)
        await consumer.subscribe("ledger", received)
        journal("working")
        while not LEAVING.is_set() and not lost.is_set():
            await asyncio.sleep(0.5)
        if lost.is_set():
            journal("ended", why="closed by the broker")
        await asyncio.wait_for(consumer.close(), timeout=5)

    asyncio.run(work())


def silent(port: int) -> None:
    """A handshake that is begun and never goes on."""
    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(b"AMQP\x00\x00\x09\x01")
    link.settimeout(30)
    while link.recv(4096):
        continue
    link.close()


def probe(port: int) -> None:
    """A load balancer's look: a connection without a word."""
    socket.create_connection(("127.0.0.1", port)).close()


PROTOCOLS: dict[str, Callable[[int], None]] = {
    "amqp091": amqp091, "amqp10": amqp10, "mqtt": mqtt, "stomp": stomp, "stream": stream, "silent": silent,
    "probe": probe,
}  # fmt: skip


def main() -> None:
    """Connect and work; when a connection ends, go to the next port, if the pod may."""
    socket.socket = PodSocket  # type: ignore[misc]
    signal.signal(signal.SIGTERM, lambda *_: LEAVING.set())
    ports = itertools.cycle(SETTINGS["ports"]) if SETTINGS.get("returns") else iter(SETTINGS["ports"][:1])
    for port in ports:
        try:
            PROTOCOLS[SETTINGS["protocol"]](port)
        except Exception as error:  # whatever a library raises when its server goes away is an end
            journal("ended", why=f"{type(error).__name__} {error}"[:200])
        if LEAVING.is_set():
            break
        time.sleep(1)
    journal("gone")


if __name__ == "__main__":
    main()
