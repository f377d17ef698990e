"""Quantities of the Kubernetes API: ``256Mi``, ``0.25Gi`` and ``268435456`` are one amount."""

from __future__ import annotations

import re
from fractions import Fraction

_QUANTITY = re.compile(r"^(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[EPTGMK]i|[numkMGTPE]|[eE][+-]?\d{1,3})?$")
_BINARY = {f"{letter}i": 1 << 10 * power for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def amount(quantity: object) -> Fraction | None:
    """The amount that a quantity stands for, exactly; None where it is none.

    Grammar of ``k8s.io/apimachinery/pkg/api/resource``: a decimal number with a binary or decimal suffix or an exponent.
    """
    match = _QUANTITY.match(str(quantity).strip())
    if match is None:
        return None
    number, suffix = match["number"], match["suffix"] or ""
    if suffix in _BINARY:
        return Fraction(number) * _BINARY[suffix]
    power = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:] or 0)
    return Fraction(f"{number}e{power}")


def same_amount(one: object, other: object) -> bool:
    """Whether two quantities are the same amount, or are written the same way."""
    known = amount(one)
    return one == other or (known is not None and known == amount(other))
