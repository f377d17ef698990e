"""Rule: one named question about the evidence, and what an answer to it looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from incident_kit.tables import Row, Table
from incident_kit.window import SECOND, format_ns

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

SEVERITIES = ("critical", "warning", "info")
#: What was changed so long before the window may still hurt in it: a limit does when load comes, not when it is set.
_STILL_NEAR = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class DidNotApply:
    """Why a rule, or a part of what it should have judged, could not be judged. It is not "nothing found".

    Attributes:
        because: the reason, as the rest of the sentence "did not apply, because ...".
        about: what was not judged; empty for all of it.
        remedy: what would let the rule apply.
    """

    because: str
    about: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule concludes about one subject; made by `Rule.finding`.

    Attributes:
        rule: name of the rule.
        severity: critical, warning or info.
        title: one sentence that says what is the case.
        time: when it became so (ns), None when not known.
        kind: kind of the subject.
        namespace: namespace of the subject, None when cluster-scoped.
        name: name of the subject.
        evidence: what it rests on, one fact each.
        confidence: 0 to 1.
        next_step: what to do or look at next.
        refuted_by: what would show that it is wrong.
    """

    rule: str
    severity: str
    title: str
    time: int | None
    kind: str
    namespace: str | None
    name: str
    evidence: tuple[str, ...]
    confidence: float
    next_step: str | None
    refuted_by: str

    def row(self) -> Row:
        """The row of FINDINGS."""
        return {column.name: getattr(self, column.name) for column in fields(self)}


Outcome = Finding | DidNotApply


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One named question about the evidence.

    Attributes:
        name: as contracted for the column ``rule`` of FINDINGS, e.g. ``stale-config``.
        question: what it asks, one sentence ending in a question mark.
        severity: default severity of its findings.
        needs: tables without which it cannot apply; each must have rows.
        refuted_by: what would show that a finding is wrong.
        judge: the pure function from evidence to outcomes.
    """

    name: str
    question: str
    severity: str
    refuted_by: str
    judge: Callable[[Evidence], Iterable[Outcome]]
    needs: tuple[Table, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a severity that no reader knows."""
        if self.severity not in SEVERITIES:
            raise ValueError(f"{self.severity!r} is not a severity. Use one of {', '.join(SEVERITIES)}.")

    def finding(
        self,
        title: str,
        *,
        time: int | None,
        kind: str,
        namespace: str | None,
        name: str,
        evidence: Sequence[str],
        confidence: float = 1.0,
        next_step: str = "",
        severity: str | None = None,
    ) -> Finding:
        """What the rule concludes about one subject.

        Args:
            title: one sentence that says what is the case.
            time: when it became so (ns), None when not known.
            kind: kind of the subject.
            namespace: namespace of the subject, None when cluster-scoped.
            name: name of the subject.
            evidence: what it rests on, one fact each; one that two sources tell alike is told once.
            confidence: 0 to 1.
            next_step: what to do or look at next.
            severity: where it differs from the rule's.
        """
        return Finding(
            rule=self.name,
            severity=severity or self.severity,
            title=title,
            time=time,
            kind=kind,
            namespace=namespace,
            name=name,
            evidence=tuple(dict.fromkeys(evidence)),
            confidence=confidence,
            next_step=next_step or None,
            refuted_by=self.refuted_by,
        )

    def run(self, evidence: Evidence) -> list[Outcome]:
        """Outcomes on this evidence; tables it needs and that have no rows are a `DidNotApply`."""
        missing = [table.name for table in self.needs if not _has_rows(evidence, table)]
        if missing:
            return [
                DidNotApply(because=f"the evidence holds no {' and no '.join(missing)}", remedy=_remedy(self.needs))
            ]
        return list(self.judge(evidence))


def _has_rows(evidence: Evidence, table: Table) -> bool:
    return bool(evidence.parquet(table)) if table.logs else len(evidence.table(table)) > 0


def _remedy(needs: Sequence[Table]) -> str:
    return "Collect: " + "; ".join(dict.fromkeys(table.origin for table in needs))


def not_captured(evidence: Evidence, *plurals: str) -> list[DidNotApply]:
    """Why a rule about these Kubernetes lists cannot judge; empty where they were captured and hold nothing to judge."""
    missing = [p for p in plurals if evidence.raw.find(f"kubernetes/{p}.json") is None]
    if not missing:
        return []
    names = " and no ".join(missing)
    return [DidNotApply(because=f"no {names} were captured", remedy=f"kubectl get {','.join(missing)} -A -o json")]


def is_near(time: int, evidence: Evidence) -> bool:
    """Whether a change lies in the window or within a day of it."""
    return time in evidence.window.padded(_STILL_NEAR)


def severity_at(time: int | None, evidence: Evidence) -> str | None:
    """``info`` for what Argo CD's history remembers from long before the window, and must not lead; else the rule's own."""
    old = time is not None and time < evidence.window.start - _STILL_NEAR * SECOND
    return "info" if old else None


def at(time: int | None) -> str:
    """An instant as titles and evidence state it: RFC 3339 in whole seconds, or 'an unknown time'."""
    text = format_ns(time)
    return f"{text[:19]}Z" if text else "an unknown time"
