"""From the raw folder to the RabbitMQ tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from incident_kit.nested import Document, text, whole
from incident_kit.normalise.context import Context
from incident_kit.normalise.rabbitmq import management
from incident_kit.normalise.rabbitmq.broker_log import BrokerLog
from incident_kit.normalise.rabbitmq.log_sources import LogText, consoles, from_elastic, log_files
from incident_kit.normalise.rabbitmq.metricbeat import connection_rows
from incident_kit.normalise.rabbitmq.nodes import node_of, own_node
from incident_kit.normalise.rabbitmq.records import Record, read_record, read_records, with_zone
from incident_kit.normalise.rabbitmq.routing import binding_row, publish_rows
from incident_kit.normalise.raw import RawFolder
from incident_kit.tables.rabbitmq import (
    BINDINGS,
    CHANNELS,
    CONNECTIONS,
    CONSUMERS,
    PUBLISHES,
    QUEUES,
    RABBIT_EVENTS,
    RABBIT_NODES,
)

#: Files of the management API's answers that are read.
LISTS = ("overview", "nodes", "connections", "channels", "consumers", "queues", "whoami", "exchanges", "bindings")
_TELLS_OF_CONNECTION = re.compile(r"\b(?:accepting|closing) (?:AMQP|STOMP|MQTT) connection [<\d\[(]")
Rows = dict[str, list[dict[str, Any]]]


def normalise_rabbitmq(raw: RawFolder, context: Context) -> Rows:
    """Rows of the RabbitMQ tables by table name, from the management API, the brokers' logs and Metricbeat.

    What cannot be trusted, though it was answered, is a gap.
    """
    lists = {name: _items(raw, name, context) for name in LISTS}
    rows = _from_management(lists, context)
    known = _known_from(rows)
    for log in log_files(raw, context):
        records = list(read_records(log.lines))
        _report_unread(records, log, context)
        _add_log(rows, records, log, known, context)
    for log in consoles(raw, context):
        _add_log(rows, list(read_records(log.lines)), log, known, context)
    elastic = from_elastic(raw, context)
    for host, records in sorted(elastic.records.items()):
        records.sort(key=lambda record: record.time)
        log = LogText(host, f"documents of broker {host or '(unnamed)'}", [])
        _add_log(rows, _joined(records), log, known, context)
    rows[CONNECTIONS.name] += connection_rows(elastic.metrics, context.cluster)
    rows[RABBIT_EVENTS.name] = _distinct(rows[RABBIT_EVENTS.name])
    return rows


def is_list_name(name: str) -> bool:
    """Whether a file of ``rabbitmq/`` has the name of a list that is read (``connections.json``, ``connections-2.json``)."""
    return re.match(rf"(?:{'|'.join(LISTS)})(?:-[^/]*)?\.json", name) is not None


def _items(raw: RawFolder, name: str, context: Context) -> list[Document] | None:
    """Objects of one list, over all files it was collected in (``connections.json``, ``connections-2.json``)."""
    found: list[Document] | None = None
    paths = [
        path
        for pattern in (f"{name}.json", f"{name}.json.gz", f"{name}-*.json", f"{name}-*.json.gz")
        for path in raw.files(f"rabbitmq/{pattern}")
    ]
    for path in paths:
        items = raw.items(raw.relative(path).removesuffix(".gz"), context, "rabbitmq")
        if items is not None:
            found = (found or []) + items
    return found


def _from_management(lists: dict[str, list[Document] | None], context: Context) -> Rows:
    cluster = context.cluster
    seen_at = context.captured_at if context.captured_at is not None else context.window.end
    overview = management.overview_of(lists)
    connections = [
        row
        for document in _unique(lists["connections"] or [])
        if (row := management.connection_row(document, cluster, seen_at)) is not None
    ]
    names = {str(row["connection"]) for row in connections}
    channels = _unique(lists["channels"] or [])
    connections += management.connections_of_channels(channels, names, cluster, seen_at)
    management.report_incomplete(lists, overview, context)
    return {
        CONNECTIONS.name: connections,
        CHANNELS.name: [management.channel_row(document, cluster) for document in channels],
        CONSUMERS.name: [management.consumer_row(document, cluster) for document in lists["consumers"] or []],
        QUEUES.name: [
            management.queue_row(document, cluster)
            for document in _unique(lists["queues"] or [])
            if text(document, "name")
        ],
        RABBIT_NODES.name: [
            management.node_row(document, cluster, overview, seen_at)
            for document in _unique(lists["nodes"] or [])
            if text(document, "name")
        ],
        RABBIT_EVENTS.name: [],
        PUBLISHES.name: publish_rows(lists["exchanges"] or [], channels, cluster),
        BINDINGS.name: [
            row for document in lists["bindings"] or [] if (row := binding_row(document, cluster)) is not None
        ],
    }


def _unique(documents: list[Document]) -> list[Document]:
    """One document per name and node, the fullest: pages move while they are read."""
    kept: dict[tuple[Any, ...], Document] = {}
    for document in documents:
        # Queues of one name may be in each virtual host.
        key = (text(document, "name"), text(document, "node"), whole(document, "connected_at"), text(document, "vhost"))
        if key not in kept or len(document) > len(kept[key]):
            kept[key] = document
    return list(kept.values())


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known while logs are read.

    Attributes:
        nodes: names that the management API told.
        opened: when it says that each connection was opened (ns), by its name.
        named: the node that the log of a file, pod or host named as its own.
    """

    nodes: list[str]
    opened: dict[str, int]
    named: dict[str, str] = field(default_factory=dict)


def _known_from(rows: Rows) -> _Known:
    nodes = [str(row["rabbit_node"]) for row in rows[RABBIT_NODES.name] if row["rabbit_node"]]
    nodes += sorted({str(r["rabbit_node"]) for r in rows[CONNECTIONS.name] if r["rabbit_node"]} - set(nodes))
    opened = {str(r["connection"]): r["connected_at"] for r in rows[CONNECTIONS.name] if r["connected_at"] is not None}
    return _Known(nodes, opened)


def _add_log(rows: Rows, records: list[Record], log: LogText, known: _Known, context: Context) -> None:
    records, zoned = with_zone(records, known.opened)
    # Parts of one log come in the order of their names, and .previous may repeat what the current file holds.
    records = list(dict.fromkeys(sorted(records, key=lambda record: record.time)))
    if not records:
        return
    if not zoned:
        context.gap("rabbitmq", log.name, "the log's times carry no zone and are taken as UTC",
                    "Collect the broker's console with kubectl logs --timestamps.")  # fmt: skip
    own = own_node(record.message for record in records)
    if own:
        known.named[log.hint] = own
    # Of a log that is shipped line by line only some lines are kept; its console may hold the banner that they lack.
    hint = known.named.get(log.hint, log.hint)
    node, sure = (own, True) if own else node_of(hint, known.nodes) if hint else (None, False)
    if log.is_file and not sure and node is not None and known.nodes:
        node = None  # somebody called the file so; no node of the cluster is
        context.gap("rabbitmq", log.name, "it does not name its node, and the file's name fits none of those that the "
                    "management API lists: the node of its connections is not known", "Name the file after its node.")  # fmt: skip
    told = BrokerLog(context.cluster, node, node_observed=sure)
    told.read(records)
    _report_dropped(told.events, log.name, context)
    rows[CONNECTIONS.name] += [{**row, "zone_known": zoned} for row in told.rows]
    rows[RABBIT_EVENTS.name] += told.events


def _report_unread(records: list[Record], log: LogText, context: Context) -> None:
    """A gap for a file that was given as a broker's log and holds text, but no record, or lines of connections beside."""
    filled = sum(1 for line in log.lines if line.strip())
    unread = sum(1 for line in log.lines if _TELLS_OF_CONNECTION.search(line) and read_record(line) is None)
    if filled and not records:
        reason = (
            f"none of its {filled} lines is a record of a broker's log as 3.7 to 4.x write it: nothing was read from it"
        )
    elif unread:
        reason = f"{unread} of its {filled} lines tell of connections, but are no records as 3.7 to 4.x write them"
    else:
        return
    context.gap(
        "rabbitmq", log.name, reason,
        "Copy the log as the broker wrote it: without the container's name before each line (docker compose logs "
        "--no-log-prefix; kubectl logs without --prefix). Logs of 3.6 and older are not read.",
    )  # fmt: skip


def _report_dropped(events: list[dict[str, Any]], name: str, context: Context) -> None:
    """A gap for each time within the window in which the broker dropped records of its own log."""
    since: int | None = None
    for event in events:
        if event["event"] == "log_dropping":
            since = event["time"] if since is None else since
        elif event["event"] == "log_restored" and since is not None:
            if since < context.window.end and event["time"] > context.window.start:
                context.gap(
                    "rabbitmq", name, "under load the broker dropped records of its own log: connections that were opened "
                    "or closed then are not in it", "The list of connections tells what is open.",
                    start=since, end=event["time"],
                )  # fmt: skip
            since = None


def _joined(records: list[Record]) -> list[Record]:
    """Reason lines that were shipped as documents of their own, joined to the record before them."""
    joined: list[Record] = []
    for record in records:
        before = joined[-1] if joined else None
        if before and before.time == record.time and before.pid == record.pid and before.message.rstrip().endswith(":"):
            joined[-1] = Record(before.time, before.pid, f"{before.message}\n{record.message}", before.zoned)
        else:
            joined.append(record)
    return joined


def _distinct(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per event, though a file, a console and documents may all hold the same line."""
    kept = {(e["time"], e["rabbit_node"], e["reported_by"], e["event"], e["detail"]): e for e in events}
    return list(kept.values())
