"""The cases: one function each, named for what is wrong in it; deterministic by seed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable

from . import (
    cases_coverage,
    cases_ends,
    cases_formats,
    cases_fuzz,
    cases_losses,
    cases_pipelines,
    cases_present,
    cases_recordings,
    cases_second,
)
from .heldout import cases as heldout
from .model import HOUR, MINUTE, Case, at

Make = Callable[[Case], None]
CASES: dict[str, Make] = {
    **cases_formats.CASES,
    **cases_recordings.CASES,
    **cases_losses.CASES,
    **cases_ends.CASES,
    **cases_present.CASES,
    **cases_coverage.CASES,
    **cases_second.CASES,
    **cases_pipelines.CASES,
    **cases_fuzz.CASES,
    **heldout.CASES,
}


def build(name: str, seed: int = 1) -> Case:
    """Make a case; the same name and seed give the same folder, byte for byte."""
    rng = random.Random(zlib.crc32(f"{name}/{seed}".encode()))
    start = at("2026-11-20T10:00:00Z") + rng.randrange(8) * HOUR + rng.randrange(60) * MINUTE
    case = Case(name, start, start + 30 * MINUTE, rng)
    CASES[name](case)
    rng.shuffle(case.documents)
    return case
