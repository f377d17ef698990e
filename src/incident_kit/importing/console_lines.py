"""Console lines of one or many pods, from whatever told them, as console files of the layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from incident_kit.importing.own_times import KUBELET_TIME, OwnTimes
from incident_kit.importing.shapes.shape import Pieces, Source
from incident_kit.importing.zone import learnt_offset
from incident_kit.normalise.logs.formats.stated import offset_seconds
from incident_kit.normalise.raw import UNKNOWN
from incident_kit.window import format_ns

_BLOCK_LINES = 20_000


@dataclass(slots=True)
class ConsoleLine:
    """One line.

    Attributes:
        pod: name of the pod; empty where nothing says it.
        container: name of the container, or None.
        namespace: its namespace, or None.
        time: the kubelet's time as it stood there, or in ns; None where there is none.
        stream: stdout or stderr, or None.
        text: the line itself.
        whole: False for a part of a line that the next one goes on with.
    """

    pod: str
    container: str | None
    namespace: str | None
    time: str | int | None
    stream: str | None
    text: str
    whole: bool = True


@dataclass(slots=True)
class _Console:
    destination: str
    times: OwnTimes
    own: bool = False
    last: str | None = None
    lines: list[str] = field(default_factory=list)


class ConsoleFiles:
    """Console files that lines of one source become; what its lines do not say is asked of the known pods."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._consoles: dict[tuple[str | None, str, str | None], _Console] = {}
        self._untimed = 0
        self._assumed: set[str] = set()

    def pieces(self, lines: Iterable[ConsoleLine]) -> Pieces:
        """The files' blocks; gaps for what was assumed and what could not be placed."""
        for count, line in enumerate(lines, 1):
            self._add(line)
            if count % _BLOCK_LINES == 0:
                yield from self._flush()
        yield from self._flush()
        self._report()

    def _add(self, line: ConsoleLine) -> None:
        key = (line.namespace, line.pod, line.container)
        console = self._consoles.get(key)
        if console is None:
            console = self._consoles[key] = self._begin(line)
        if line.time is None:
            stamp = format_ns(console.times.of(line.text)) or console.last
            console.own = True
        else:
            stamp = line.time if isinstance(line.time, str) else format_ns(line.time)
        if stamp is None:
            self._untimed += bool(line.text.strip())
            return
        console.last = stamp
        if line.stream:
            console.lines.append(f"{stamp} {line.stream} {'F' if line.whole else 'P'} {line.text}\n")
        else:
            console.lines.append(f"{stamp} {line.text}\n")

    def _begin(self, line: ConsoleLine) -> _Console:
        known = self._source.known.one(line.pod, line.namespace)
        namespace = line.namespace or (known.namespace if known else None)
        if namespace is None and len(self._source.known.namespaces) == 1:
            [namespace] = self._source.known.namespaces
        if namespace is None:
            self._assumed.add(
                f"nothing tells the namespace of {line.pod}: that of its documents is taken, else it is called {UNKNOWN}"
            )
        container = line.container
        if container is None:
            container = known.default if known else None
            if container is None or (known and len(known.containers) > 1):
                self._assumed.add(
                    f"its lines tell no container of {line.pod}; they are taken for {container or 'unknown'}'s"
                )
        folder = f"console/{_safe(namespace or UNKNOWN)}/{_safe(line.pod)}"
        times = own_times(self._source, [line.pod])
        return _Console(f"{folder}/{_safe(container or UNKNOWN)}.log.from-{self._source.number}", times)

    def _flush(self) -> Pieces:
        for console in self._consoles.values():
            if console.lines:
                yield console.destination, "".join(console.lines).encode("utf-8", "replace")
                console.lines = []

    def _report(self) -> None:
        context, relative = self._source.context, self._source.relative
        for assumed in sorted(self._assumed):
            context.gap("console", relative, assumed)
        own = [console.times for console in self._consoles.values() if console.own]
        if own:
            report_own_times(self._source, own)
        if self._untimed:
            context.gap("console", relative, f"{self._untimed} lines carry no time; they are left out",
                        "Collect it with timestamps.")  # fmt: skip


def own_times(source: Source, pods: Sequence[str]) -> OwnTimes:
    """A reader of the lines' own times; in the profile's zone, else in that which their documents show, else in UTC."""
    near = source.context.window.start
    offset = offset_seconds(source.context)
    if offset is None:
        offset = learnt_offset(source.sample.lines, source.known.told(pods), near)
    return OwnTimes(near, offset or 0, zone_is_known=offset is not None)


def report_own_times(source: Source, times: Sequence[OwnTimes]) -> None:
    """The gap of a console whose lines' own times stand for the kubelet's."""
    assumed = any(one.without_zone and not one.zone_is_known for one in times)
    shifts = sorted(
        {one.offset_seconds for one in times if one.without_zone and one.zone_is_known and one.offset_seconds}
    )
    hours = ", ".join(f"UTC{shift / 3600:+g}" for shift in shifts)
    zone = (f" They carry no zone; the documents show {hours}." if hours else "") + (
        " Those without a zone are taken as UTC." if assumed else ""
    )
    source.context.gap(
        "console", source.relative,
        f"its lines carry no times of the kubelet: their own are taken, and a line without any has that of the line before.{zone}",
        "Collect it with kubectl logs --timestamps.",
    )  # fmt: skip


def stamped(text: str) -> tuple[str | None, str]:
    """The kubelet's time in front of a line, where there is one, and the rest."""
    found = KUBELET_TIME.match(text)
    return (found[0], text[found.end() + 1 :]) if found else (None, text)


def _safe(name: str) -> str:
    """A name as one part of a path."""
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip(".")
    return safe or UNKNOWN
