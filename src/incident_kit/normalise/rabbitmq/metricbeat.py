"""Metricbeat ``rabbitmq.connection`` documents -> connection intervals.

Fields as documented and as in the metricset's sample document of Elastic's repository (8.x); no server here makes
them. A document says that a connection was open at its time, never when it was opened or closed; that it was closed is
inferred where later collections, known by documents of other connections, lack it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from incident_kit.normalise.rabbitmq.endpoints import peer_of, plain_address
from incident_kit.window import SECOND, parse_rfc3339

#: Sightings further apart than this belong to different intervals: a port may be used again.
_LONGEST_SILENCE = 15 * 60 * SECOND
#: Collections are this far apart where the documents do not say (ms in ``metricset.period``).
_USUAL_PERIOD = 60 * SECOND


def dig(source: Any, path: str) -> Any:
    """The value at a dotted path, whether the document nests it, dots it or mixes both."""
    if not isinstance(source, dict):
        return None
    if path in source:
        return source[path]
    position = path.find(".")
    while position >= 0:
        head, rest = path[:position], path[position + 1 :]
        if head in source and (found := dig(source[head], rest)) is not None:
            return found
        position = path.find(".", position + 1)
    return None


def _text(source: Any, path: str) -> str | None:
    found = dig(source, path)
    return found if isinstance(found, str) and found else None


def is_connection(source: Any) -> bool:
    """Whether a document is one of the metricset."""
    dataset = dig(source, "event.dataset") or dig(source, "metricset.name")
    return dataset in ("rabbitmq.connection", "connection") and isinstance(dig(source, "rabbitmq.connection.name"), str)


def connection_rows(sources: Iterable[dict[str, Any]], cluster: str) -> list[dict[str, Any]]:
    """CONNECTIONS rows from documents in any order; one row per unbroken run of sightings."""
    sightings: dict[tuple[str, str | None], list[tuple[int, dict[str, Any]]]] = {}
    for source in sources:
        time = parse_rfc3339(str(source.get("@timestamp", "")))
        name = dig(source, "rabbitmq.connection.name")
        if time is None or not isinstance(name, str):
            continue
        node = _text(source, "rabbitmq.node.name") or _text(source, "rabbitmq.connection.node")
        sightings.setdefault((name, node), []).append((time, source))
    rows: list[dict[str, Any]] = []
    collected = sorted({time for seen in sightings.values() for time, _ in seen})
    for (name, node), seen in sightings.items():
        seen.sort(key=lambda pair: pair[0])
        run: list[tuple[int, dict[str, Any]]] = []
        for time, source in seen:
            if run and time - run[-1][0] > _LONGEST_SILENCE:
                rows.append(_row(name, node, run, cluster, collected))
                run = []
            run.append((time, source))
        rows.append(_row(name, node, run, cluster, collected))
    return rows


def _missing_since(run: list[tuple[int, dict[str, Any]]], collected: list[int]) -> int | None:
    """The first collection that lacks a connection; None where two collections did not miss it, or none followed."""
    last, source = run[-1]
    period = dig(source, "metricset.period")
    usual = int(period) * 1_000_000 if isinstance(period, int) and period > 0 else _USUAL_PERIOD
    later = collected[bisect_right(collected, last + usual // 2) :]
    return later[0] if later and later[-1] > last + 2 * usual + usual // 2 else None


def _row(
    name: str, node: str | None, run: list[tuple[int, dict[str, Any]]], cluster: str, collected: list[int]
) -> dict[str, Any]:
    last = run[-1][1]
    missing = _missing_since(run, collected)
    host, port = peer_of(name)
    named_host, named_port = (
        dig(last, "rabbitmq.connection.peer.host"),
        dig(last, "rabbitmq.connection.peer.port"),
    )
    channels = dig(last, "rabbitmq.connection.channels")
    return {
        "cluster": cluster,
        "rabbit_node": node,
        "connection": name,
        "peer_host": plain_address(named_host) if isinstance(named_host, str) else host,
        "peer_port": named_port if isinstance(named_port, int) else port,
        "first_seen_at": run[0][0],
        "last_seen_at": run[-1][0],
        "closed_at": missing,
        "close_reason": "not in Metricbeat's later documents (inferred)" if missing is not None else None,
        "user_provided_name": _text(last, "rabbitmq.connection.client_provided.name"),
        "vhost": _text(last, "rabbitmq.vhost") or _text(last, "rabbitmq.connection.vhost"),
        "user": _text(last, "user.name") or _text(last, "rabbitmq.connection.user"),
        "state": "closed" if missing is not None else _text(last, "rabbitmq.connection.state"),
        "channel_count": channels if isinstance(channels, int) else None,
        "observed": False,
        "source": "metricbeat",
    }
