"""Score the kit against cases whose truth is known: ``python -m tests.corpus.score [--case NAME]``."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .asking import Command, KitFailed, answer, by_command_line, in_process
from .cases import CASES, build
from .layout import write
from .model import SECOND, JsonObject

CLOSE = 2 * SECOND
COLUMNS = (
    "time",
    "side",
    "namespace",
    "pod",
    "container",
    "restart_count",
    "stream",
    "level",
    "text",
    "image",
    "verdict",
    "cause",
    "confidence",
)
CONSOLE_VERDICTS = {
    "matched",
    "late",
    "without_pod_name",
    "at_other_time",
    "truncated",
    "rejected",
    "console_only",
    "unknown",
}
CAUSES = {
    "below_level",
    "burst",
    "shipping_outage",
    "before_logger",
    "not_logged",
    "unexplained",
    "never_arrives",
    "too_long",
    "died_before_flush",
    "rotation_edge",
    "pod_absent",
}
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


@dataclass(frozen=True, slots=True)
class Wrong:
    """One row that is not as the truth has it."""

    case: str
    kind: str
    expected: str
    got: str
    where: str
    text: str
    why: str

    def __str__(self) -> str:
        return f"  {self.kind:<10} want {self.expected:<28} got {self.got:<44} {self.where}\n             {self.text[:150]}   [{self.why}]"


@dataclass(slots=True)
class Score:
    """The outcome of one case."""

    case: str
    rows: int = 0
    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    swapped: int = 0
    seconds: float = 0.0
    error: str = ""
    wrong: list[Wrong] = field(default_factory=list)
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        """Of what was called console_only, the share that is."""
        called = self.true_positive + self.false_positive
        return self.true_positive / called if called else 1.0

    @property
    def recall(self) -> float:
        """Of what is console_only, the share that was called so."""
        real = self.true_positive + self.false_negative
        return self.true_positive / real if real else 1.0

    def __str__(self) -> str:
        if self.error:
            return f"{self.case:<34} FAILED {self.error}"
        return (
            f"{self.case:<34} rows {self.rows:>6}  precision {self.precision:.4f}  recall {self.recall:.4f}  wrong {len(self.wrong):>4}"
            f"  swapped {self.swapped:>3}  {self.seconds:5.1f} s"
        )


def nanoseconds(text: str | None) -> int | None:
    """An RFC 3339 time of any precision as nanoseconds."""
    if not text:
        return None
    head, _, fraction = text.replace("Z", "+00:00").partition(".")
    digits = ""
    while fraction and fraction[0].isdigit():
        digits, fraction = digits + fraction[0], fraction[1:]
    return int(datetime.fromisoformat(head + fraction).timestamp()) * SECOND + int(digits.ljust(9, "0")[:9] or 0)


def compare(case: str, truth: list[JsonObject], rows: list[JsonObject]) -> Score:
    """Join the answer with the truth on side, namespace, pod, container and time, and count."""
    score = Score(case)
    score.wrong += [_wrong(case, f"contract: {fault}", None, row) for row in rows if (fault := breach(row))]
    consoles = {_console_key(row): row for row in rows if row["side"] == "console"}
    pairs: list[tuple[JsonObject, JsonObject]] = []
    for expected in (row for row in truth if row["side"] == "console"):
        got = consoles.pop(_console_key(expected), None)
        if not expected["judged"]:
            if got is not None and got["verdict"] == "console_only":
                score.wrong.append(_wrong(case, "outside", expected, got))
        elif got is None:
            score.rows += 1
            score.wrong.append(_wrong(case, "no row", expected, None))
            score.false_negative += expected["verdicts"] == ["console_only"]
        else:
            pairs.append((expected, got))
    for row in consoles.values():
        if not _outside(row, truth):
            score.wrong.append(_wrong(case, "extra row", None, row))
            score.false_positive += row["verdict"] == "console_only"
    _judge(score, pairs)
    _judge_documents(
        score, [row for row in truth if row["side"] == "elastic"], [row for row in rows if row["side"] == "elastic"]
    )
    return score


def breach(row: JsonObject) -> str:
    """What a row has that the contract of the JSON answer does not allow; empty if nothing."""
    missing = [column for column in COLUMNS if column not in row]
    if missing:
        return f"no {missing[0]}"
    if not RFC3339.fullmatch(row["time"]):
        return "time is not RFC 3339 in UTC with nanoseconds"
    if not 0 <= row["confidence"] <= 1:
        return "confidence is not within 0 and 1"
    if row["side"] == "console" and row["verdict"] not in CONSOLE_VERDICTS:
        return "no verdict of an entry"
    if row["side"] == "elastic" and row["verdict"] not in {"duplicate", "elastic_only", "unknown"}:
        return "no verdict of a document"
    if (row["cause"] in CAUSES) != (row["verdict"] == "console_only"):
        return "a cause belongs to console_only and to nothing else"
    return ""


def _console_key(row: JsonObject) -> tuple[object, ...]:
    return row["namespace"], row["pod"], row["container"], nanoseconds(row["time"])


def _outside(row: JsonObject, truth: list[JsonObject]) -> bool:
    times = [nanoseconds(one["time"]) or 0 for one in truth if one["side"] == "console" and one["judged"]]
    moment = nanoseconds(row["time"]) or 0
    return bool(times) and not min(times) - SECOND <= moment <= max(times) + SECOND and row["verdict"] != "console_only"


def _judge(score: Score, pairs: list[tuple[JsonObject, JsonObject]]) -> None:
    groups: dict[tuple[object, ...], list[tuple[JsonObject, JsonObject]]] = defaultdict(list)
    for expected, got in pairs:
        groups[
            (expected["pod"], expected["namespace"], expected["container"], expected["alike"] or expected["time"])
        ].append((expected, got))
    for members in groups.values():
        members.sort(key=lambda pair: nanoseconds(pair[0]["time"]) or 0)
        chain: list[tuple[JsonObject, JsonObject]] = []
        for pair in members:
            if chain and (nanoseconds(pair[0]["time"]) or 0) - (nanoseconds(chain[-1][0]["time"]) or 0) > CLOSE:
                _judge_alike(score, chain)
                chain = []
            chain.append(pair)
        _judge_alike(score, chain)


def _judge_alike(score: Score, chain: list[tuple[JsonObject, JsonObject]]) -> None:
    """Entries that nobody can tell apart may exchange their verdicts; their number may not change."""
    fits = [[_fits(expected, got) for _, got in chain] for expected, _ in chain]
    partner: dict[int, int] = {}

    def seat(row: int, seen: set[int]) -> bool:
        for column in sorted(range(len(chain)), key=lambda one: one != row):
            if fits[row][column] and column not in seen:
                seen.add(column)
                if column not in partner or seat(partner[column], seen):
                    partner[column] = row
                    return True
        return False

    for row in range(len(chain)):
        seat(row, set())
    seated = {row: column for column, row in partner.items()}
    free = [column for column in range(len(chain)) if column not in partner]
    for row, (expected, _) in enumerate(chain):
        column = seated[row] if row in seated else free.pop()
        got = chain[column][1]
        score.swapped += row in seated and column != row and not fits[row][row]
        _count(score, expected, got)


def _fits(expected: JsonObject, got: JsonObject) -> bool:
    if got["verdict"] not in expected["verdicts"]:
        return False
    return (
        got["verdict"] != "console_only" or (got.get("cause") or "") in expected["causes"] or expected["causes"] == [""]
    )


def _count(score: Score, expected: JsonObject, got: JsonObject) -> None:
    score.rows += 1
    want = expected["verdicts"]
    shown = got["verdict"] if got["verdict"] in want else "/".join(want)
    score.verdicts[(shown, got["verdict"])] += 1
    if got["verdict"] == "console_only":
        score.true_positive += "console_only" in want
        score.false_positive += "console_only" not in want
        if "console_only" in want:
            cause = got.get("cause") or ""
            score.causes[(cause if cause in expected["causes"] else "/".join(expected["causes"]), cause)] += 1
    elif want == ["console_only"]:
        score.false_negative += 1
    if got["restart_count"] not in (expected["restart_count"], None):
        score.wrong.append(_wrong(score.case, f"restart {got['restart_count']}", expected, got))
    if not _fits(expected, got):
        kind = "verdict" if got["verdict"] not in want else "cause"
        score.wrong.append(_wrong(score.case, kind, expected, got))


def _judge_documents(score: Score, truth: list[JsonObject], rows: list[JsonObject]) -> None:
    """Documents are told apart by pod and time; a document without a pod field may come without one."""
    waiting: dict[tuple[object, ...], list[JsonObject]] = defaultdict(list)
    for row in rows:
        waiting[(nanoseconds(row["time"]),)].append(row)
    for expected in truth:
        candidates = waiting[(nanoseconds(expected["time"]),)]
        mine = [row for row in candidates if row["pod"] in (expected["pod"], None)]
        got = min(mine, key=lambda row: row["verdict"] not in expected["verdicts"], default=None)
        if got is not None:
            candidates.remove(got)
        if not expected["judged"]:
            continue
        score.rows += 1
        shown = "-" if got is None else got["verdict"]
        score.verdicts[(shown if shown in expected["verdicts"] else "/".join(expected["verdicts"]), shown)] += 1
        if shown not in expected["verdicts"] and not (got is None and "-" in expected["verdicts"]):
            score.wrong.append(_wrong(score.case, "document", expected, got))
    for rest in waiting.values():
        score.wrong += [_wrong(score.case, "extra doc", None, row) for row in rest]


def _wrong(case: str, kind: str, expected: JsonObject | None, got: JsonObject | None) -> Wrong:
    row = expected or got or {}
    want = (
        "nothing"
        if expected is None
        else "/".join(expected["verdicts"]) + (":" + "/".join(expected["causes"]) if any(expected["causes"]) else "")
    )
    have = "nothing" if got is None else f"{got['verdict']}:{got.get('cause') or ''}@{got.get('confidence')}"
    where = f"{row.get('time')} {row.get('namespace')}/{row.get('pod')}/{row.get('container')}"
    return Wrong(
        case,
        kind,
        want,
        have,
        where,
        str(row.get("text") or "").partition("\n")[0],
        str((expected or {}).get("why", "")),
    )


def run_case(name: str, seed: int, folder: Path, command: Command = by_command_line) -> Score:
    """Make a case in a folder, ask the kit, and compare."""
    target = write(build(name, seed), folder)
    truth = [json.loads(line) for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    began = time.perf_counter()
    try:
        answered = answer(target, command)
    except (KitFailed, json.JSONDecodeError) as error:
        return Score(name, error=str(error)[-700:])
    score = compare(name, truth, answered["rows"])
    score.seconds = time.perf_counter() - began
    return score


def matrix(title: str, counts: Counter[tuple[str, str]]) -> str:
    """A confusion matrix, one line a pair, wrong pairs marked."""
    lines = [f"{title}: expected -> got"]
    lines += [
        f"  {'  ' if want == got else '! '}{want or '(none)':<40} -> {got or '(none)':<20} {count:>7}"
        for (want, got), count in sorted(counts.items())
    ]
    return "\n".join(lines)


def report(scores: list[Score], verdicts: Counter[tuple[str, str]], causes: Counter[tuple[str, str]]) -> str:
    """The wrong rows, grouped by case, kind, and what was wanted and given, with examples."""
    lines = [
        "# Wrong rows of the corpus, grouped",
        "",
        *map(str, scores),
        "",
        matrix("verdicts", verdicts),
        matrix("causes", causes),
    ]
    for score in scores:
        groups: dict[tuple[str, str, str], list[Wrong]] = defaultdict(list)
        for wrong in score.wrong:
            groups[(wrong.kind, wrong.expected, wrong.got.partition("@")[0])].append(wrong)
        lines += ["", f"## {score.case}", score.error] if groups or score.error else []
        for (kind, expected, got), members in sorted(groups.items(), key=lambda item: -len(item[1])):
            lines.append(f"- {len(members)} x {kind}: want {expected}, got {got}   [{members[0].why}]")
            lines += [
                f"    - {one.where}  {one.got.partition('@')[2]}  {one.text[:180]!r}"
                for one in members[:: max(1, len(members) // 3)][:3]
            ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Score the chosen cases, or all; exit 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", action="append", help="a case's name or its beginning; may be repeated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="leave the cases' folders here")
    parser.add_argument("--wrong", type=int, default=12, help="how many wrong rows to show per case")
    parser.add_argument("--inside", action="store_true", help="ask within this process, which is quicker")
    parser.add_argument("--report", type=Path, help="write the wrong rows here, grouped")
    parser.add_argument("--list", action="store_true", help="only name the cases")
    options = parser.parse_args()
    names = [name for name in CASES if not options.case or any(name.startswith(one) for one in options.case)]
    if options.list:
        print("\n".join(names))
        return 0
    verdicts: Counter[tuple[str, str]] = Counter()
    causes: Counter[tuple[str, str]] = Counter()
    bad = 0
    scores: list[Score] = []
    for name in names:
        root = options.keep or Path(tempfile.mkdtemp(prefix="incident-kit-corpus-"))
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
        score = run_case(name, options.seed, root / name, in_process if options.inside else by_command_line)
        scores.append(score)
        if not options.keep:
            shutil.rmtree(root)
        print(score, flush=True)
        for wrong in score.wrong[: options.wrong]:
            print(wrong)
        bad += bool(score.wrong or score.error)
        verdicts.update(score.verdicts)
        causes.update(score.causes)
    if options.report:
        options.report.write_text(report(scores, verdicts, causes), encoding="utf-8")
    print(
        matrix("verdicts", verdicts),
        matrix("causes", causes),
        f"{len(names) - bad} of {len(names)} cases without a wrong row",
        sep="\n",
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
