"""What the scenario knows: acts with their time and person, and for each rule the subjects it must and must not name."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Case:
    """A subject that a rule must name, or (a near-miss) one that looks like it and must not be named.

    Attributes:
        rule: name of the rule.
        kind: kind of the subject.
        namespace: its namespace; None for an Application.
        name: regular expression that matches its whole name: pods have names nobody chooses.
        positive: whether the rule must name it.
        why: what was done.
        tellable: whether one bundle's evidence can tell a near-miss apart; a finding is a false alarm all the same.
    """

    rule: str
    kind: str
    namespace: str | None
    name: str
    positive: bool
    why: str
    tellable: bool = True

    def matches(self, finding: dict[str, Any]) -> bool:
        """Whether a finding of the answer is about this subject."""
        same = (self.rule, self.kind) == (finding["rule"], finding["kind"])
        here = self.kind == "Application" or self.namespace == finding["namespace"]
        return same and here and re.fullmatch(self.name, str(finding["name"])) is not None


@dataclass(kw_only=True)
class Act:
    """One thing that was done.

    Attributes:
        what: the answer's words for it, the first the expected one; empty for an act that changes nothing (a dry run).
        kind: kind of the object that the row is about.
        namespace: its namespace; None for an Application.
        name: regular expression for its whole name.
        by: who; None where nothing can tell.
        automated: whether nobody asked for it.
        application: Argo CD Application whose operation it was, None for an act beside Argo CD.
        start: when it began (ns).
        end: when it had ended (ns).
        told: what it was, for people.
    """

    what: tuple[str, ...]
    kind: str
    namespace: str | None
    name: str
    by: str | None
    automated: bool | None = None
    application: str | None = None
    start: int = 0
    end: int = 0
    told: str = ""


@dataclass
class Truth:
    """Everything that one run of the scenario knows."""

    acts: list[Act] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    window: tuple[int, int] = (0, 0)
    namespaces: list[str] = field(default_factory=list)
    applications: list[str] = field(default_factory=list)
    snapshots: dict[str, Any] = field(default_factory=dict)
    history: dict[str, list[str]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> Truth:
        """Read what `write` wrote."""
        found = json.loads(path.read_text())
        acts = [Act(**{**a, "what": tuple(a["what"])}) for a in found.pop("acts")]
        cases = [Case(**c) for c in found.pop("cases")]
        window = tuple(found.pop("window"))
        return cls(acts=acts, cases=cases, window=(window[0], window[1]), **found)
