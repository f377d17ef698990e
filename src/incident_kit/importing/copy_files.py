"""Every collected file to its place in a bundle's ``raw/``: what it is, then through redaction, several at once.

Consoles come last: whose they are, the lists of pods tell that were copied before.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

from incident_kit.importing.copy import RawCopy
from incident_kit.importing.known_pods import KnownPods
from incident_kit.importing.layout import file_kind, nearest_name, shown_name
from incident_kit.importing.recognise import Recognised, recognise, recognise_console
from incident_kit.importing.sample import Sample, sample_of
from incident_kit.importing.shapes.shape import Source
from incident_kit.importing.unpack import CollectedFile
from incident_kit.in_order import WORKERS, in_order
from incident_kit.lines import whole_lines
from incident_kit.normalise.context import Context
from incident_kit.normalise.raw import RawFolder
from incident_kit.redaction import Redactor, default_redactor


@dataclass(slots=True)
class _Work:
    """One file on its way."""

    number: int
    file: CollectedFile
    sample: Sample
    what: Recognised | None
    destination: str | None = None
    gaps: list[dict[str, Any]] = field(default_factory=list)


class _Turn(Enum):
    """In which turn a file is copied: each knows the pods of the turns before."""

    ALL_BY_THEMSELVES = 1
    OBJECTS_OF_PODS = 2
    CONSOLES = 3


class _Destinations:
    """Places in ``raw/``; two files never share one."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, wanted: str) -> str:
        """The place, or one beside it where it is taken: logs are parts of one, other files have names of their own."""
        place, number = wanted, 2
        while place.removesuffix(".gz") in self._taken:
            place, number = _beside(wanted, number), number + 1
        self._taken.add(place.removesuffix(".gz"))
        return place


def _beside(wanted: str, number: int) -> str:
    packed = ".gz" if wanted.endswith(".gz") else ""
    name = wanted.removesuffix(packed)
    if file_kind(wanted) in ("console", "rabbitmq_log"):
        return f"{name}.{number}{packed}"
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-{number}{dot}{ending}{packed}"


def copy_files(files: Sequence[CollectedFile], raw: Path, context: Context) -> int:
    """Copy every file that is anything; whatever is left out is a gap. Gaps come in the order of the files.

    Returns:
        How many files were taken.
    """
    raw.mkdir(parents=True)
    redactor = default_redactor(context.profile.keep_readable)
    destinations = _Destinations()
    with ThreadPoolExecutor(WORKERS) as pool, ThreadPoolExecutor(WORKERS) as scanners:
        run = _Run(raw, context, redactor, pool, scanners, sum(file.path.stat().st_size for file in files))
        samples = in_order(pool, lambda file: sample_of(file.path, file.relative), files)
        works = [
            _Work(n, file, sample, recognise(sample))
            for n, (file, sample) in enumerate(zip(files, samples, strict=True))
        ]
        for turn in _Turn:
            own = [work for work in works if _turn(work) is turn]
            known = KnownPods(RawFolder(raw), context)  # those of the turns before
            if turn is _Turn.CONSOLES:
                for work in own:
                    _name_console(work, known, context)
            _place(own, destinations)
            run.all(own, known)
    for work in works:
        context.gaps += work.gaps
    return sum(1 for work in works if work.what is not None)


def _turn(work: _Work) -> _Turn:
    if work.what is None:
        return _Turn.CONSOLES
    shape = work.what.shape
    if shape is None or not (shape.needs_pods or shape.system == "console"):
        return _Turn.ALL_BY_THEMSELVES
    return _Turn.CONSOLES if shape.system == "console" else _Turn.OBJECTS_OF_PODS


def _name_console(work: _Work, known: KnownPods, context: Context) -> None:
    """Whose console a text is that is nothing else, or a console in another form, by its name."""
    shape = work.what.shape if work.what is not None else None
    if work.what is not None and (work.what.destination is not None or shape is None or not shape.by_name):
        return
    if (named := recognise_console(work.sample, known)) is not None:
        what, note = named
        work.what = Recognised(shape or what.shape, what.destination)
        if note is not None:
            noted = replace(context, gaps=work.gaps)
            noted.gap("console", work.file.relative, note)


def _place(works: Sequence[_Work], destinations: _Destinations) -> None:
    for work in works:
        if work.what is not None and work.what.destination is not None:
            work.destination = destinations.claim(work.what.destination)
            if file_kind(work.what.destination) == "window" and work.destination != work.what.destination:
                work.destination = None  # the one nearest to the folder's top is the one that counts


@dataclass(slots=True)
class _Run:
    """One import's copying, and how far it is."""

    raw: Path
    context: Context
    redactor: Redactor
    pool: Executor
    scanners: Executor
    total: int
    done: int = 0

    def all(self, works: Sequence[_Work], known: KnownPods) -> None:
        """Copy files, several at once."""
        for work, gaps in zip(works, in_order(self.pool, lambda work: self._one(work, known), works), strict=True):
            work.gaps += gaps
            self.done += work.file.path.stat().st_size
            self.context.progress("reading and redacting", self.done, self.total)

    def _one(self, work: _Work, known: KnownPods) -> list[dict[str, Any]]:
        own = replace(self.context, gaps=[])
        copy = RawCopy(self.raw, own, self.redactor, self.scanners)
        path, relative = work.file.path, work.file.relative
        if work.what is None:
            _report_unknown(relative, own)
        elif work.what.shape is not None:
            shape = work.what.shape
            blocks = whole_lines(copy.readable_chunks(path, shown_name(relative, shape.system), shape.system))
            source = Source(relative, work.destination, work.number, blocks, work.sample, known, own)
            copy.write(shape.convert(source), relative)
        elif work.destination is not None and file_kind(work.destination) == "window":
            shutil.copyfile(path, self.raw / work.destination)
        elif work.destination is not None:
            copy.copy(path, relative, work.destination)
        return own.gaps


def _report_unknown(relative: str, context: Context) -> None:
    remedy = f"Perhaps it is {nearest_name(relative)}."
    if relative.lower().startswith("elasticsearch/"):  # what it holds could be any document
        context.gap("elasticsearch", relative, "not documents in any form that is known; it is left out", remedy)
    else:
        context.gap(
            "bundle", relative, "not a file of the layout, nor of any form that is known; it is left out", remedy
        )
