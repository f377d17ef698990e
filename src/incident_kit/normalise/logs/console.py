"""The console folder: which files belong to which container instance, and their lines without doubles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from incident_kit.arrays import put
from incident_kit.normalise.context import Context
from incident_kit.normalise.logs.copies import without_copies
from incident_kit.normalise.logs.known_instances import KnownInstance
from incident_kit.normalise.logs.lines import Lines, read_lines, some_lines
from incident_kit.normalise.raw import NOT_A_LOG, RawFolder
from incident_kit.window import SECOND

_CRI_NAME = re.compile(r"^(\d+)\.log(?:\.(\d{8}-\d{6}))?(?:\.[\w-]+)?(?:\.gz)?$")
#: Behind ``.log`` may stand which of several files of the container it is (``.1``).
_KUBECTL_NAME = re.compile(r"^(?P<container>.+?)(?P<previous>\.previous)?\.log(?:\.(?!gz$)[\w-]+)?(?:\.gz)?$")


@dataclass(slots=True)
class ConsoleFile:
    """One file: CRI file with its instance, or kubectl output."""

    path: Path
    restart_count: int | None = None
    rotated_at: str = ""
    previous: bool = False


@dataclass(slots=True)
class ContainerConsole:
    """All files of one container."""

    namespace: str
    pod: str
    container: str
    files: list[ConsoleFile] = field(default_factory=list)


@dataclass(slots=True)
class InstanceLines:
    """Lines of one container instance in time order."""

    restart_count: int | None
    lines: Lines
    parts: np.ndarray[Any, Any]


def consoles(raw: RawFolder, context: Context) -> list[ContainerConsole]:
    """Every container that has a console file."""
    found: dict[tuple[str, str, str], ContainerConsole] = {}
    for path in raw.files("console/**/*"):
        parts = Path(raw.relative(path)).parts[1:]
        if len(parts) == 4 and (cri := _CRI_NAME.match(parts[3])):
            key, file = (parts[0], parts[1], parts[2]), ConsoleFile(path, int(cri[1]), cri[2] or "")
        elif len(parts) == 3 and (named := _KUBECTL_NAME.match(parts[2])):
            key, file = (parts[0], parts[1], named["container"]), ConsoleFile(path, previous=bool(named["previous"]))
        else:
            context.gap(
                "console",
                raw.relative(path),
                "not a console file by its name; it is left out",
                "See the import layout.",
            )
            continue
        found.setdefault(key, ContainerConsole(*key)).files.append(file)
    return [found[key] for key in sorted(found)]


def read_console(
    console: ContainerConsole, raw: RawFolder, context: Context, instances: list[KnownInstance]
) -> Iterator[InstanceLines]:
    """The container's instances, oldest first; lines that several files hold come once."""
    gathered: dict[int | None, list[tuple[ConsoleFile, Lines]]] = defaultdict(list)
    known = _instances(instances)
    for file in sorted(console.files, key=_age):
        lines = _read(file, raw, context)
        if lines is None or not len(lines):
            continue
        for restart_count, piece in _assign(file, lines, known):
            gathered[restart_count].append((file, piece))
    for restart_count in sorted(gathered, key=lambda one: -1 if one is None else one):
        yield _merge(restart_count, gathered[restart_count])


def _age(file: ConsoleFile) -> tuple[int, int, str]:
    if file.restart_count is not None:
        return file.restart_count, 0, file.rotated_at or "9"
    return 1 << 30, 0 if file.previous else 1, ""


def _read(file: ConsoleFile, raw: RawFolder, context: Context) -> Lines | None:
    name = raw.relative(file.path)
    lines = read_lines(raw.bytes(file.path, context, "console"))
    odd = [text for text in lines.unstamped if text.strip()]
    answers = [text for text in odd if NOT_A_LOG.match(text)]
    if answers:
        context.gap(
            "console",
            name,
            f"the file holds an answer instead of a log: {answers[0][:300]}",
            "Read the node's own files (capture with rotated files), if they are still there.",
        )
    others = len(odd) - len(answers)
    if others:
        context.gap(
            "console",
            name,
            f"{others} lines carry no time stamp; they are left out",
            "Collect it with kubectl logs --timestamps.",
        )
    return lines


def _instances(known: list[KnownInstance]) -> list[tuple[int, int | None, int | None]]:
    """(restart_count, started_at, finished_at) of the container's known instances, oldest first."""
    rows = [(one.restart_count, one.started_at, one.finished_at) for one in known if one.restart_count is not None]
    return sorted(rows, key=lambda row: row[0])


def _assign(
    file: ConsoleFile, lines: Lines, known: list[tuple[int, int | None, int | None]]
) -> list[tuple[int | None, Lines]]:
    """Lines of a file by instance; kubectl's files are told apart by the instances' times."""
    if file.restart_count is not None:
        return [(file.restart_count, lines)]
    newest = max((count for count, _, _ in known), default=None)
    if newest is None:
        return [(None if not file.previous else -1, lines)]
    timed = [(count, started, finished) for count, started, finished in known if started is not None]
    first = int(lines.time.min())
    # Status times are whole seconds, cut: a line may come up to a second after the finish it belongs to.
    fitting = [count for count, started, _ in timed if started <= first + SECOND]
    if fitting and (len(timed) > 1 or not file.previous):
        begins = max(fitting)
    else:
        begins = newest - 1 if file.previous and newest > 0 else newest
    later = sorted((started, count) for count, started, _ in timed if first + SECOND < started <= int(lines.time.max()))
    if not later:
        return [(begins, lines)]
    # What a log store or a follower of the pod kept goes on over restarts.
    place = np.searchsorted(np.array([started for started, _ in later]), lines.time, side="right")
    counts = [begins, *(count for _, count in later)]
    return [(counts[number], some_lines(lines, place == number)) for number in np.unique(place).tolist()]


def _merge(restart_count: int | None, files: list[tuple[ConsoleFile, Lines]]) -> InstanceLines:
    restart_count = None if restart_count is None or restart_count < 0 else restart_count
    pieces = without_copies(_finished([lines for _, lines in files]))
    parts = np.concatenate([np.full(len(lines), number) for number, lines in enumerate(pieces)])
    if len(pieces) == 1:
        merged = pieces[0]
    else:
        text = pa.concat_arrays([lines.text for lines in pieces])
        merged = Lines(np.concatenate([p.time for p in pieces]), np.concatenate([p.stream for p in pieces]), text, [])
        merged, parts = _without_doubles(merged, parts, [file for file, _ in files])
    order = np.argsort(merged.time, kind="stable")
    if not np.array_equal(order, np.arange(len(order))):
        merged = Lines(merged.time[order], merged.stream[order], merged.text.take(pa.array(order)), [])
        parts = parts[order]
    return InstanceLines(restart_count, merged, parts)


def _finished(pieces: list[Lines]) -> list[Lines]:
    """The files' lines, each line that a rotation cut whole again in the file where it begins."""
    found = [pieces[0]]
    for following in pieces[1:]:
        before = found[-1]
        for row in before.unfinished:
            rests = np.flatnonzero(following.stream == before.stream[row])
            if not len(rests):
                continue
            rest = int(rests[0])
            whole = before.text[row].as_py() + following.text[rest].as_py()
            keep = np.ones(len(following), dtype=bool)
            keep[rest] = False
            text = put(before.text, np.array([row]), pa.array([whole], before.text.type))
            before = replace(before, text=text, unfinished=())
            following = some_lines(following, keep)
        found[-1] = before
        found.append(following)
    return found


def _without_doubles(
    lines: Lines, parts: np.ndarray[Any, Any], files: list[ConsoleFile]
) -> tuple[Lines, np.ndarray[Any, Any]]:
    """Lines that a later file repeats (same stamp, same text) are dropped; the file that knows streams comes first."""
    times, inverse, counts = np.unique(lines.time, return_inverse=True, return_counts=True)
    shared = counts[inverse] > 1
    keep = np.ones(len(lines), dtype=bool)
    seen: dict[tuple[int, str], int] = {}
    rows = np.flatnonzero(shared)
    texts = lines.text.take(pa.array(rows)).to_pylist()
    for row, text in zip(rows.tolist(), texts, strict=True):
        part = int(parts[row])
        before = seen.setdefault((int(lines.time[row]), text), part)
        keep[row] = before == part
    # kubectl's and the kubelet's files of one instance are one sequence: parts count rotations only.
    rotated = np.array([0 if f.restart_count is None else 1 for f in files])
    numbers = np.cumsum(rotated) - 1
    parts = np.maximum(numbers, 0)[parts]
    del times
    return Lines(lines.time[keep], lines.stream[keep], lines.text.filter(pa.array(keep)), []), parts[keep]
