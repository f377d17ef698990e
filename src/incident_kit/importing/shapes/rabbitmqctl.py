"""What rabbitmqctl, rabbitmqadmin and rabbitmq-diagnostics print: lists with tabs, as CSV, as JSON or in a drawn table, and the cluster's status.

Each becomes the answer of the management API that holds the same. Source of the columns: rabbitmqctl(8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.shape import Pieces, Shape, Source
from incident_kit.importing.shapes.tabular import csv_row
from incident_kit.nested import mapping, texts
from incident_kit.normalise.raw import objects_of

Row = dict[str, Any]
#: Columns that tell which list it is; the first that has all of them.
_LISTS: tuple[tuple[str, frozenset[str]], ...] = (
    ("connections", frozenset({"peer_host", "peer_port"})),
    ("consumers", frozenset({"queue_name", "consumer_tag"})),
    ("channels", frozenset({"consumer_count", "messages_unacknowledged"})),
    ("queues", frozenset({"name", "messages"})),
)
_ELSEWHERE = ("console", "elasticsearch", "kubernetes", "argocd")
_COLUMN = re.compile(r"[a-z][a-z0-9_.]*")
_VHOST = re.compile(r"^(?:Listing|Reporting) .*\bv(?:irtual )?host '?(?P<vhost>[^' ]+)'? ?(?:\.\.\.)?")
_RULED = re.compile(r"[┌├└╭╰+][─┬┼┴+=-]+")
#: An Erlang process as it is shown: its node, then three numbers.
_PROCESS = re.compile(r"^<(?P<node>.+)\.\d+\.\d+\.\d+>$")
_CLIENT_NAME = re.compile(r'connection_name(?:">>|")?,\s*(?:longstr,)?\s*(?:<<)?"(?P<name>[^"]+)"')
_HEADINGS = ("Running Nodes", "Disk Nodes", "RAM Nodes")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
# A process names its node in the table only: JSON has "#PID<12134.978.0>" (4.0). There is no column for the node.
_WHOLE_COMMAND = "rabbitmqctl list_connections name pid peer_host peer_port host port user vhost state channels connected_at client_properties"


def _cells(line: str) -> list[str]:
    """Cells of a line, whichever way the formatter parts them."""
    if line[:1] in "│|":
        return [cell.strip() for cell in re.split(r"[│|]", line)[1:-1]]
    if "\t" in line:
        return line.split("\t")
    return csv_row(line)


def _header(line: str) -> tuple[str, list[str]] | None:
    cells = _cells(line) if line.strip() else []
    if len(cells) > 1 and all(map(_COLUMN.fullmatch, cells)):
        for name, needed in _LISTS:
            if needed <= set(cells):
                return name, cells
    return None


def _fits(sample: Sample) -> bool:
    if sample.place in _ELSEWHERE:
        return False
    if sample.is_json:
        return bool(_list_of_keys(sample))
    return any(_header(line) for line in sample.lines[:20])


def _list_of_keys(sample: Sample) -> str | None:
    """Which list JSON is; the management API's own, which nests what it refers to, is none of these."""
    if (
        sample.names("connection_details")
        or sample.names("queue", "channel_details")
        or sample.names("backing_queue_status")
    ):
        return None
    if re.search(r'"peer_host"\s*:\s*\[\s*\d', sample.text) or re.search(r'"pid"\s*:\s*"<', sample.text):
        return next((name for name, needed in _LISTS if sample.names(*needed)), None)
    return "consumers" if sample.names("queue_name", "consumer_tag", "channel_pid") else None


def _convert(source: Source) -> Pieces:
    """The list as the API gives it; a file may hold those of several virtual hosts one after another."""
    found: dict[str, list[Row]] = {}
    nameless = 0
    for name, vhost, row in _rows(source):
        item = _READERS[name](row, vhost)
        if item is None:
            nameless += 1
        else:
            found.setdefault(name, []).append(item)
    for name, items in found.items():
        yield f"rabbitmq/{name}-{source.number}.json", orjson.dumps(items)
    if nameless:
        source.context.gap(
            "rabbitmq", source.relative,
            f"{nameless} rows do not say which connection (or channel) they are of: they lack the column name, or host and port "
            "beside the peer's; they are left out",
            _WHOLE_COMMAND,
        )  # fmt: skip
    lists = found.get("connections", [])
    if lists and not any(item.get("node") for item in lists):
        reason = "its columns do not say on which node the connections are"
        source.context.gap("rabbitmq", source.relative, reason, _WHOLE_COMMAND)


def _rows(source: Source) -> Iterator[tuple[str, str | None, Row]]:
    if source.sample.is_json:
        name = _list_of_keys(source.sample) or ""
        vhosts = [found["vhost"] for line in source.sample.text.splitlines()[:5] if (found := _VHOST.match(line))]
        for row in objects_of(source.data(), source.relative, source.context, "rabbitmq"):
            yield name, vhosts[0] if vhosts else None, row
        return
    header: tuple[str, list[str]] | None = None
    vhost: str | None = None
    for line in source.lines():
        if said := _VHOST.match(line):
            vhost, header = said["vhost"], None
        elif (begins := _header(line)) is not None:
            header = begins
        elif header is not None and line.strip() and not _RULED.match(line):
            cells = _cells(line)
            if len(cells) == len(header[1]):
                yield (
                    header[0],
                    vhost,
                    {column: cell for column, cell in zip(header[1], cells, strict=True) if cell != ""},
                )


def _connection(row: Row, vhost: str | None) -> Row | None:
    peer, own = (_address(row.get(key)) for key in ("peer_host", "host"))
    name = row.get("name")
    if not name and peer and own and row.get("peer_port") and row.get("port"):
        name = f"{peer}:{row['peer_port']} -> {own}:{row['port']}"  # as the broker names it
    if not name:
        return None
    named = row.get("client_properties.connection_name")
    properties = {"connection_name": named} if named else _properties(row.get("client_properties"))
    return _without_null({
        "name": name, "node": row.get("node") or _node(row.get("pid")), "peer_host": peer,
        "peer_port": _whole(row.get("peer_port")), "connected_at": _whole(row.get("connected_at")),
        "user_provided_name": row.get("user_provided_name"), "client_properties": properties, "vhost": row.get("vhost") or vhost,
        "user": row.get("user"), "state": row.get("state"), "channels": _whole(row.get("channels")),
        "protocol": row.get("protocol") if isinstance(row.get("protocol"), str) else None,
    })  # fmt: skip


def _consumer(row: Row, vhost: str | None) -> Row | None:
    active = row.get("active")
    return {
        "queue": {"name": row.get("queue_name"), "vhost": row.get("vhost") or vhost}, "consumer_tag": row.get("consumer_tag"),
        "channel_details": {}, "active": active if isinstance(active, bool) else active == "true" if active else None,
    }  # fmt: skip


def _channel(row: Row, vhost: str | None) -> Row | None:
    if not row.get("name"):
        return None
    return _without_null({
        "name": row["name"], "node": row.get("node") or _node(row.get("pid")), "number": _whole(row.get("number")),
        "consumer_count": _whole(row.get("consumer_count")), "prefetch_count": _whole(row.get("prefetch_count")),
        "messages_unacknowledged": _whole(row.get("messages_unacknowledged")), "vhost": row.get("vhost") or vhost,
        "user": row.get("user"),
    })  # fmt: skip


def _queue(row: Row, vhost: str | None) -> Row | None:
    return _without_null({
        "name": row.get("name"), "vhost": row.get("vhost") or vhost, "type": row.get("type"),
        "leader": row.get("leader") or _node(row.get("pid")), "state": row.get("state"), "messages": _whole(row.get("messages")),
        "messages_unacknowledged": _whole(row.get("messages_unacknowledged")), "consumers": _whole(row.get("consumers")),
        "members": row.get("members") if isinstance(row.get("members"), list) else None,
        "online": row.get("online") if isinstance(row.get("online"), list) else None,
    })  # fmt: skip


_READERS: dict[str, Callable[[Row, str | None], Row | None]] = {
    "connections": _connection, "consumers": _consumer, "channels": _channel, "queues": _queue,
}  # fmt: skip


def _without_null(row: Row) -> Row:
    return {key: value for key, value in row.items() if value is not None}


def _whole(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def _node(process: Any) -> str | None:
    found = _PROCESS.match(process) if isinstance(process, str) else None
    return found["node"] if found and "@" in found["node"] else None


def _address(value: Any) -> str | None:
    """An address: text, or the list of its numbers, as Erlang's JSON has it."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, list) and all(isinstance(part, int) for part in value):
        return ".".join(map(str, value)) if len(value) == 4 else ":".join(f"{part:x}" for part in value)
    return None


def _properties(value: Any) -> Row | None:
    """A client's properties: a list of name, type and value in JSON, an Erlang term in the other formats."""
    if isinstance(value, list):
        return {
            str(one[0]): one[2] for one in value if isinstance(one, list) and len(one) == 3 and isinstance(one[2], str)
        }
    found = _CLIENT_NAME.search(value) if isinstance(value, str) else None
    return {"connection_name": found["name"]} if found else None


def _fits_status(sample: Sample) -> bool:
    if sample.place in _ELSEWHERE:
        return False
    return sample.names("running_nodes", "disk_nodes") or "\nRunning Nodes\n" in _ESCAPES.sub("", sample.text)


def _convert_status(source: Source) -> Pieces:
    """``cluster_status``: which nodes there are, and which of them run."""
    nodes: dict[str, list[str]] = {}
    partitions: dict[str, Any] = {}
    if source.sample.is_json:
        for document in objects_of(source.data(), source.relative, source.context, "rabbitmq"):
            for heading, key in zip(_HEADINGS, ("running_nodes", "disk_nodes", "ram_nodes"), strict=True):
                nodes[heading] = texts(document, key)
            partitions = mapping(document, "partitions")
    else:
        heading = ""
        for line in (_ESCAPES.sub("", one).strip() for one in source.lines()):
            if "@" in line and " " not in line:
                nodes.setdefault(heading, []).append(line)
            elif line:
                heading = line
    names = dict.fromkeys(name for heading in _HEADINGS for name in nodes.get(heading, []))
    running = set(nodes.get(_HEADINGS[0], []))
    items = [{"name": name, "running": name in running, "partitions": partitions.get(name) or []} for name in names]
    yield f"rabbitmq/nodes-{source.number}.json", orjson.dumps(items)


RABBIT_LISTS = Shape("a list of rabbitmqctl", _fits, _convert, "rabbitmq")
RABBIT_STATUS = Shape("the status of a RabbitMQ cluster", _fits_status, _convert_status, "rabbitmq")
