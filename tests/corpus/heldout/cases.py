"""One case a format: random losses in one pod, a sink's minimum level, and pod fields nobody announced."""

from __future__ import annotations

from collections.abc import Callable

from tests.corpus import faults
from tests.corpus.model import Case, Container
from tests.corpus.services import KUBERNETES, Shipping, deploy, run

from .formats import FORMATS
from .more import MORE
from .third import THIRD

POD_FIELDS = ("podName", "kubernetes.pod.name", "hostname", "k8s_pod", "kubernetes.pod_name")


def losses_in(format_name: str, number: int) -> Callable[[Case], None]:
    """Two pods; one loses 3 % at random, and every other case keeps DEBUG on the console."""

    def make(case: Case) -> None:
        case.console_layout = ("cri", "kubectl")[number % 2]
        field = POD_FIELDS[number % len(POD_FIELDS)]
        shipping = KUBERNETES if field == KUBERNETES.pod_field else Shipping(field)
        for share in (0.03, 0.0):
            container = deploy(case, "orders-service", "python_stdlib")
            container.owner.containers[0] = container = Container(
                "app",
                (FORMATS | MORE | THIRD)[format_name],
                started=container.started,
                pod=container.owner,
            )
            run(case, container, shipping, weights=(0.7, 0.1, 0.05, 0.15 if number % 2 else 0.0))
            if number % 2:
                faults.below_level(case, container, "debug")
            if share:
                faults.lose_at_random(case, container, share)

    return make


CASES = {f"heldout_{name}": losses_in(name, number) for number, name in enumerate((*FORMATS, *MORE, *THIRD))}
