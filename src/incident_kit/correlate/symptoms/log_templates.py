"""Log templates of a workload that began or ended around an instant.

A template is what the tables mask (numbers, identifiers, quoted and assigned values). Free words such as user names stay
in it, so one that seems new is compared with the older ones the way Drain does, token by token: one that shares most of
its tokens with an older one is the same template with another word in it. Only candidates are compared, and only of
workloads with a symptom, so millions of rows cost one aggregate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.correlate.symptoms.log_counts import Series
from incident_kit.normalise.logs.normal_form import MASK
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS
from incident_kit.window import SECOND

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Share of equal tokens from which two texts of one length are one template (Drain's default is 0.4, on masked tokens).
_SAME = 0.6
#: A template that came so often before is missed when it stays away: by chance once in 150 times at most (Poisson).
_MISSED = 5.0
_TOKEN = re.compile(r"\S+")


@dataclass(slots=True)
class Template:
    """One template of one workload.

    Attributes:
        example: the first line of one of its entries.
        level: its level, where the entries carry one.
        count: entries in the window.
        first: time of the first one (ns).
        last: time of the last one (ns).
    """

    example: str
    level: str | None
    count: int
    first: int
    last: int


def templates_of(series: Series, evidence: Evidence) -> list[Template]:
    """Every template that the pods of a workload logged in the window, on the side that was counted."""
    console = series.side == "console"
    files = evidence.parquet(CONSOLE_ENTRIES if console else ELASTIC_DOCUMENTS)
    if not files or not series.pods:
        return []
    import duckdb

    head = "split_part(message, chr(10), 1)"
    masked = "mask_hash" if console else f"hash(coalesce(template, regexp_replace({head}, $mask, '*', 'g')))"
    sql = f"""
        SELECT arg_min({head}, time), any_value(level), count(*), epoch_ns(min(time)), epoch_ns(max(time))
        FROM read_parquet($files, hive_partitioning = false)
        WHERE pod IN (SELECT unnest($pods)) AND epoch_ns(time) >= $start AND epoch_ns(time) < $end AND message IS NOT NULL
        GROUP BY {masked}"""
    values = {"files": files, "start": evidence.window.start, "end": evidence.window.end}
    values["pods"] = sorted({pod for _, pod in series.pods})
    if not console:
        values["mask"] = MASK
    with duckdb.connect() as connection:
        return [Template(*row) for row in connection.execute(sql, values).fetchall()]


def new_templates(templates: list[Template], time: int, *, within_seconds: float) -> list[Template]:
    """Templates whose first entry lies around an instant and that are no other spelling of an older one, frequent first.

    Args:
        templates: all of one workload.
        time: the instant (ns).
        within_seconds: how far before and after it counts.
    """
    reach = int(within_seconds * SECOND)
    older = [t for t in templates if t.first < time - reach]
    if not older:
        return []  # nothing was seen before: then everything is new, and nothing is told by it
    fresh = [t for t in templates if abs(t.first - time) <= reach]
    found: list[Template] = []
    for one in sorted(fresh, key=lambda t: (-t.count, t.first)):
        if not any(_alike(one.example, other.example) for other in (*older, *found)):
            found.append(one)
    return found


def vanished_templates(templates: list[Template], time: int, *, within_seconds: float, end: int) -> list[Template]:
    """Templates whose last entry lies around an instant and that would have come again, frequent first.

    Args:
        templates: all of one workload.
        time: the instant (ns).
        within_seconds: how far before and after it counts.
        end: until when entries would have been seen (ns).
    """
    reach = int(within_seconds * SECOND)
    latest = max((t.last for t in templates), default=end)
    gone = [t for t in templates if abs(t.last - time) <= reach and t.count > 1 and t.last < latest]
    missed = [t for t in gone if (t.count - 1) / max(t.last - t.first, 1) * (min(end, latest) - t.last) >= _MISSED]
    goes_on = [t for t in templates if t.last > time + reach]
    return sorted(
        (t for t in missed if not any(_alike(t.example, other.example) for other in goes_on)), key=lambda t: -t.count
    )


def _alike(one: str, other: str) -> bool:
    """Whether two first lines are one template with other words in it."""
    left, right = _TOKEN.findall(one), _TOKEN.findall(other)
    if len(left) != len(right) or not left:
        return False
    same: int = sum(a == b for a, b in zip(left, right, strict=True))
    return bool(same >= _SAME * len(left))
