"""findings: what the rules conclude, which could not judge, and what changed before a symptom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from incident_kit.correlate.changes.preceding import telling_changes
from incident_kit.correlate.symptoms.symptoms import console_only_rises, error_rises
from incident_kit.rules import DidNotApply, Finding, Outcome, all_rules
from incident_kit.rules.rule import at
from incident_kit.tables import Row
from incident_kit.tables.answers import FINDINGS, GAPS

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence


#: Rules whose findings are symptoms: what precedes them is worth telling.
_SYMPTOMS = frozenset({"oom-killed", "crash-loop", "consumer-lost", "error-rate-rise", "logs-lost"})


def findings(evidence: Evidence) -> pd.DataFrame:
    """One row a judgement of one rule about one subject, each with evidence and what would refute it.

    Args:
        evidence: an opened bundle.

    Returns:
        A frame of `tables.answers.FINDINGS`: what lies in the window by time, then what was so before or after. Its
        ``attrs["gaps"]`` (GAPS) says which rules could not judge what, and why: no finding of such a rule is not
        "nothing found".
    """
    import pandas as pd

    outcomes: list[tuple[str, Outcome]] = evidence.memo("findings", lambda: _outcomes(evidence))
    frame = FINDINGS.frame(o.row() for _, o in outcomes if isinstance(o, Finding))
    inside = evidence.in_window(frame)
    frame = pd.concat([frame[inside], frame[~inside]], ignore_index=True)
    frame.attrs["gaps"] = GAPS.frame(_gap(rule, o) for rule, o in outcomes if isinstance(o, DidNotApply))
    return frame


def _outcomes(evidence: Evidence) -> list[tuple[str, Outcome]]:
    outcomes = [(rule.name, outcome) for rule in all_rules() for outcome in rule.run(evidence)]
    return [
        (name, _with_preceding(outcome, evidence) if isinstance(outcome, Finding) and name in _SYMPTOMS else outcome)
        for name, outcome in outcomes
    ]


def _with_preceding(symptom: Finding, evidence: Evidence) -> Finding:
    return replace(symptom, evidence=(*symptom.evidence, *_preceded_by(symptom, evidence)))


def _preceded_by(symptom: Finding, evidence: Evidence) -> list[str]:
    """What changed before a symptom on a path to it; it precedes, and more is not said.

    Entries are lost all the time, at the ends of processes; what is a symptom of ``logs-lost`` is a burst of losses.
    """
    time, namespace, told = symptom.time, symptom.namespace, []
    subject = (symptom.kind, namespace, symptom.name)
    precision = 0.0
    if symptom.rule == "error-rate-rise":
        precision = next((s.precision_seconds for s in error_rises(evidence) if s.workload == subject), 0.0)
    if symptom.rule == "logs-lost":
        burst = next((s for s in console_only_rises(evidence) if s.workload == subject), None)
        if burst is None:
            return []
        time, precision = burst.time, burst.precision_seconds
        told = [
            f"from {at(time)} on {burst.after:,.0f} entries a minute reached only the console; before, {burst.before:,.1f} a minute"
        ]
    if time is None:
        return told
    if symptom.kind == "Pod":
        found = telling_changes(evidence, time, namespace=namespace, pod=symptom.name)
    else:
        workload = (symptom.kind, symptom.name)
        found = telling_changes(evidence, time, namespace=namespace, workload=workload, precision_seconds=precision)
    return told + [p.sentence() for p in found]


def _gap(rule: str, outcome: DidNotApply) -> Row:
    about = f" to {outcome.about}" if outcome.about else ""
    return {
        "source": "rules",
        "what": f"rule {rule}",
        "from": None,
        "to": None,
        "reason": f"did not apply{about}, because {outcome.because}",
        "remedy": outcome.remedy or None,
    }
