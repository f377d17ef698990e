"""Times in sentences: the clock alone where one day above says the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from incident_kit.present.cells import instant, without_day

if TYPE_CHECKING:
    from incident_kit.window import Window


class Clock:
    """Writes the times of one window, whole seconds in UTC.

    Attributes:
        day: the day of the whole window (``2026-11-20``), nothing when it has several.
    """

    def __init__(self, window: Window) -> None:
        days = {_text(window.start)[:10], _text(window.end - 1)[:10]}
        self.day = days.pop() if len(days) == 1 else ""

    def __call__(self, time: int) -> str:
        """``08:00:00``, or with the date where the window, or this time, is of another day."""
        return without_day(_text(time)[:19], self.day)

    def span(self, window: Window) -> str:
        """Both ends, the common day once."""
        return f"{self.day} {self(window.start)} to {self(window.end)}".strip()


def _text(time: int) -> str:
    import pandas as pd

    return instant(pd.Timestamp(time, tz="UTC"))
