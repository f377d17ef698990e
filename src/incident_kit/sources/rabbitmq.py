"""RabbitMQ's management API, read so that its wrong answers with HTTP 200 are noticed.

Asked first who we are: a user with too little privilege sees part of everything without an error. Lists are compared
with the totals of the overview and with the live, uncached list; short time-outs, then another node.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from incident_kit.errors import SourceError, SourceIncomplete
from incident_kit.sources.broker import Broker, Gap

COLUMNS = {
    "connections": "name,node,peer_host,peer_port,host,port,connected_at,user_provided_name,client_properties,"
    "container_id,state,user,vhost,channels,ssl,auth_mechanism,protocol,timeout,type,recv_oct,send_oct",
    "channels": "name,node,number,vhost,user,connection_details,consumer_count,messages_unacknowledged,prefetch_count,"
    "idle_since,state,message_stats.publish",
    "consumers": "consumer_tag,channel_details,queue,active,activity_status,ack_required,exclusive,prefetch_count",
    "queues": "name,vhost,type,node,leader,members,online,messages,messages_unacknowledged,consumers,state,durable,arguments,"
    "policy,idle_since",
}
#: Of a node's 25 kB the 1 kB that anybody reads.
_NODE = (
    "name,type,running,uptime,mem_used,mem_limit,mem_alarm,disk_free,disk_free_limit,disk_free_alarm,fd_used,fd_total,"
    "sockets_used,sockets_total,proc_used,proc_total,partitions,being_drained,rates_mode"
)
#: From so many connections on, one pod's are looked up by name instead of listing everybody's.
_MANY = 1000
_VHOST_REMEDY = "rabbitmqctl set_permissions -p VHOST USER '^$' '^$' '^$' for each virtual host."
_LATE_ROWS = 500
_BINDING = "source,vhost,destination,destination_type,routing_key"
#: Exchanges asked, one by one, who publishes to them.
_EXCHANGES = 200
#: The statistics collector sees a new connection after up to five seconds.
_COLLECTOR_SECONDS, _COMPLETIONS = 6.0, 3


def read_broker(broker: Broker, gap: Gap, addresses: Sequence[str] = ()) -> dict[str, list[Any]]:
    """All that the bundle keeps of a broker, by file name: whoami, overview, nodes, connections, channels ...

    Args:
        broker: the cluster.
        gap: takes (what, reason, remedy) of everything that is missing or cannot be trusted.
        addresses: only the connections of these peers, looked up by name on the server; empty for all.
    """
    who = broker.connect(gap)
    tags = _tags(who)
    _report_tags(tags, broker.user, gap)
    overview = broker.overview
    answers: dict[str, list[Any]] = {"whoami": [who], "overview": [overview]}
    answers["nodes"] = _listed(broker, f"/api/nodes?columns={_NODE}", gap)
    _report_nodes(answers["nodes"], gap)
    total = (overview.get("object_totals") or {}).get("connections")
    narrow = bool(addresses) and isinstance(total, int) and total > _MANY
    found = find_connections(broker, addresses, gap) if narrow else []
    answers["queues"] = _listed(broker, f"/api/queues?columns={COLUMNS['queues']}", gap)
    if found:
        answers |= _narrowed(broker, found, gap)
        # The totals count what was not asked for; whoever reads the lists must not compare them.
        kept = {key: value for key, value in overview.items() if key != "object_totals"}
        answers["overview"] = [{**kept, "narrowed_to": list(addresses)}]
        overview = {"object_totals": {"queues": (overview.get("object_totals") or {}).get("queues")}}
    else:
        # A proxy or NAT hides the peers' own addresses: then only the whole list can tell.
        answers["connections"] = _connections(broker, gap)
        for name in ("channels", "consumers"):
            answers[name] = _listed(broker, f"/api/{name}?columns={COLUMNS[name]}", gap)
        if broker.overview.get("rates_mode") == "detailed":
            answers |= _routing(broker, gap)
    if tags & {"administrator", "monitoring"}:
        _compare_totals(answers, overview, gap)
    return answers


def _routing(broker: Broker, gap: Gap) -> dict[str, list[Any]]:
    """Bindings, and the exchanges that are published to with their publishers.

    Measured on 3.10: with the default rates mode ``basic`` every list of publishers is empty, so nobody asks.
    """
    exchanges = _listed(broker, "/api/exchanges?columns=name,vhost,message_stats.publish_in", gap)
    # Without messages message_stats is missing, or an empty array.
    busy = [
        row
        for row in exchanges
        if isinstance(row.get("message_stats"), dict) and row["message_stats"].get("publish_in")
    ]
    if len(busy) > _EXCHANGES:
        busy.sort(key=lambda row: -row["message_stats"]["publish_in"])
        reason = f"publishers of the busiest {_EXCHANGES} of {len(busy)} exchanges were read"
        gap("exchanges", reason, "GET /api/exchanges/VHOST/NAME for another.")
    answers: dict[str, list[Any]] = {"bindings": [], "exchanges": []}
    for row in busy[:_EXCHANGES]:
        vhost, name = (quote(str(row.get(key) or ""), safe="") for key in ("vhost", "name"))
        path = f"/api/exchanges/{vhost}/{name or 'amq.default'}?columns=name,vhost,incoming"
        try:
            answers["exchanges"].append(broker.get(path))
        except SourceIncomplete:  # deleted since it was listed
            continue
        except SourceError as error:
            gap(f"exchange {row.get('name') or 'amq.default'} of {row.get('vhost')}", error.reason, error.remedy)
    if answers["exchanges"]:
        answers["bindings"] = _listed(broker, f"/api/bindings?columns={_BINDING}", gap)
    return answers


def _narrowed(broker: Broker, connections: list[Any], gap: Gap) -> dict[str, list[Any]]:
    """Some connections with their own channels and consumers, without listing everybody's."""
    channels: list[Any] = []
    consumers: list[Any] = []
    for connection in connections:
        if _half_formed(connection):
            continue  # asked for the channels of a name it does not know, the broker writes a crash dump
        for row in _listed(broker, f"/api/connections/{quote(str(connection['name']), safe='')}/channels", gap):
            channels.append(row)
            path = f"/api/channels/{quote(str(row.get('name', '')), safe='')}"
            # Here 4.0 leaves out whose a STOMP consumer is; it is the channel's that was asked.
            whose = {"name": row.get("name"), "connection_name": connection["name"], "node": row.get("node")}
            for detail in _listed(broker, path, gap):
                consumers += [{**c, "channel_details": c.get("channel_details") or whose}
                              for c in detail.get("consumer_details") or []]  # fmt: skip
    return {"connections": connections, "channels": channels, "consumers": consumers}


def find_connections(broker: Broker, addresses: Sequence[str], gap: Gap) -> list[Any]:
    """Connections of some peers, narrowed by name on the server: a few hundred bytes instead of the whole list."""
    found: list[Any] = []
    for address in addresses:
        written = f"[{address}]" if ":" in address else address
        # The colon keeps 10.0.0.7 from finding 10.0.0.70; without page= the filter would be ignored.
        pattern = quote("^" + re.escape(written).replace("\\-", "-") + ":", safe="")
        path = f"/api/connections?disable_stats=true&page=1&page_size=500&use_regex=true&name={pattern}"
        for row in _listed(broker, path, gap):
            found.append(_whole_row(broker, row, gap))
    return found


def _whole_row(broker: Broker, row: dict[str, Any], gap: Gap) -> dict[str, Any]:
    name = str(row.get("name", ""))
    try:
        whole = broker.get(f"/api/connections/{quote(name, safe='')}")
    except SourceIncomplete:  # closed meanwhile, or younger than the collector's interval
        return row
    except SourceError as error:
        gap(f"connection {name}", error.reason, error.remedy)
        return row
    return whole if isinstance(whole, dict) else row


def _connections(broker: Broker, gap: Gap) -> list[Any]:
    """All connections: the list with statistics is cached and may miss some, so the live one is asked as well."""
    rows = _listed(broker, f"/api/connections?columns={COLUMNS['connections']}", gap)
    known = {row.get("name") for row in rows}
    live = _listed(broker, "/api/connections?disable_stats=true", gap)
    late = [row for row in live if row.get("name") not in known]
    rows += [_whole_row(broker, row, gap) for row in late[:_LATE_ROWS]] + late[_LATE_ROWS:]
    if len(late) > _LATE_ROWS:
        gap("connections", f"{len(late)} connections are known only by name and node", "Repeat the capture.")
    rows = _completed(broker, rows, gap)
    half = sum(map(_half_formed, rows))
    if half:
        reason = f"{half} of {len(rows)} were opened or closed just now and lack state or time"
        gap("connections", reason, "Repeat the capture.")
    return rows


def _half_formed(row: dict[str, Any]) -> bool:
    # Of an AMQP 1.0 connection 4.0 never tells the state; later versions do.
    return "connected_at" not in row or ("state" not in row and not str(row.get("protocol")).startswith("AMQP 1"))


def _completed(broker: Broker, rows: list[Any], gap: Gap) -> list[Any]:
    """Rows of connections that were just opened, asked again after the statistics collector's interval."""
    for _attempt in range(_COMPLETIONS):
        if not any(map(_half_formed, rows[:_LATE_ROWS])):
            break
        time.sleep(_COLLECTOR_SECONDS / _COMPLETIONS)
        rows = [_whole_row(broker, row, gap) if _half_formed(row) else row for row in rows]
    if not any(map(_half_formed, rows)):
        return rows
    # A connection that opened and closed meanwhile never gets its statistics; only the broker's log knows it.
    live = {row.get("name") for row in _listed(broker, "/api/connections?disable_stats=true", gap)}
    return [row for row in rows if not _half_formed(row) or row.get("name") in live]


def _listed(broker: Broker, path: str, gap: Gap) -> list[Any]:
    """The rows of an answer, whether an array, pages or one object; a failure is a gap and no row."""
    what = path.partition("?")[0].removeprefix("/api/")
    try:
        answer = broker.get(path)
    except SourceError as error:
        gap(what, error.reason, error.remedy)
        return []
    if isinstance(answer, dict) and isinstance(answer.get("items"), list):
        rows = list(answer["items"])
        for page in range(2, int(answer.get("page_count") or 1) + 1):
            rows += _listed(broker, path.replace("page=1&", f"page={page}&"), gap)
        return rows
    return answer if isinstance(answer, list) else [answer]


def _tags(who: dict[str, Any]) -> set[str]:
    tags = who.get("tags") or []
    return set(tags if isinstance(tags, list) else str(tags).replace(" ", "").split(","))


def _report_tags(tags: set[str], user: str, gap: Gap) -> None:
    if not tags & {"administrator", "monitoring"}:
        gap(
            "connections, channels, consumers",
            f"the user has only the tags {', '.join(sorted(tags)) or '(none)'}: it sees its own connections and no others",
            f"rabbitmqctl set_user_tags {user} monitoring",
        )


def _report_nodes(nodes: list[Any], gap: Gap) -> None:
    for node in nodes:
        name = node.get("name")
        if not node.get("running"):
            gap(
                f"node {name}",
                "it is not running: its connections and queues are not listed",
                "Start it, or read its log.",
            )
        elif "mem_used" not in node:
            gap(f"node {name}", "it gives no statistics", "Enable the management agent on it.")
        if node.get("partitions"):
            gap(
                f"node {name}",
                f"partitioned from {', '.join(node['partitions'])}",
                "Heal the partition; capture again.",
            )


def _compare_totals(answers: dict[str, list[Any]], overview: dict[str, Any], gap: Gap) -> None:
    """Compare lists with the overview's counts: a user without virtual hosts gets 200 and an empty list of queues."""
    totals = overview.get("object_totals") or {}
    for name in COLUMNS:
        expected, got = totals.get(name), len(answers[name])
        if not isinstance(expected, int):
            continue
        # A few come and go between two answers; an empty or much shorter list is a hole.
        if got < expected and (got == 0 or expected - got > max(5, expected // 50) or name == "queues"):
            remedy = _VHOST_REMEDY if name == "queues" else "Repeat the capture."
            gap(name, f"{got} of {expected} are listed", remedy)
