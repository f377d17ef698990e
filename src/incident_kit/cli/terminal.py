"""What the program writes: the answer on standard output, everything else on standard error.

Text of logs and servers passes `plain` or the tables' own guard, so that it cannot steer a terminal. Tables are written
in whatever the terminal can show; JSON and CSV are UTF-8 everywhere, because programs read them.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

_GAPS_SHOWN = 8
#: For terminals that know only ASCII or Latin-1; anything else is written as an escape.
_SIMPLER = str.maketrans({"─": "-", "·": "|", "…": "~", "→": ">", "⏎": "/", "□": "?"})


def prepare_streams() -> None:
    """Let no output fail because a stream is closed or cannot encode a character."""
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it caches its fonts is no reader's business
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def say(text: str) -> None:
    """The answer for a reader, alone on standard output."""
    if not (sys.stdout.encoding or "").lower().startswith("utf"):
        text = text.translate(_SIMPLER)
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def say_data(text: str) -> None:
    """The answer for a program: UTF-8 whatever the locale."""
    sys.stdout.flush()
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:  # replaced by something that only takes text
        sys.stdout.write(text)
        return
    raw.write(text.encode("utf-8", errors="backslashreplace"))
    raw.flush()


def warn(text: str) -> None:
    """One line on standard error."""
    print(text, file=sys.stderr)  # noqa: T201 - the terminal is this package's job


def warn_of_gaps(gaps: Sequence[Mapping[Any, Any]], rest: str) -> None:
    """The first gaps on standard error, each with its remedy where it has one.

    Args:
        gaps: GAPS rows.
        rest: where the others are told.
    """
    for gap in gaps[:_GAPS_SHOWN]:
        remedy = f" -> {plain(gap['remedy'])}" if isinstance(gap.get("remedy"), str) and gap["remedy"] else ""
        warn(f"  {plain(gap['source'])}: {plain(gap['what'])}: {plain(gap['reason'])}{remedy}")
    if len(gaps) > _GAPS_SHOWN:
        warn(f"  ... and {len(gaps) - _GAPS_SHOWN} more; {rest}")


def plain(value: object) -> str:
    """Text of a source without control characters: a log line must not steer the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(value))
