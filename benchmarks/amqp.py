"""Thousands of open AMQP connections from one process: the handshake, a channel where asked for, and silence."""

from __future__ import annotations

import asyncio
import resource
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

_METHOD, _END = 1, b"\xce"
_START_OK, _TUNE_OK, _OPEN, _CHANNEL_OPEN = (10, 11), (10, 31), (10, 40), (20, 10)


@dataclass(frozen=True)
class Client:
    """One connection to open.

    Attributes:
        source: the loopback address it comes from, the stand-in for a pod's.
        port: of the broker's node on loopback.
        name: client-provided name, empty for none.
        channel: whether it opens a channel.
    """

    source: str
    port: int
    name: str = ""
    channel: bool = False


@asynccontextmanager
async def connected(
    clients: Sequence[Client], *, user: str, password: str, vhost: str, at_once: int = 60
) -> AsyncIterator[int]:
    """All connections, open for as long as the block lasts; how many there are.

    Raises:
        OSError: a connection was refused: a benchmark with fewer than asked for would measure something else.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, len(clients) + 1000), hard))
    gate = asyncio.Semaphore(at_once)
    writers: list[asyncio.StreamWriter] = []

    async def one(client: Client) -> None:
        async with gate:
            writers.append(await _open(client, user, password, vhost))

    try:
        await asyncio.gather(*(one(client) for client in clients))
        yield len(writers)
    finally:
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def _open(client: Client, user: str, password: str, vhost: str) -> asyncio.StreamWriter:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port, local_addr=(client.source, 0))
    writer.write(b"AMQP\x00\x00\x09\x01")
    await _answer(reader)
    properties = _table({"connection_name": client.name} if client.name else {})
    secret = f"\0{user}\0{password}".encode()
    writer.write(_frame(0, _START_OK, properties + _short("PLAIN") + _long(secret) + _short("en_US")))
    await _answer(reader)
    # No heartbeat: ten thousand silent connections must not time out while they are measured.
    writer.write(_frame(0, _TUNE_OK, struct.pack(">HIH", 2047, 131072, 0)))
    writer.write(_frame(0, _OPEN, _short(vhost) + b"\0\0"))
    await _answer(reader)
    if client.channel:
        writer.write(_frame(1, _CHANNEL_OPEN, b"\0"))
        await _answer(reader)
    return writer


async def _answer(reader: asyncio.StreamReader) -> tuple[int, int]:
    """The next method frame's class and number; a closed or refused connection is an error."""
    kind, _, size = struct.unpack(">BHI", await reader.readexactly(7))
    payload = await reader.readexactly(size + 1)
    if kind != _METHOD or payload[-1:] != _END:
        raise OSError(f"no method frame: type {kind}")
    method: tuple[int, int] = struct.unpack_from(">HH", payload)
    if method == (10, 50):
        raise OSError(f"the broker closes the connection: {payload[4:200]!r}")
    return method


def _frame(channel: int, method: tuple[int, int], arguments: bytes) -> bytes:
    payload = struct.pack(">HH", *method) + arguments
    return struct.pack(">BHI", _METHOD, channel, len(payload)) + payload + _END


def _short(text: str) -> bytes:
    data = text.encode()
    return bytes([len(data)]) + data


def _long(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _table(values: dict[str, str]) -> bytes:
    return _long(b"".join(_short(name) + b"S" + _long(value.encode()) for name, value in values.items()))
