"""HTML pages from templates: everything is escaped unless a template says otherwise, nothing is fetched."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any


def render_page(template: str, **values: Any) -> str:
    """A template of this package filled with values."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("incident_kit.present"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["anchor"] = anchor
    return environment.get_template(template).render(**values)


@cache
def style(name: str) -> str:
    """A style sheet of this package, for HTML that stands in a page of somebody else's."""
    return (files("incident_kit.present") / "templates" / name).read_text("utf-8")


def anchor(title: str) -> str:
    """The name by which a heading can be linked to: ``What happened, in order`` is ``what-happened-in-order``."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))
