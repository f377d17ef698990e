"""Rewrite README's demo block and picture from what the demo prints: ``python -m tests.present.readme``."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(<!-- demo -->\n```text\n).*?(```)", re.DOTALL)
#: Chapters shown on README's first screen; what happened in order is told by the picture below them.
SHOWN = (
    "What was looked at",
    "What the rules conclude",
    "What never reached Elasticsearch, and why",
    "Which RabbitMQ node",
)


def excerpt(story: str) -> str:
    """Chosen chapters of the story, word for word."""
    lines = []
    for chapter in story.split("\n\n"):
        title, *sentences = chapter.splitlines()
        if title in SHOWN:
            lines += [title, *sentences, ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Run the demo and put its words and picture into the README."""
    from incident_kit.present.demo import run_demo

    os.environ["COLUMNS"] = "118"
    with tempfile.TemporaryDirectory() as folder:
        story = run_demo(folder)
        shutil.copyfile(Path(folder) / "timeline.png", ROOT / "docs" / "timeline.png")
    readme = ROOT / "README.md"
    shown = excerpt(story)
    readme.write_text(BLOCK.sub(lambda found: found[1] + shown + found[2], readme.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
