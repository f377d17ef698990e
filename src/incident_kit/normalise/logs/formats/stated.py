"""What a profile states of consoles: patterns of first lines, and the zone of times that name none."""

from __future__ import annotations

import fnmatch
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from incident_kit.normalise.context import Context
from incident_kit.profile.layouts import first_line_expression

if TYPE_CHECKING:
    from incident_kit.normalise.logs.console import ContainerConsole
    from incident_kit.profile import Profile


def stated_expressions(console: ContainerConsole, profile: Profile) -> list[str]:
    """First-line regexps of the patterns that fit a container."""
    found = []
    for pattern in profile.patterns:
        fits = fnmatch.fnmatch(console.container, pattern.container) and fnmatch.fnmatch(
            console.namespace, pattern.namespace
        )
        if fits and fnmatch.fnmatch(console.pod, f"{pattern.workload}*" if pattern.workload != "*" else "*"):
            found.append(first_line_expression(pattern.pattern))
    return found


def offset_seconds(context: Context) -> int | None:
    """Offset of the profile's time zone at the window's start; None without one."""
    zone = context.profile.console_time_zone
    if not zone:
        return None
    if zone[0] in "+-":
        hours, minutes = zone[1:].split(":")
        return (1 if zone[0] == "+" else -1) * (int(hours) * 3600 + int(minutes) * 60)
    moment = datetime.fromtimestamp(context.window.start // 1_000_000_000, UTC).astimezone(ZoneInfo(zone))
    offset = moment.utcoffset()
    return int(offset.total_seconds()) if offset is not None else None
