"""What the rules conclude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incident_kit.rules import DidNotApply, Outcome, all_rules
from incident_kit.tables.answers import FINDINGS, GAPS

if TYPE_CHECKING:
    import pandas as pd

    from incident_kit.evidence import Evidence


def findings(evidence: Evidence) -> pd.DataFrame:
    """One row a judgement of one rule about one subject, each with evidence and what would refute it.

    Args:
        evidence: an opened bundle.

    Returns:
        A frame of `tables.answers.FINDINGS`. Its ``attrs["gaps"]`` (GAPS) says which rules could not judge what, and
        why: no finding of such a rule is not "nothing found".
    """
    outcomes: list[tuple[str, Outcome]] = evidence.memo("findings", lambda: _outcomes(evidence))
    frame = FINDINGS.frame(o for _, o in outcomes if not isinstance(o, DidNotApply))
    frame.attrs["gaps"] = GAPS.frame(_gap(rule, o) for rule, o in outcomes if isinstance(o, DidNotApply))
    return frame


def _outcomes(evidence: Evidence) -> list[tuple[str, Outcome]]:
    return [(rule.name, outcome) for rule in all_rules() for outcome in rule.run(evidence)]


def _gap(rule: str, outcome: DidNotApply) -> dict[str, Any]:
    about = f" to {outcome.about}" if outcome.about else ""
    return {
        "source": "rules",
        "what": f"rule {rule}",
        "from": None,
        "to": None,
        "reason": f"did not apply{about}, because {outcome.because}",
        "remedy": outcome.remedy or None,
    }
