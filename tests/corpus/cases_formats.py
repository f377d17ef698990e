"""Every format with losses in one of two pods: what the matcher must get right without being told anything."""

from __future__ import annotations

from collections.abc import Callable

from . import faults
from .formats import FORMATS
from .model import Case
from .services import DOTTED, FIELDS, FLAT, KUBERNETES, OTEL, Shipping, deploy, run

SHIPPINGS = (Shipping(), KUBERNETES, FLAT, FIELDS, OTEL, DOTTED)
LAYOUTS = ("kubectl", "cri")


def losses_in(format_name: str, number: int) -> Callable[[Case], None]:
    """Two pods of a workload; one loses 3 % of its documents at random, the other none."""

    def make(case: Case) -> None:
        case.console_layout = LAYOUTS[number % 2]
        shipping = SHIPPINGS[number % len(SHIPPINGS)]
        for share in (0.03, 0.0):
            container = run(case, deploy(case, "orders-service", format_name), shipping)
            if share:
                faults.lose_at_random(case, container, share)

    return make


CASES = {f"format_{name}": losses_in(name, number) for number, name in enumerate(FORMATS)}
