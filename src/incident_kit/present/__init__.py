"""How answers are shown: terminal tables, figures, the report, the notebooks. The only package that draws.

Nothing here filters, joins or judges: what is shown is what the answers say. Everything that came from a log or a
server is hostile input: it passes `text.visible` before it reaches a terminal, and an escaping template before it
reaches a page. Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from incident_kit.present.changes import plot_changes
    from incident_kit.present.html import show
    from incident_kit.present.lifetimes import plot_lifetimes
    from incident_kit.present.logs_figure import plot_logs
    from incident_kit.present.opening import chosen_pod, open_bundle
    from incident_kit.present.timeline import plot_timeline

_HOME = {
    "chosen_pod": "opening",
    "open_bundle": "opening",
    "plot_changes": "changes",
    "plot_lifetimes": "lifetimes",
    "plot_logs": "logs_figure",
    "plot_timeline": "timeline",
    "show": "html",
}

__all__ = ["chosen_pod", "open_bundle", "plot_changes", "plot_lifetimes", "plot_logs", "plot_timeline", "show"]


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first used."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
