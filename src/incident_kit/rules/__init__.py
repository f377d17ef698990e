"""The register of rules: one small module per rule, each with a ``RULE``.

A rule is a pure function from evidence to findings. One that could not judge says why; that is reported beside the
findings, because "nothing found" and "could not look" are different answers.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from incident_kit.rules.rule import DidNotApply, Finding, Outcome, Rule

__all__ = ["DidNotApply", "Finding", "Outcome", "Rule", "all_rules", "rule_named"]


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule of the package, by name."""
    names = (module.name for module in iter_modules(__path__) if module.name != "rule")
    found = (getattr(import_module(f"{__name__}.{name}"), "RULE", None) for name in names)
    return tuple(sorted((rule for rule in found if isinstance(rule, Rule)), key=lambda rule: rule.name))


def rule_named(name: str) -> Rule:
    """The rule of this name.

    Raises:
        KeyError: there is none.
    """
    return {rule.name: rule for rule in all_rules()}[name]
