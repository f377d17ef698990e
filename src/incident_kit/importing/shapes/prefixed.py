"""Consoles of several pods in one text, each line with a name in front: kubectl --prefix, stern, kail, docker compose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from incident_kit.importing.console_lines import ConsoleFiles, ConsoleLine, stamped
from incident_kit.importing.console_names import is_pod_name
from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.shape import Pieces, Shape, Source
from incident_kit.normalise.logs.levels import fold_level
from incident_kit.normalise.logs.lines import ANSI

#: Begins the mark before a console in what kubectl cluster-info dump writes.
DUMP_MARK = "==== START logs for container "
_ANSI = re.compile(ANSI)
_NAME = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
#: Prefixes that stand for themselves.
_SURE = (
    re.compile(rf"\[pod/(?P<pod>{_NAME})/(?P<container>{_NAME})\] ?(?P<text>.*)"),  # kubectl logs --prefix
    re.compile(rf"{DUMP_MARK}(?P<container>{_NAME}) of pod (?P<namespace>{_NAME})/(?P<pod>{_NAME}) ===="),
)
#: Prefixes that only the names in them tell from what an application writes.
_LIKELY = (
    re.compile(rf"(?P<namespace>{_NAME})/(?P<pod>{_NAME})\[(?P<container>{_NAME})\]: ?(?P<text>.*)"),  # kail
    re.compile(rf"\[(?P<pod>{_NAME})(?: (?P<container>{_NAME}))?\] ?(?P<text>.*)"),  # kubetail
    re.compile(rf"(?P<namespace>{_NAME}) (?P<pod>{_NAME}) (?P<container>{_NAME}) ?(?P<text>.*)"),  # stern -A
    re.compile(rf"(?P<pod>{_NAME}) (?P<container>{_NAME}) ?(?P<text>.*)"),  # stern
)
_COMPOSE = re.compile(r"(?P<pod>[A-Za-z0-9][\w.-]*) *\| ?(?P<text>.*)")
#: What stern tells of itself: which consoles it begins and ends to follow.
_OF_ITSELF = re.compile(r"[+-] .+ › ")
_MOST_SERVICES = 50


def _shown(line: str) -> str:
    return _ANSI.sub("", line) if "\x1b" in line else line


def prefix_of(lines: list[str]) -> re.Pattern[str] | None:
    """The prefix that all of these lines carry, but for a few; None where they carry none."""
    shown = [line for line in map(_shown, lines) if not _OF_ITSELF.match(line)]
    enough = 0.9 * len(shown)
    if not shown:
        return None
    if _SURE[1].match(shown[0]):
        return _SURE[1]
    if sum(1 for line in shown if _SURE[0].match(line)) >= enough:
        return _SURE[0]
    for prefix in _LIKELY:
        found = [match for match in map(prefix.match, shown) if match]
        if len(found) >= enough and sum(1 for match in found if is_pod_name(match["pod"])) >= enough:
            return prefix
    services = [match["pod"] for match in map(_COMPOSE.match, shown) if match]
    words = set(services)
    if len(services) >= enough and len(words) <= _MOST_SERVICES and not any(fold_level(word) for word in words):
        return _COMPOSE
    return None


def _fits(sample: Sample) -> bool:
    return sample.place != "elasticsearch" and not sample.is_json and prefix_of(sample.lines) is not None


def _convert(source: Source) -> Pieces:
    prefix = prefix_of(source.sample.lines)
    if prefix is None:  # told from the same sample before
        return
    read = dumped(source.lines()) if prefix is _SURE[1] else _prefixed(source, prefix)
    yield from ConsoleFiles(source).pieces(read)


def _prefixed(source: Source, prefix: re.Pattern[str]) -> Iterator[ConsoleLine]:
    strange = 0
    for raw in source.lines():
        line = _shown(raw)
        match = prefix.match(line)
        if match is None:
            strange += bool(line.strip()) and not _OF_ITSELF.match(line)
            continue
        names = match.groupdict()
        time, text = stamped(names["text"])
        yield ConsoleLine(names["pod"], names.get("container"), names.get("namespace"), time, None, text)
    if strange:
        source.context.gap(
            "console",
            source.relative,
            f"{strange} lines lack the name in front that the others carry; they are left out",
        )


def dumped(lines: Iterable[str]) -> Iterator[ConsoleLine]:
    """The ``logs.txt`` of kubectl cluster-info dump: one console after another, each between two marks."""
    names: dict[str, str] | None = None
    for line in lines:
        if begins := _SURE[1].match(line):
            names = begins.groupdict()
        elif line.startswith("==== END logs for container "):
            names = None
        elif names is not None:
            time, text = stamped(line)
            yield ConsoleLine(names["pod"], names["container"], names["namespace"], time, None, text)


PREFIXED = Shape("consoles with a name in front of each line", _fits, _convert, "console")
