"""The answers against the scenario's truth: each rule's recall and false alarms, each act in the list of changes, `diff`."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.lab import credentials
from tests.lab.deploys.truth import Act, Truth
from tests.lab.truth import nanoseconds

Row = dict[str, Any]
SECOND = 10**9
#: A finding that is not surer than this says itself that it is only possible.
ASSERTED = 0.5


@dataclass
class RuleScore:
    """One rule's cases; ``untellable`` are those of its false alarms that no evidence of one bundle could avoid."""

    positives: int = 0
    found: int = 0
    near_misses: int = 0
    alarms: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    untellable: list[str] = field(default_factory=list)


def score_findings(rows: list[Row], truth: Truth) -> dict[str, RuleScore]:
    """Every finding about the scenario's objects is either expected or a false alarm, also where no near-miss was planned.

    Returns:
        By rule. A finding of confidence up to one half does not count as found, and as a hint instead of an alarm.
    """
    scores: dict[str, RuleScore] = defaultdict(RuleScore)
    mine = [r for r in rows if concerns(r, truth)]
    for case in truth.cases:
        score = scores[case.rule]
        if not case.positive:
            score.near_misses += 1
            continue
        score.positives += 1
        if any(case.matches(r) and r["confidence"] > ASSERTED for r in mine):
            score.found += 1
        else:
            score.missed.append(f"{case.kind} {case.namespace or ''}/{case.name}: {case.why}")
    for row in mine:
        if row["rule"] not in scores or any(c.positive and c.matches(row) for c in truth.cases):
            continue
        case = next((c for c in truth.cases if not c.positive and c.matches(row)), None)
        planned = case.why if case else "no case of the scenario"
        told = f"{row['kind']} {row['namespace'] or ''}/{row['name']} ({row['confidence']}): {row['title']} [{planned}]"
        if case is not None and not case.tellable:
            scores[row["rule"]].untellable.append(told)
        (scores[row["rule"]].alarms if row["confidence"] > ASSERTED else scores[row["rule"]].hints).append(told)
    return scores


def concerns(row: Row, truth: Truth) -> bool:
    """Whether a finding or change is about an object of the scenario."""
    if row["kind"] == "Application":
        return row["name"] in truth.applications
    return row["namespace"] in truth.namespaces


def rule_table(scores: dict[str, RuleScore]) -> str:
    """The scores as text, with every miss, alarm and hint below."""
    lines = [f"{'rule':<24}{'positives':>10}{'found':>8}{'near-misses':>13}{'false alarms':>14}{'hints':>7}"]
    for rule, score in sorted(scores.items()):
        lines.append(
            f"{rule:<24}{score.positives:>10}{score.found:>8}{score.near_misses:>13}{len(score.alarms):>14}"
            f"{len(score.hints):>7}"
        )
    for rule, score in sorted(scores.items()):
        for name, told in (("missed", score.missed), ("false alarm", score.alarms), ("hint", score.hints)):
            lines += [f"{name}: {rule}: {one}" for one in told]
    return "\n".join(lines)


def told_by(acts: list[Act], rows: list[Row]) -> dict[int, Row]:
    """The row of ``changes`` that tells of each act, by the act's position: each row tells of one act, the nearest.

    A row tells of an act by its object, its word, a time within the act's, and by whom where that can be known.
    """
    pairs = sorted(
        (*_distance(act, nanoseconds(row["time"])), number, place)
        for number, act in enumerate(acts)
        for place, row in enumerate(rows)
        if act.what and _fits(act, row)
    )
    found: dict[int, int] = {}
    for *_, number, place in pairs:
        if number not in found and place not in found.values():
            found[number] = place
    return {number: rows[place] for number, place in found.items()}


def _distance(act: Act, time: int) -> tuple[int, int]:
    """How far a time lies outside of an act, then how far from its end; times of servers are whole seconds, cut."""
    outside = max(act.start // SECOND * SECOND - time, time - act.end, 0)
    return outside, abs(time - act.end)


def _fits(act: Act, row: Row) -> bool:
    if row["kind"] != act.kind or re.fullmatch(act.name, str(row["name"])) is None or row["time"] is None:
        return False
    if act.namespace is not None and row["namespace"] != act.namespace:
        return False
    inside = act.start - 2 * SECOND <= nanoseconds(row["time"]) <= act.end + 4 * SECOND
    return inside and row["what"] in act.what and act.by in (None, row["by"])


def unseen_acts(rows: list[Row], truth: Truth) -> list[str]:
    """Acts that the list of changes does not have with their word, time and person."""
    told = told_by(truth.acts, rows)
    return [
        f"{act.told}: {act.kind} {act.name} by {act.by}"
        for number, act in enumerate(truth.acts)
        if act.what and number not in told
    ]


def invented(rows: list[Row], truth: Truth) -> list[str]:
    """Rows about the scenario's Applications that no act explains: a dry run taken for real, a sync told twice."""
    explained = {id(row) for row in told_by(truth.acts, rows).values()}
    begun = truth.snapshots["before"]["at"]  # what autosync brought before is not among the acts
    return [
        f"{row['time']} {row['what']} of {row['name']} by {row['by']} ({row['evidence']})"
        for row in rows
        if row["kind"] == "Application"
        and row["name"] in truth.applications
        and id(row) not in explained
        and (row["time"] is None or nanoseconds(row["time"]) > begun)
    ]


def history_table(rows: list[Row], truth: Truth) -> str:
    """What was done, what ``argocd app history`` shows of it, and what ``changes`` shows."""
    told = told_by(truth.acts, rows)
    lines = [
        f"{'Application':<12}{'acts':>6}{'app history':>13}{'changes':>9}   what changes shows and history does not"
    ]
    for name, history in truth.history.items():
        acts = [n for n, a in enumerate(truth.acts) if (a.application or a.name) == name and a.what]
        seen = [told[number] for number in acts if number in told]
        beyond = [
            f"{row['what']} by {row['by'] or ('autosync' if row['automated'] else 'nobody recorded')}"
            for row in seen
            if not any("history id" in line for line in row["evidence"])
        ]
        named = [row for row in seen if row["what"] == "rollback" and row["kind"] == "Application"]
        beyond += [f"that {len(named)} of its entries are rollbacks" for _ in named[:1]]
        lines.append(f"{name:<12}{len(acts):>6}{len(history):>13}{len(seen):>9}   {'; '.join(beyond)}")
    return "\n".join(lines)


def instant(truth: Truth, name: str) -> str:
    """When a snapshot was taken, as the command line takes it."""
    return credentials.instant(truth.snapshots[name]["at"])


def missing_differences(rows: list[Row], truth: Truth) -> tuple[list[str], list[str]]:
    """What differs between the two snapshots and not in ``diff``, and the other way round."""
    before, after = truth.snapshots["before"], truth.snapshots["after"]
    said = defaultdict(list)
    for row in rows:
        if row["kind"] in {"Deployment", "ConfigMap", "NetworkPolicy"} and row["namespace"] in truth.namespaces:
            said[f"{row['kind']}/{row['namespace']}/{row['name']}"].append(row)
    missing, extra = [], []
    for key in sorted((before.keys() | after.keys() | said.keys()) - {"at"}):
        differs = before.get(key) != after.get(key)
        told = [r for r in said.get(key, []) if r["what"] != "template" or not key.startswith("Deployment/")]
        if differs and not told:
            missing.append(f"{key}: {before.get(key)} -> {after.get(key)}")
        if not differs and told:
            extra.append(f"{key}: {[(r['what'], r['before'], r['after']) for r in told]}")
    return missing, extra
