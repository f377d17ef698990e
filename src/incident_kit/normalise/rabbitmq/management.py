"""The management API's lists -> tables, and the ways in which a 200 answer is not the whole truth -> gaps.

Measured on 3.10 and 4.0, read in source up to 4.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from incident_kit.nested import Document, mapping, text, whole
from incident_kit.normalise.context import Context
from incident_kit.normalise.rabbitmq.endpoints import peer_of, plain_address
from incident_kit.window import MAX_NS, parse_rfc3339

_MILLISECOND = 1_000_000


def connection_row(document: Document, cluster: str, seen_at: int | None) -> dict[str, Any] | None:
    """The CONNECTIONS row of one connection; only the name is sure, a just-opened one may lack the rest."""
    name = text(document, "name")
    if name is None:
        return None
    host, port = peer_of(name)
    connected = whole(document, "connected_at")
    return {
        "cluster": cluster,
        "rabbit_node": text(document, "node"),
        "connection": name,
        "peer_host": plain_address(text(document, "peer_host")) or host,
        "peer_port": whole(document, "peer_port") or port,
        "connected_at": _nanoseconds(connected),
        "first_seen_at": _nanoseconds(connected) or seen_at,
        "last_seen_at": seen_at,
        "user_provided_name": text(document, "user_provided_name")
        or text(document, "client_properties", "connection_name")
        or text(document, "client_properties", "client_id")  # MQTT
        or text(document, "container_id"),  # AMQP 1.0, which 4.0 does not tell yet
        "vhost": text(document, "vhost"),
        "user": text(document, "user"),
        "state": text(document, "state"),
        "channel_count": whole(document, "channels") if _has_channels(document) else None,
        "observed": connected is not None,
        "source": "management_api",
    }


def _has_channels(document: Document) -> bool:
    """Whether a connection's protocol knows channels: of a stream's connection the API counts none, whatever it does."""
    protocol = text(document, "protocol") or ""
    return protocol != "stream" and "MQTT" not in protocol


def _nanoseconds(milliseconds: int | None) -> int | None:
    """Nanoseconds of milliseconds; None where there are none or they are no time of this world."""
    if milliseconds is None or not 0 <= milliseconds <= MAX_NS // _MILLISECOND:
        return None
    return milliseconds * _MILLISECOND


def channel_row(document: Document, cluster: str) -> dict[str, Any]:
    """The CHANNELS row of one channel; its connection_details may be an empty list."""
    name = text(document, "name")
    connection = text(document, "connection_details", "name") or connection_of(name)
    return {
        "cluster": cluster,
        "rabbit_node": text(document, "node"),
        "connection": connection,
        "number": whole(document, "number") or _number_of(name),
        "consumer_count": whole(document, "consumer_count"),
        "messages_unacknowledged": whole(document, "messages_unacknowledged"),
        "prefetch_count": whole(document, "prefetch_count"),
        "idle_since": _instant(text(document, "idle_since")),
        "vhost": text(document, "vhost"),
        "published": whole(document, "message_stats", "publish"),
    }


def consumer_row(document: Document, cluster: str) -> dict[str, Any]:
    """The CONSUMERS row of one consumer; its channel_details may be an empty list."""
    channel = text(document, "channel_details", "name")
    return {
        "cluster": cluster,
        "connection": text(document, "channel_details", "connection_name") or connection_of(channel),
        "channel": channel,
        "vhost": text(document, "queue", "vhost"),
        "queue": text(document, "queue", "name"),
        "consumer_tag": text(document, "consumer_tag"),
        "active": document.get("active") if isinstance(document.get("active"), bool) else None,
    }


def queue_row(document: Document, cluster: str) -> dict[str, Any]:
    """The QUEUES row of one queue."""
    return {
        "cluster": cluster,
        "vhost": text(document, "vhost"),
        "queue": text(document, "name"),
        "type": text(document, "type"),
        "leader": text(document, "leader") or text(document, "node"),
        "members": _texts(document.get("members")),
        "online": _texts(document.get("online")),
        "messages": whole(document, "messages"),
        "messages_unacknowledged": whole(document, "messages_unacknowledged"),
        "consumer_count": whole(document, "consumers"),
        "state": text(document, "state"),
    }


def node_row(document: Document, cluster: str, overview: Document, seen_at: int | None) -> dict[str, Any]:
    """The RABBIT_NODES row of one node; one that is stopped has a handful of keys."""
    uptime = whole(document, "uptime")
    lasted = _nanoseconds(uptime)
    started = seen_at - lasted if seen_at is not None and lasted is not None else None
    name = text(document, "name")
    return {
        "cluster": cluster,
        "rabbit_node": name,
        "running": document.get("running") if isinstance(document.get("running"), bool) else None,
        "memory_alarm": document.get("mem_alarm") if isinstance(document.get("mem_alarm"), bool) else None,
        "disk_alarm": document.get("disk_free_alarm") if isinstance(document.get("disk_free_alarm"), bool) else None,
        "partitions": _texts(document.get("partitions")) or [],
        "version": text(overview, "rabbitmq_version") or text(overview, "management_version"),
        "memory_used_bytes": whole(document, "mem_used"),
        "uptime_ms": uptime,
        "started_at": started,
    }


def connections_of_channels(
    channels: Iterable[Document], listed: set[str], cluster: str, seen_at: int | None
) -> list[dict[str, Any]]:
    """Connections that only their channels know: the list of connections may come from a stale cache."""
    found: dict[str, dict[str, Any]] = {}
    for channel in channels:
        name = text(channel, "connection_details", "name") or connection_of(text(channel, "name"))
        if name is None or name in listed:
            continue
        row = connection_row({"name": name}, cluster, seen_at)
        if row is not None:
            row.update(
                rabbit_node=text(channel, "node"),
                vhost=text(channel, "vhost"),
                user=text(channel, "user"),
                state=None,
            )
            found[name] = row
            row["channel_count"] = None
    return list(found.values())


def report_incomplete(lists: dict[str, list[Document] | None], overview: Document, context: Context) -> None:
    """Gaps for every known way in which the lists, though answered with 200, are not everything."""
    _report_nodes(lists.get("nodes"), context)
    _report_connections(lists, overview, context)
    _report_users_view(lists, overview, context)


def _report_nodes(nodes: list[Document] | None, context: Context) -> None:
    for node in nodes or []:
        name = text(node, "name")
        if node.get("running") is False:
            context.gap(
                "rabbitmq", f"connections of {name}",
                f"{name} was not running: its connections vanish from every list without an error",
                "Read that node's log for the connections it had.",
            )  # fmt: skip
        if node.get("partitions"):
            context.gap(
                "rabbitmq", f"cluster-wide lists as {name} sees them",
                f"{name} is partitioned from {', '.join(_texts(node['partitions']) or ['others'])}: its answers lack their side",
                "Ask a node on each side of the partition.",
            )  # fmt: skip


def _report_connections(lists: dict[str, list[Document] | None], overview: Document, context: Context) -> None:
    connections = lists.get("connections")
    if connections is None:
        return
    names = {text(document, "name") for document in connections}
    referred = {
        _connection_name(document) for document in [*(lists.get("channels") or []), *(lists.get("consumers") or [])]
    }
    missing = sorted(name for name in referred - names if name)
    if missing:
        context.gap(
            "rabbitmq", "connections",
            f"channels or consumers name {len(missing)} connections that the list lacks (a stale cache, or a connection "
            f"that came or went meanwhile): {', '.join(missing[:3])}",
            "Ask with disable_stats=true, or GET /api/connections/NAME.",
        )  # fmt: skip
    total = whole(overview, "object_totals", "connections")
    if total is not None and total > len(names):
        context.gap("rabbitmq", "connections", f"the overview counts {total} connections, the list holds {len(names)}",
                    "Ask with disable_stats=true, and check that no page is missing.")  # fmt: skip
    bare = sum(1 for document in connections if "connected_at" not in document)
    if bare:
        context.gap(
            "rabbitmq", "connections",
            f"{bare} of {len(connections)} connections lack connected_at and more (statistics are off on the node asked, "
            "or they were just opened)",
            "Ask a node without management.disable_stats, or GET /api/connections/NAME.",
        )  # fmt: skip
    streams = {text(document, "name") for document in connections if text(document, "protocol") == "stream"}
    if streams:
        context.gap("rabbitmq", "streams before the capture",
                    f"{len(streams)} connections are of the stream protocol, of which brokers log nothing: those that ended before "
                    "are not known", "incident-kit snapshot keeps the lists of connections.")  # fmt: skip
    if overview.get("disable_stats") is True:
        context.gap("rabbitmq", "channels and consumers",
                    f"statistics are off on {text(overview, 'node')}: it has no channels, consumers or rates",
                    "Ask a node without management.disable_stats.")  # fmt: skip


def _report_users_view(lists: dict[str, list[Document] | None], overview: Document, context: Context) -> None:
    whoami = (lists.get("whoami") or [{}])[0]
    tags = whoami.get("tags")
    if isinstance(tags, str):  # before 3.8 the tags were one text
        tags = tags.split(",")
    if isinstance(tags, list) and not {"monitoring", "administrator"} & set(map(str, tags)):
        context.gap(
            "rabbitmq", "connections, channels, consumers",
            f"user {text(whoami, 'name')} has tags {tags}: it sees only its own connections and no consumers",
            f"rabbitmqctl set_user_tags {text(whoami, 'name')} monitoring",
        )  # fmt: skip
    queues = lists.get("queues")
    consumed = {(text(c, "queue", "vhost"), text(c, "queue", "name")) for c in lists.get("consumers") or []}
    listed = {(text(q, "vhost"), text(q, "name")) for q in queues or []}
    counted = whole(overview, "object_totals", "queues") or 0
    if queues is not None and (consumed - listed - {(None, None)} or counted > len(listed)):
        unseen = sorted({vhost for vhost, _ in consumed - listed if vhost})
        lacking = f"; consumed ones it lacks in vhosts {unseen}" if unseen else ""
        context.gap(
            "rabbitmq", "queues",
            f"the list holds {len(listed)} queues but more exist (overview: {counted}{lacking}): the user lacks "
            "permissions on a vhost",
            "rabbitmqctl set_permissions -p VHOST USER '^$' '^$' '^$'",
        )  # fmt: skip
    nameless = sum(1 for consumer in lists.get("consumers") or [] if not _connection_name(consumer))
    if nameless:
        context.gap("rabbitmq", "consumers", f"{nameless} of {len(lists['consumers'] or [])} consumers do not say whose they are "
                    "(of AMQP 1.0, or just begun): what their connections consume is not known",
                    "Capture again; for AMQP 1.0 the client's own log tells.")  # fmt: skip
    carried = sum(whole(channel, "consumer_count") or 0 for channel in lists.get("channels") or [])
    if lists.get("consumers") == [] and carried:
        context.gap("rabbitmq", "consumers", f"channels count {carried} consumers, the list holds none",
                    "Ask as a user with the monitoring tag.")  # fmt: skip


def _connection_name(document: Document) -> str | None:
    return (
        text(document, "connection_details", "name")
        or text(document, "channel_details", "connection_name")
        or connection_of(text(document, "name"))
        or connection_of(text(document, "channel_details", "name"))
    )


def connection_of(channel: str | None) -> str | None:
    """Connection of a channel named ``<connection> (1)``."""
    if channel is None or not channel.endswith(")") or " -> " not in channel:
        return None
    return channel.rpartition(" (")[0] or None


def _number_of(channel: str | None) -> int | None:
    number = (channel or "").rpartition(" (")[2].removesuffix(")")
    return int(number) if number.isdecimal() else None


def _instant(value: str | None) -> int | None:
    # 3.8 writes "2020-05-05 12:34:56" in UTC without saying so.
    return (parse_rfc3339(value) or parse_rfc3339(f"{value}Z")) if value else None


def _texts(value: Any) -> list[str] | None:
    return [str(item) for item in value] if isinstance(value, list) else None


def overview_of(lists: dict[str, list[Document] | None]) -> Document:
    """The overview document; an empty one where it was not read."""
    return mapping({"overview": (lists.get("overview") or [{}])[0]}, "overview")
