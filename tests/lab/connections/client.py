"""What runs in the scenario's pods: an AMQP client or a TCP relay that journals what it really did.

Settings come from the environment. The journal is the private truth; the kit never reads it.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

SETTINGS = os.environ
FOLDER = Path("/truth")
ORDER = FOLDER / "orders" / SETTINGS["POD_NAME"]


class Journal:
    """Appends events of this process, one line each."""

    def __init__(self) -> None:
        path = FOLDER / "journals" / f"{SETTINGS['POD_UID']}.{time.time_ns()}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, event: str, **facts: object) -> None:
        """Append one event with its time and who we are."""
        who = {"pod": SETTINGS["POD_NAME"], "uid": SETTINGS["POD_UID"], "case": SETTINGS.get("CASE", "")}
        row = {"event": event, "at": time.time_ns(), **who, **facts}
        os.write(self._file, (json.dumps(row) + "\n").encode())


JOURNAL = Journal()
CONNECTED = threading.Event()


def ends(stream: socket.socket) -> dict[str, list[object]]:
    """Both ends of a socket."""
    return {"local": list(stream.getsockname()[:2]), "peer": list(stream.getpeername()[:2])}


def ordered() -> str:
    """What the scenario asks this process to do now."""
    return ORDER.read_text().strip() if ORDER.exists() else ""


class Link(threading.Thread):
    """One connection, opened again at the next address when it ends."""

    def __init__(self, number: int, addresses: list[tuple[str, int]]) -> None:
        super().__init__(daemon=True)
        first = number % len(addresses) if SETTINGS.get("SPREAD") else 0
        self._addresses = addresses[first:] + addresses[:first]

    def run(self) -> None:
        """Connect, work until the connection ends, connect again."""
        import pika.exceptions

        for address in itertools.cycle(self._addresses):
            try:
                self._work(*address)
            except (pika.exceptions.AMQPError, OSError) as error:
                JOURNAL.write("ended", why=f"{type(error).__name__} {error}"[:200])
            time.sleep(float(SETTINGS.get("PAUSE_SECONDS", "0.5")))

    def _work(self, host: str, port: int) -> None:
        import pika

        name = SETTINGS.get("CLIENT_NAME")
        parameters = pika.ConnectionParameters(
            host=host,
            port=port,
            virtual_host="shop",
            credentials=pika.PlainCredentials("app", SETTINGS["AMQP_PASSWORD"]),
            heartbeat=30,
            # Long: a broker that is slow to greet thirty clients at once shall not look like one that is away.
            socket_timeout=15,
            stack_timeout=30,
            blocked_connection_timeout=120,
            client_properties={"connection_name": name} if name else None,
        )
        connection = pika.BlockingConnection(parameters)
        JOURNAL.write("connected", name=name, **ends(connection._impl._transport._sock))
        CONNECTED.set()
        if lasts := SETTINGS.get("LASTS_SECONDS"):
            connection.channel()
            connection.sleep(float(lasts))
            connection.close()
            JOURNAL.write("closed")
            return
        self._stay(connection)

    def _stay(self, connection) -> None:  # type: ignore[no-untyped-def]
        channel = connection.channel()
        queue = SETTINGS.get("QUEUE", "story.work")
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_qos(prefetch_count=10)
        if SETTINGS.get("CONSUMES"):
            channel.basic_consume(queue, self._received)
        while connection.is_open and channel.is_open:
            connection.process_data_events(time_limit=0.5)
            if channel.is_open and SETTINGS.get("PUBLISHES"):
                channel.basic_publish("", queue, b"{}")
            if channel.is_open and ordered() == "close channel":
                channel.close()
        # A careless service: its channel is gone, and it holds the connection without noticing.
        JOURNAL.write("without channel")
        while connection.is_open:
            connection.process_data_events(time_limit=0.5)

    def _received(self, channel, method, _properties, _body) -> None:  # type: ignore[no-untyped-def]
        if SETTINGS["CONSUMES"] == "acknowledging":
            channel.basic_ack(method.delivery_tag)


def addresses() -> list[tuple[str, int]]:
    """The addresses to try, in order."""
    written = [word.rpartition(":") for word in SETTINGS["ADDRESSES"].split(",")]
    return [(host, int(port)) for host, _, port in written]


def relay() -> None:
    """A plain TCP proxy; with PROXY_PROTOCOL it tells the server who its client is."""
    listener = socket.create_server(("0.0.0.0", int(SETTINGS["LISTENS"])), backlog=64)
    JOURNAL.write("listening")
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_relayed, args=(client,), daemon=True).start()


def _relayed(client: socket.socket) -> None:
    for address in addresses():
        try:
            server = socket.create_connection(address, timeout=15)
        except OSError as error:
            JOURNAL.write("not relayed", why=str(error))
            continue
        break
    else:
        client.close()
        return
    server.settimeout(None)
    (client_host, client_port), (host, port) = client.getpeername()[:2], server.getpeername()[:2]
    if SETTINGS.get("PROXY_PROTOCOL"):
        server.sendall(f"PROXY TCP4 {client_host} {host} {client_port} {port}\r\n".encode())
    JOURNAL.write("relayed", client=[client_host, client_port], **ends(server))
    threading.Thread(target=_pump, args=(server, client), daemon=True).start()
    _pump(client, server)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while block := source.recv(65536):
            target.sendall(block)
    except OSError:
        pass  # either side went away; both are closed below
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def main() -> None:
    """Do what the environment says until told otherwise."""
    JOURNAL.write("started", ip=SETTINGS.get("POD_IP", ""))
    if SETTINGS.get("LISTENS"):
        relay()
    # Kubernetes tells whole seconds: in a pod's first one its address may still be the holder's before.
    time.sleep(2)
    for number in range(int(SETTINGS.get("CONNECTIONS", "1"))):
        Link(number, addresses()).start()
    CONNECTED.wait()  # a client that ends before, on a machine that is slow to start it, was never one
    begun = time.monotonic()
    hoard = bytearray()
    while time.monotonic() < begun + float(SETTINGS.get("ENDS_AFTER_SECONDS", "inf")):
        time.sleep(0.2)
        if SETTINGS.get("HOARDS") and time.monotonic() > begun + 4 and ordered() != "rest":
            hoard += b"x" * (8 << 20)
    print("done", flush=True)
    os._exit(int(SETTINGS.get("EXIT_CODE", "0")))


if __name__ == "__main__":
    sys.exit(main())
