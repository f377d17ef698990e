"""Connection names: ``10.2.3.4:40631 -> 10.0.0.5:5672`` taken apart, addresses in one spelling."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

#: One end of a connection: an IPv4 address, an IPv6 address in brackets or a reverse DNS name, with a port.
END = r"(?:\[[0-9A-Fa-f:.%]+\]|[^\s\[\]()]+?):\d+"
_NAME = re.compile(rf"^(?P<peer>{END}) -> (?P<host>{END})")


def plain_address(text: str | None) -> str | None:
    """An address in its shortest spelling without brackets; IPv4 inside IPv6 as IPv4; other names unchanged."""
    if text is None:
        return None
    bare = text.strip().removeprefix("[").removesuffix("]").split("%", 1)[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return bare or None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def is_address(text: str | None) -> bool:
    """Whether the text is an IP address rather than a name."""
    try:
        ip_address(text or "")
    except ValueError:
        return False
    return True


def peer_of(connection: str | None) -> tuple[str | None, int | None]:
    """Address (or name) and port of the client's end of a connection name."""
    match = _NAME.match(connection or "")
    if match is None:
        return None, None
    host, _, port = match["peer"].rpartition(":")
    return plain_address(host), int(port)
