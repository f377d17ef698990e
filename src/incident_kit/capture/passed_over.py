"""What a search over the asked indices passes over in silence: closed indices, names of nothing, failure stores.

Elasticsearch leaves out what a pattern matches and it cannot serve, or this user may not read, and answers 200.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from incident_kit.capture.session import Session
from incident_kit.errors import SourceDenied, SourceError, SourceIncomplete
from incident_kit.sources.elasticsearch import SOURCE, Search, index_path
from incident_kit.window import SECOND, Window

_DATE = re.compile(r"(\d{4})[.\-](\d\d)(?:[.\-](\d\d))?")
_PRIVILEGE = "read_failure_store"


def tell_what_is_passed_over(session: Session, search: Search, indices: Sequence[str]) -> None:
    """Gaps for what the readings to come will leave out."""
    streams: list[str] = []
    closed: list[str] = []
    for pattern in (one for one in indices if not one.startswith("-")):
        try:
            found = search.resolve(pattern)
        except SourceIncomplete as error:
            session.gap(SourceIncomplete(SOURCE, pattern, error.reason, "Check elasticsearch.indices in the profile."))
            continue
        except SourceError as error:
            session.gap(error, hides=False)
            continue
        closed += [index["name"] for index in found.get("indices") or [] if "closed" in (index.get("attributes") or [])]
        streams += [stream["name"] for stream in found.get("data_streams") or []]
    for name in dict.fromkeys(closed):
        told = SourceIncomplete(
            SOURCE, name, "the index is closed: its documents cannot be read", f"POST /{name}/_open, then repeat."
        )
        session.gap(told, hides=may_hold(name, session.context.window))
    if streams and session.profile.elasticsearch.failure_stores and _may_not_read_failures(search, streams):
        names = ", ".join(dict.fromkeys(streams))
        session.gap(
            SourceDenied(
                SOURCE,
                f"failure stores of {names[:200]}",
                f"this user lacks {_PRIVILEGE}; what was refused is told by the mapping only, or as console_only",
                f"Grant the indices privilege {_PRIVILEGE} on {names[:200]}.",
            ),
            hides=False,
        )


def tell_of_other_times(session: Session, field: str, types: set[str]) -> None:
    """A gap where the time field is no date in some index: a range over it passes those documents over."""
    others = sorted(types - {"date", "date_nanos"})
    if others:
        told = f"{field} is {', '.join(others)} in some of the indices: documents there cannot be found by time"
        remedy = "Leave those indices out of elasticsearch.indices, or map the field as date there."
        session.gap(SourceIncomplete(SOURCE, ",".join(session.profile.elasticsearch.indices), told, remedy))


def has_failures(session: Session, search: Search, stores: Sequence[str]) -> bool:
    """Whether there is a failure store that can be searched; who may read one may not see its mapping."""
    target = f"/{index_path(stores)}/_search?ignore_unavailable=true"
    try:
        answer = search.ask("POST", target, {"size": 0}, what="failure stores")
    except SourceDenied as error:
        session.gap(error, hides=False)
        return False
    except SourceError:
        return False  # a server before failure stores refuses the name
    return bool((answer.get("_shards") or {}).get("total"))


def _may_not_read_failures(search: Search, streams: Sequence[str]) -> bool:
    """Whether the server knows the privilege and this user lacks it; without security everybody may."""
    wanted = {"index": [{"names": list(dict.fromkeys(streams)), "privileges": [_PRIVILEGE]}]}
    try:
        answer: Any = search.ask("POST", "/_security/user/_has_privileges", wanted, what="privileges")
    except SourceError:
        return False  # no security, or a server before failure stores
    return not all(granted.get(_PRIVILEGE) for granted in (answer.get("index") or {}).values())


def may_hold(index: str, window: Window) -> bool:
    """Whether an index may hold documents of the window: by the date in its name, a day's margin, or for lack of one."""
    dated = _DATE.search(index)
    if dated is None:
        return True
    year, month, day = (int(part) if part else 0 for part in dated.groups())
    try:
        begin = datetime(year, month, day or 1, tzinfo=UTC)
    except ValueError:
        return True
    end = begin + timedelta(days=1 if day else 31)
    margin = timedelta(days=1)
    first, last = (datetime.fromtimestamp(at / SECOND, UTC) for at in (window.start, window.end))
    return begin - margin <= last and first <= end + margin
