"""The kit's answers about connections against the truth: right single answers, stated ambiguities, wrong ones.

A case that has one honest answer has it only for pods whose object was captured: of one that was deleted before, nobody
recorded the address, so its connections may be anybody's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.lab.connections.pods import BY_NAME, NAMESPACE, ONE
from tests.lab.connections.truth import Owned, Truth
from tests.lab.truth import nanoseconds

Row = dict[str, Any]
#: RabbitMQ writes its log up to two seconds late (Erlang's ``delayed_write``): a connection that came and went just before
#: a capture is in no list and not yet in the log, and a capture may be faster than that.
_LOG_LAG = 2_500_000_000
COLUMNS = ("right", "ambiguous", "none", "missed", "wrong")


@dataclass
class Score:
    """Counts by case.

    Attributes:
        counts: by case and column of `COLUMNS`.
        wrong: wrong single answers, in words.
        unsure: connections of captured pods that have one honest answer and did not get it, in words.
        strangers: rows that no journal knows.
    """

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    wrong: list[str] = field(default_factory=list)
    unsure: set[str] = field(default_factory=set)
    strangers: int = 0

    @property
    def total(self) -> Counter[str]:
        """Counts over all cases."""
        return sum(self.counts.values(), Counter())

    def table(self) -> str:
        """One line a case, and their sum."""
        lines = [f"{'case':24}" + "".join(f"{name:>11}" for name in COLUMNS)]
        for case, counts in [*sorted(self.counts.items()), ("all", self.total)]:
            lines.append(f"{case:24}" + "".join(f"{counts[name] or '.':>11}" for name in COLUMNS))
        return "\n".join(
            [*lines, f"other programs' connections and failed handshakes: {self.strangers}", *self.wrong[:20]]
        )


def score_rows(rows: Iterable[Row], truth: Truth, captured: Collection[str], until: int) -> Score:
    """Every connection of the answers, and every one of the truth that no answer has.

    Args:
        rows: rows of ``rabbit-node``, of all nodes.
        truth: what really happened.
        captured: uids of the pods whose objects the evidence holds.
        until: end of the evidence's window (ns): later connections are not asked for.
    """
    score = Score()
    seen: set[Owned] = set()
    for row in rows:
        if row["connection"] is None:
            continue
        opened = nanoseconds(row["connected_at"]) if row["connected_at"] else None
        true = truth.of(row["rabbit_node"], row["peer_host"], row["peer_port"], opened)
        if true is None:
            score.strangers += 1
            continue
        seen.add(true)
        _judge(score, row, true)
        if row["match"] in ("ambiguous", "none") and has_one_answer(true, captured):
            score.unsure.add(f"{true.case}: {row['match']}: {row['reason']}")
    for one in truth.connections:
        if one not in seen and one.opened_at < until - _LOG_LAG:
            score.counts[one.case]["missed"] += 1
            score.unsure.add(f"{one.case}: missed: {one.peer} on {one.rabbit_node}")
    return score


def has_one_answer(true: Owned, captured: Collection[str]) -> bool:
    """Whether an honest answer names exactly one pod."""
    return true.case in BY_NAME and BY_NAME[true.case].honest == ONE and true.pod_uid in captured


def _judge(score: Score, row: Row, true: Owned) -> None:
    counts = score.counts[true.case]
    if row["match"] in ("ambiguous", "none"):
        counts[row["match"]] += 1
        return
    right = row["pod"] == true.pod and row["namespace"] == NAMESPACE and row["pod_uid"] in (None, true.pod_uid)
    counts["right" if right else "wrong"] += 1
    if not right:
        score.wrong.append(
            f"{row['connection']} on {row['rabbit_node']} of {true.pod} given to {row['pod']}: {row['reason']}"
        )


def score_pod(pod: str, rows: Iterable[Row], truth: Truth, captured: Collection[str], until: int) -> list[str]:
    """What is wrong with ``rabbit POD``: another's connection as its own, or one of its own left out."""
    faults, listed = [], set()
    for row in rows:
        if row["connection"] is None:
            continue
        opened = nanoseconds(row["connected_at"]) if row["connected_at"] else None
        true = truth.of(row["rabbit_node"], row["peer_host"], row["peer_port"], opened)
        if true is None:
            continue
        listed.add(true)
        if row["match"] in ("client_name", "pod_ip") and true.pod != pod:
            faults.append(f"rabbit {pod} claims {row['connection']} of {true.pod}")
    own = {
        one
        for one in truth.connections
        if one.pod == pod and has_one_answer(one, captured) and one.opened_at < until - _LOG_LAG
    }
    return faults + [f"rabbit {pod} lacks {one.peer} on {one.rabbit_node}" for one in own - listed]
