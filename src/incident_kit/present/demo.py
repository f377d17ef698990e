"""The demo: the sample incident end to end, the story in the terminal, a timeline, a report and the answers as files."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from incident_kit.errors import UsageError
from incident_kit.present.files import write_whole
from incident_kit.present.formats import render_csv, render_json
from incident_kit.present.gather import bundle_name
from incident_kit.present.opening import chosen_pod, open_bundle
from incident_kit.present.story import Chapter, tell

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

#: Names what an earlier run wrote, so that a run replaces its own files and nothing else.
_RECORD = ".incident-kit-demo.json"


def run_demo(output: str | Path, bundle: str | Path = "") -> str:
    """Tell the sample incident and write its timeline, report and answers into a folder.

    Args:
        output: folder to write to; files that an earlier run wrote there are replaced.
        bundle: another bundle than the sample.

    Returns:
        The story, for the terminal.

    Raises:
        UsageError: the folder holds a file of one of these names that no demo wrote.
    """
    folder = Path(output)
    evidence = open_bundle(bundle)
    chapters = tell(evidence)
    story = story_text(chapters, evidence)
    files = _files(evidence, chapters, story)
    _refuse_strangers(folder, list(files))
    write_whole(folder / _RECORD, json.dumps(sorted(files)).encode())
    for name, make in files.items():
        write_whole(folder / name, make())
    own = folder / evidence.path.name
    asked = own if own.name in files else evidence.path
    questions = (f"trace {chosen_pod(evidence)} {asked}", f"changes {asked}", f"jupyter {asked}", "--help")
    return (
        f"{story}\nFiles\n"
        + "".join(f"  {folder / name}\n" for name in files)
        + "\nAsk it more\n"
        + "".join(f"  {_program()} {question}\n" for question in questions)
    )


def _program() -> str:
    """How the program is called again from here: by its name where the path knows it, else as it was called now."""
    name = "incident-kit"
    called = Path(sys.argv[0])
    return name if called.name != name or which(name) else str(called)


def story_text(chapters: list[Chapter], evidence: Evidence) -> str:
    """The chapters as the terminal shows them, wrapped and indented."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from incident_kit.present.tables import to_text

    parts: list[Padding | Text] = [Text(f"The incident in {bundle_name(evidence)}", style="bold")]
    for chapter in chapters:
        parts.append(Text(f"\n{chapter.title}", style="bold cyan"))
        parts.extend(Padding(Text(sentence), (0, 0, 0, 2)) for sentence in chapter.sentences)
    return to_text(Group(*parts))


def _files(evidence: Evidence, chapters: list[Chapter], story: str) -> dict[str, Callable[[], bytes]]:
    """What is written: name and how its bytes are made. The timeline is drawn once and serves the report too."""
    from incident_kit.answers.console_only import console_only
    from incident_kit.answers.findings import findings
    from incident_kit.present.pictures import timeline_picture
    from incident_kit.present.report import html_report

    picture = timeline_picture(evidence)
    found = findings(evidence)
    return {
        "story.txt": lambda: story.encode(),
        "timeline.png": lambda: picture.png,
        "report.html": lambda: html_report(evidence, chapters, [picture]).encode(),
        "findings.json": lambda: "".join(render_json(found, evidence.coverage, evidence.gaps)).encode(),
        "console-only.csv": lambda: "".join(render_csv(console_only(evidence))).encode(),
    } | ({evidence.path.name: evidence.path.read_bytes} if evidence.path.suffix == ".zip" else {})


def _refuse_strangers(folder: Path, names: list[str]) -> None:
    """Leave files alone that somebody else put there."""
    record = folder / _RECORD
    own = json.loads(record.read_text("utf-8")) if record.is_file() else []
    strangers = [name for name in names if (folder / name).exists() and name not in own]
    if strangers:
        raise UsageError(
            f"{folder} holds {', '.join(strangers)}, which no demo wrote. Choose another folder: --output FOLDER."
        )
