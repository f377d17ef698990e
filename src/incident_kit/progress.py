"""The seam through which long work says how far it is.

Work is handed a `Progress` and calls it; who shows it, and whether, is the caller's affair. Silence is the default.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called from the thread that leads the work, as often as it likes."""

    def __call__(self, step: str, done: float, total: float) -> None:
        """Say how far a step is.

        Args:
            step: what is being done; each step has its own bar.
            done: how much of it, in the step's own unit (bytes, pieces).
            total: how much there is; the step is over when ``done`` reaches it.
        """


def silent(step: str, done: float, total: float) -> None:
    """Say nothing."""
