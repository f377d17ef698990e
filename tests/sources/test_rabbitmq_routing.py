"""Which questions about publishers a broker is asked: none in basic mode, bounded in detailed mode, refusals are gaps."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest

from incident_kit.sources.broker import Broker
from incident_kit.sources.rabbitmq import read_broker

Read = Callable[[str, dict[str, Any]], tuple[dict[str, list[Any]], list[str], list[str]]]
WHO = {"name": "mon", "tags": ["monitoring"]}


@pytest.fixture
def read() -> Iterator[Read]:
    """Answers, paths asked and gaps of a management API in some rates mode; what it has no answer to it refuses."""
    servers = []

    def run(mode: str, more: dict[str, Any]) -> tuple[dict[str, list[Any]], list[str], list[str]]:
        known = {"/api/whoami": WHO, "/api/overview": {"object_totals": {}, "rates_mode": mode}}
        known |= {f"/api/{name}": [] for name in ("nodes", "queues", "connections", "channels", "consumers")} | more
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                asked.append(path)
                self.send_response(404 if path.endswith("/gone") else 200 if path in known else 401)
                self.end_headers()
                self.wfile.write(json.dumps(known.get(path, {"reason": "no access"})).encode())

            def log_message(self, *_arguments: Any) -> None:
                """Nothing on the console."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        gaps: list[str] = []
        broker = Broker([f"http://127.0.0.1:{server.server_port}"], user="mon", password="p", timeout_seconds=60)
        answers = read_broker(broker, lambda what, reason, _remedy: gaps.append(f"{what}: {reason}"))
        return answers, asked, gaps

    yield run
    for server in servers:
        server.shutdown()
        server.server_close()


def exchange(name: str, published: int | None) -> dict[str, Any]:
    return {"name": name, "vhost": "a/b", "message_stats": {"publish_in": published} if published else []}


def test_in_basic_mode_nobody_is_asked_who_publishes(read: Read) -> None:
    answers, asked, gaps = read("basic", {})
    assert not gaps
    assert not {"exchanges", "bindings"} & set(answers)
    assert not any("exchanges" in path or "bindings" in path for path in asked)


def test_in_detailed_mode_exchanges_with_messages_are_asked_one_by_one(read: Read) -> None:
    detail, default = {"name": "x", "vhost": "a/b", "incoming": []}, {"name": "", "vhost": "a/b", "incoming": []}
    answers, asked, gaps = read("detailed", {
        "/api/exchanges": [exchange("", 3), exchange("x", 5), exchange("idle", None), {"name": "new", "vhost": "a/b"}, exchange("gone", 1)],
        "/api/exchanges/a%2Fb/x": detail, "/api/exchanges/a%2Fb/amq.default": default,
        "/api/bindings": [{"source": "x", "vhost": "a/b"}],
    })  # fmt: skip
    assert not gaps
    assert answers["exchanges"] == [default, detail]
    assert answers["bindings"] == [{"source": "x", "vhost": "a/b"}]
    assert [unquote(path) for path in asked if path.startswith("/api/exchanges/")] == [
        "/api/exchanges/a/b/amq.default",
        "/api/exchanges/a/b/x",
        "/api/exchanges/a/b/gone",  # deleted meanwhile, which is no gap
    ]


def test_a_refusal_is_a_gap_and_the_rest_is_read(read: Read) -> None:
    answers, _, gaps = read("detailed", {"/api/exchanges": [exchange("x", 5)]})
    assert gaps == ["exchange x of a/b: no access"]
    assert answers["exchanges"] == []
    _, _, gaps = read("detailed", {})
    assert gaps == ["exchanges: no access"]


def test_of_very_many_exchanges_the_busiest_are_asked_and_a_gap_says_so(read: Read) -> None:
    rows = [exchange(f"x{number}", number + 1) for number in range(230)]
    details = {f"/api/exchanges/a%2Fb/{row['name']}": {**row, "incoming": []} for row in rows}
    answers, _, gaps = read("detailed", {"/api/exchanges": rows, "/api/bindings": []} | details)
    assert [row["name"] for row in answers["exchanges"]] == [f"x{number}" for number in range(229, 29, -1)]
    assert gaps == ["exchanges: publishers of the busiest 200 of 230 exchanges were read"]
