"""The figures of the report as pictures, each with the words that say how to read it."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incident_kit.counting import plural
from incident_kit.present import gather
from incident_kit.present.story import IN_ORDER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from incident_kit.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure of the report.

    Attributes:
        title: what it shows.
        words: how to read it, and for whom who cannot see it, where the same is told.
        png: the picture.
    """

    title: str
    words: str
    png: bytes

    @property
    def address(self) -> str:
        """The picture as an address that needs no network."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


def pictures(evidence: Evidence) -> list[Picture]:
    """The report's figures."""
    from incident_kit.present.changes import plot_changes
    from incident_kit.present.lifetimes import plot_lifetimes
    from incident_kit.present.logs_figure import plot_logs

    made = [timeline_picture(evidence)]
    for title, words, draw in (
        (
            "Console against Elasticsearch",
            "Rates of both sides, what became of the console entries, and the causes of those that never arrived, over "
            "the window. The counts stand under Only on the console, by cause.",
            plot_logs,
        ),
        (
            "What changed, by Application",
            "One line an Application, a marker a change; struck through where it was undone. The list stands under "
            "Changes.",
            plot_changes,
        ),
        (
            "Pod lifetimes",
            "One line a pod, a bar a container instance, coloured by version; below it the RabbitMQ node it was "
            "connected to. The ends stand under Restarts, the connections under RabbitMQ connections.",
            plot_lifetimes,
        ),
    ):
        made.append(Picture(title=title, words=words, png=_png(draw(evidence))))
    return made


def timeline_picture(evidence: Evidence) -> Picture:
    """The timeline, with how many of what it shows."""
    from incident_kit.present.timeline import plot_timeline

    shown = gather.material(evidence)
    counted = (
        plural(len(shown.pods), "pod"), plural(len(shown.changes), "change"),
        plural(len(shown.connections), "RabbitMQ connection"),
    )  # fmt: skip
    words = f"{', '.join(counted)} and the rate of console entries on one time axis. The same in words: {IN_ORDER}."
    return Picture(title="Timeline", words=words, png=_png(plot_timeline(evidence)))


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
