"""Who publishes to which exchange, and what exchanges are bound to, from the management API's answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from incident_kit.nested import Document, listing, mapping, text, whole
from incident_kit.normalise.rabbitmq.management import connection_of


def publish_rows(exchanges: Iterable[Document], channels: Iterable[Document], cluster: str) -> list[dict[str, Any]]:
    """The PUBLISHES rows, from details of exchanges and of channels; both are filled in rates mode detailed only."""
    found: dict[tuple[str, str | None, str], dict[str, Any]] = {}
    for channel, vhost, exchange, connection, count in [*_incoming(exchanges), *_outgoing(channels)]:
        if channel is None or exchange is None or not count:
            continue
        key = (channel, vhost, exchange)
        known = found.get(key)
        if known is None or count > known["published"]:  # both tell of one channel, moments apart
            found[key] = {
                "cluster": cluster,
                "connection": connection or connection_of(channel),
                "channel": channel,
                "vhost": vhost,
                "exchange": exchange,
                "published": count,
            }
    return list(found.values())


#: channel, virtual host, exchange, connection, messages.
_Publish = tuple[str | None, str | None, str | None, str | None, int | None]


def _incoming(exchanges: Iterable[Document]) -> Iterator[_Publish]:
    for exchange in exchanges:
        for publisher in listing(exchange, "incoming"):
            channel, connection = (text(publisher, "channel_details", key) for key in ("name", "connection_name"))
            yield channel, text(exchange, "vhost"), _name(exchange), connection, whole(publisher, "stats", "publish")


def _outgoing(channels: Iterable[Document]) -> Iterator[_Publish]:
    for channel in channels:
        connection = text(channel, "connection_details", "name")
        for target in listing(channel, "publishes"):
            exchange = mapping(target, "exchange")
            count = whole(target, "stats", "publish")
            yield text(channel, "name"), text(exchange, "vhost"), _name(exchange), connection, count


def _name(exchange: Document) -> str | None:
    name = exchange.get("name")
    return name if isinstance(name, str) else None  # the default exchange's name is empty, not missing


def binding_row(document: Document, cluster: str) -> dict[str, Any] | None:
    """The BINDINGS row of one binding; None for those of the default exchange and for what is no binding."""
    source, destination = text(document, "source"), text(document, "destination")
    if source is None or destination is None:
        return None
    return {
        "cluster": cluster,
        "vhost": text(document, "vhost"),
        "exchange": source,
        "destination_type": text(document, "destination_type"),
        "destination": destination,
        "routing_key": document.get("routing_key") if isinstance(document.get("routing_key"), str) else None,
    }
