"""Session: what the steps of one capture share, and the only place where a SourceError becomes a gap."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from incident_kit.capture.scope import Scope
from incident_kit.capture.store import RawStore
from incident_kit.errors import SourceError
from incident_kit.normalise.context import Context
from incident_kit.profile import Profile
from incident_kit.window import format_ns

Progress = Callable[[str], None]


def say(message: str) -> None:
    """Progress on stderr, one line each."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


@dataclass(kw_only=True)
class Session:
    """One capture under way."""

    profile: Profile
    scope: Scope
    context: Context
    store: RawStore
    journal: Journal
    progress: Progress = say
    asked: list[dict[str, Any]] = field(default_factory=list)
    pods: list[dict[str, Any]] = field(default_factory=list)
    console_lines: Counter[str] = field(default_factory=Counter)
    stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def step(self, name: str, source: str, action: Callable[[], str | None], *, hides: bool = True) -> bool:
        """Run one step unless an earlier, interrupted run finished it; a failing source is a gap, never the end.

        Args:
            name: unique name of the step, e.g. ``kubernetes pods``.
            source: source of the gap when it fails.
            action: what to do; answers what was obtained, for the progress line.
            hides: whether its failure leaves the window in the dark, or only makes the answer poorer.

        Returns:
            Whether it succeeded, now or earlier.
        """
        if self.journal.done(name):
            self.progress(f"{name}: done before")
            return True
        if self.stopping.is_set():
            return False
        started = time.time_ns()
        gaps_before = len(self.context.gaps)
        try:
            told = action()
        except SourceError as error:
            self.gap(error, source, hides=hides)
            told = f"failed: {error.reason}"
            succeeded = False
        else:
            succeeded = True
        with self._lock:
            self.asked.append({"source": source, "what": name, "at": format_ns(started), "answer": told})
            if succeeded and len(self.context.gaps) == gaps_before and not self.stopping.is_set():
                self.journal.mark(name)
        self.progress(f"{name}: {told or 'done'}")
        return succeeded

    def gap(self, error: SourceError, source: str | None = None, *, hides: bool = True) -> None:
        """Record a failed or partial reading; what hides evidence hides it in the whole window of this capture."""
        start, end = (self.context.window.start, self.context.window.end) if hides else (None, None)
        self.context.gap(source or error.source, error.what, error.reason, error.remedy, start=start, end=end)


class Journal:
    """Which steps of a capture are finished, on disk, so that an interrupted one goes on where it was.

    Args:
        path: the journal file.
        asked: what this capture asks; another question starts anew.
    """

    def __init__(self, path: Path, asked: dict[str, Any]) -> None:
        self._path, self._asked = path, orjson.loads(orjson.dumps(asked))
        self._done: set[str] = set()
        self._lock = threading.Lock()
        self.resumed = False
        if path.is_file():
            try:
                written = orjson.loads(path.read_bytes())
            except orjson.JSONDecodeError:
                return
            if written.get("asked") == self._asked:
                self._done = set(written.get("done", []))
                self.resumed = bool(self._done)

    def done(self, step: str) -> bool:
        """Whether the step was finished without a gap."""
        return step in self._done

    def mark(self, step: str) -> None:
        """Remember a finished step."""
        with self._lock:
            self._done.add(step)
            self._path.write_bytes(orjson.dumps({"asked": self._asked, "done": sorted(self._done)}))
