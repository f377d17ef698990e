"""Bars for long work: rich's on stderr of a terminal and in notebooks; nothing where nobody looks."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rich.progress

#: Set for the kernel of a notebook that nobody watches: a bar would stay in its page as a dead widget.
HEADLESS = "INCIDENT_KIT_HEADLESS"
#: Work that is over sooner shows no bar.
_QUIET_SECONDS = 0.5


class ProgressBars:
    """A `Progress` that draws one bar for each step; also a context that clears the bars at its end.

    Args:
        shown: whether somebody looks; by default, whether stderr is a terminal or this is a notebook.
    """

    def __init__(self, *, shown: bool | None = None) -> None:
        self._shown = (sys.stderr.isatty() or _in_notebook()) if shown is None else shown
        self._begun = time.monotonic()
        self._bars: rich.progress.Progress | None = None
        self._steps: dict[str, rich.progress.TaskID] = {}

    def __enter__(self) -> ProgressBars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, step: str, done: float, total: float) -> None:
        """Move a step's bar; the bars go when every step is over."""
        if not self._shown or time.monotonic() - self._begun < _QUIET_SECONDS:
            return
        if self._bars is None:
            self._bars = _bars()
            self._bars.start()
        if step not in self._steps:
            self._steps[step] = self._bars.add_task(step, total=total)
        self._bars.update(self._steps[step], completed=done, total=total)
        if self._bars.finished:
            self.close()

    def close(self) -> None:
        """Clear the bars from the screen."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._steps.clear()


def _bars() -> rich.progress.Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
    )


def _in_notebook() -> bool:
    """Whether an IPython kernel runs this for somebody who looks: it has no terminal but shows bars."""
    if os.environ.get(HEADLESS):
        return False
    kernel = sys.modules.get("ipykernel.zmqshell")
    shell = sys.modules.get("IPython")
    return kernel is not None and shell is not None and isinstance(shell.get_ipython(), kernel.ZMQInteractiveShell)
