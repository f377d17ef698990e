"""One pod among ten thousand open connections: what the kit's capture asks of a real cluster, against listing all.

    python -m tests.lab start rabbitmq
    CONNECTIONS=10000 python -m benchmarks.connections

Bytes are those of the management API's answers, as JSON and as they came over the wire. The pod's three connections stand for a pod narrowed to by ``--pod``.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.amqp import Client, connected
from incident_kit.sources.broker import Broker
from incident_kit.sources.rabbitmq import COLUMNS, read_broker
from tests.lab.scenario.lab import Lab

CONNECTIONS = int(os.environ.get("CONNECTIONS", "10000"))
ROUNDS = 3
#: Addresses .7 and .70 to .79 are all there: one pod must not be found with its neighbours.
POD, PER_ADDRESS = "127.2.1.7", 50
_COLLECTOR_SECONDS = 12


@dataclass
class Cost:
    """What one way of asking cost: bytes of all answers as JSON and on the wire (compressed), requests, seconds, and connections found."""

    bytes: int = 0
    wire: int = 0
    requests: int = 0
    seconds: float = 0.0
    found: int = 0


def clients(count: int, ports: list[int]) -> list[Client]:
    """The pod's three connections, with a channel each, among those of hundreds of other addresses."""
    found = [Client(POD, ports[number % len(ports)], channel=True) for number in range(3)]
    others = [f"127.2.{block}.{last}" for block in range(1, 250) for last in range(1, 250) if (block, last) != (1, 7)]
    for number in range(count - len(found)):
        found.append(Client(others[number // PER_ADDRESS], ports[number % len(ports)], name=f"service-{number % 40}"))
    return found


def measured(facts: dict[str, Any], ask: Callable[[Broker], list[Any]]) -> Cost:
    """The cheapest of some rounds of one way of asking; every round with a client of its own."""
    costs = []
    for _ in range(ROUNDS):
        cost = Cost()
        urls = [node["management_url"] for node in facts["nodes"]]
        broker = Broker(urls, user="mon", password=facts["users"]["mon"], timeout_seconds=60)

        def count(response: httpx.Response, cost: Cost = cost) -> None:
            cost.bytes += len(response.read())
            cost.wire += response.num_bytes_downloaded
            cost.requests += 1

        broker._client.event_hooks["response"] = [count]
        started = time.perf_counter()
        cost.found = len(ask(broker))
        cost.seconds = time.perf_counter() - started
        costs.append(cost)
    return min(costs, key=lambda cost: cost.seconds)


def capture(addresses: list[str]) -> Callable[[Broker], list[Any]]:
    """The kit's own capture of a broker, of some addresses or of all."""

    def ask(broker: Broker) -> list[Any]:
        return read_broker(broker, _gap, addresses)["connections"]

    return ask


def listing(broker: Broker) -> list[Any]:
    """What a script would do: connect, list all connections with the columns of interest, look through them."""
    broker.connect(_gap)
    rows = broker.get(f"/api/connections?columns={COLUMNS['connections']}")
    return [row for row in rows if row.get("peer_host") == POD]


def listing_whole(broker: Broker) -> list[Any]:
    """The same without choosing columns."""
    broker.connect(_gap)
    return [row for row in broker.get("/api/connections") if row.get("peer_host") == POD]


def _gap(what: str, reason: str, _remedy: str) -> None:
    print(f"gap: {what}: {reason}")


async def main() -> None:
    """Open the connections, ask in every way, print the table."""
    facts = Lab.running().facts["rabbitmq"]
    ports = [node["amqp_port"] for node in facts["nodes"]]
    print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.0f}, {time.strftime('%Y-%m-%d', time.gmtime())}"
    )
    started = time.perf_counter()
    asked = clients(CONNECTIONS, ports)
    async with connected(asked, user="app", password=facts["users"]["app"], vhost="shop") as count:
        print(f"{count} connections open on {len(ports)} nodes after {time.perf_counter() - started:.0f} s")
        await asyncio.sleep(_COLLECTOR_SECONDS)
        ways = {
            "the kit, narrowed to the pod": capture([POD]),
            "GET /api/connections with columns": listing,
            "GET /api/connections": listing_whole,
            "the kit, everything": capture([]),
        }
        costs = {name: await asyncio.to_thread(measured, facts, ask) for name, ask in ways.items()}
    print(table(costs))


def table(costs: dict[str, Cost]) -> str:
    """One row a way, against listing all connections with columns."""
    whole = costs["GET /api/connections with columns"]
    lines = [
        "| way | requests | bytes | of listing | compressed | of listing | seconds | of listing | found |",
        "| --- " * 9 + "|",
    ]
    for name, cost in costs.items():
        lines.append(
            f"| {name} | {cost.requests} | {cost.bytes:,} | {cost.bytes / whole.bytes:.1%} | {cost.wire:,} | {cost.wire / whole.wire:.1%} | {cost.seconds:.2f} "
            f"| {cost.seconds / whole.seconds:.1%} | {cost.found} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    asyncio.run(main())
