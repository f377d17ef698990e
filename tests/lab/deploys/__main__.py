"""``python -m tests.lab.deploys [FOLDER]``: play the scenario of changes, capture it twice, and score the answers."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.lab import scoring
from tests.lab.deploys import score
from tests.lab.deploys.play import Played, play
from tests.lab.deploys.truth import Truth
from tests.lab.deploys.world import FOLDER
from tests.lab.scenario.lab import Lab

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / "evidence"
if "--again" in sys.argv:
    played = Played(Truth.read(folder / "truth.json"), folder / "before.incident", folder / "after.incident")
else:
    played = play(Lab.running(), folder)
found = scoring.answer("findings", played.after)["rows"]
changes = scoring.answer("changes", played.after)["rows"]
print(score.rule_table(score.score_findings(found, played.truth)))
print(score.history_table(changes, played.truth))
print("acts not in the list:", *score.unseen_acts(changes, played.truth), sep="\n  ")
print("rows of no act:", *score.invented(changes, played.truth), sep="\n  ")
for arguments in (
    ("--at", score.instant(played.truth, "before"), "--at", score.instant(played.truth, "after")),
    (played.before,),
):
    rows = scoring.answer("diff", *arguments, played.after)["rows"]
    missing, extra = score.missing_differences(rows, played.truth)
    print("diff of", len(arguments), "arguments: missing", *missing, "extra", *extra, sep="\n  ")
