"""Every format of the corpus by name."""

from __future__ import annotations

from tests.corpus.model import Format

from . import dotnet, golang, jvm, node, python

FORMATS: dict[str, Format] = {one.name: one for module in (dotnet, jvm, python, golang, node) for one in module.FORMATS}
