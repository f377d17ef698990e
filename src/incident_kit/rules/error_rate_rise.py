"""error-rate-rise: a workload logs several times as many errors as before, from a time on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_kit.correlate.symptoms.log_templates import Template
from incident_kit.correlate.symptoms.symptoms import Symptom, error_rises, template_changes
from incident_kit.counting import plural
from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule, at
from incident_kit.tables.logs import CONSOLE_ENTRIES, ELASTIC_DOCUMENTS

if TYPE_CHECKING:
    from incident_kit.evidence import Evidence

_SHOWN = 3


def _judge(evidence: Evidence) -> Iterable[Outcome]:
    if not any(evidence.parquet(table) for table in (CONSOLE_ENTRIES, ELASTIC_DOCUMENTS)):
        return [DidNotApply(because="neither console entries nor documents were collected")]
    first: dict[tuple[str, str | None, str], list[Symptom]] = {}
    for symptom in error_rises(evidence):
        first.setdefault(symptom.workload, []).append(symptom)
    return [_finding(symptoms, evidence) for symptoms in first.values()]


def _finding(symptoms: list[Symptom], evidence: Evidence) -> Finding:
    """One finding for each workload: its first rise, and the later ones as evidence."""
    symptom = symptoms[0]
    kind, namespace, name = symptom.workload
    began, ended = template_changes(symptom, evidence)
    until = f"until {at(symptom.until)}" if symptom.until is not None else "to the end of what is known"
    return RULE.finding(
        f"{name} logs {_errors(symptom)} a minute from {at(symptom.time)} {until}; before, {symptom.before:,.1f} a minute",
        time=symptom.time,
        kind=kind,
        namespace=namespace,
        name=name,
        evidence=[
            f"counted on the {symptom.side} side in bins of {symptom.precision_seconds:.0f} s",
            *(f"again from {at(s.time)}: {_errors(s)} a minute" for s in symptoms[1:]),
            *(f"new template: {_told(t)}" for t in began[:_SHOWN]),
            *(f"vanished template: {_told(t)}" for t in ended[:_SHOWN]),
        ],
        confidence=0.9,
        next_step="Read the new templates first; what changed before is listed by its path to the workload, not as a cause.",
    )


def _errors(symptom: Symptom) -> str:
    return plural(round(symptom.after), "error")


def _told(template: Template) -> str:
    return f"{template.level or 'no level'}, {plural(template.count, 'time')} from {at(template.first)}: {template.example[:200]}"


RULE = Rule(
    name="error-rate-rise",
    question="Which workloads log several times as many errors as before?",
    severity="warning",
    refuted_by="A level that was renamed, or errors of another kind that were not counted before.",
    judge=_judge,
)
