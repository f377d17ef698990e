"""Label selectors: matchLabels and matchExpressions, all of which must hold.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from incident_kit.nested import listing, mapping


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector selects labels. The empty selector selects everything; a missing one is the caller's case."""
    wanted = mapping(dict(selector), "matchLabels")
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(e, labels) for e in listing(dict(selector), "matchExpressions"))


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator = str(expression.get("key")), expression.get("operator")
    values = expression.get("values") or []
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":  # an absent key satisfies NotIn
        return labels.get(key) not in values or key not in labels
    if operator == "Exists":
        return key in labels
    return operator == "DoesNotExist" and key not in labels
