"""Folders put together by chance: any format, any shipping, any layout, and a fault or two in each pod."""

from __future__ import annotations

from collections.abc import Callable

from . import faults
from .formats import FORMATS
from .heldout.formats import FORMATS as HELD_OUT
from .model import MINUTE, SECOND, Case, Container
from .services import DOTTED, FIELDS, FLAT, KUBERNETES, OTEL, Shipping, banners, deploy, restart, run

SHIPPINGS = (Shipping(), KUBERNETES, FLAT, FIELDS, OTEL, DOTTED)
EVERY = {**FORMATS, **HELD_OUT}
SLOW_TAIL = 30 * SECOND


def nothing(_case: Case, _container: Container, _shipping: Shipping) -> None:
    """Nothing goes wrong."""


def some_lost(case: Case, container: Container, _shipping: Shipping) -> None:
    """A few documents are lost at random."""
    faults.lose_at_random(case, container, case.rng.uniform(0.005, 0.06))


def away(case: Case, container: Container, _shipping: Shipping) -> None:
    """The sink is away for some minutes."""
    begin = container.started + round(case.rng.uniform(4, 9) * MINUTE)
    faults.outage(case, container, begin, begin + round(case.rng.uniform(2, 6) * MINUTE))


def killed(case: Case, container: Container, shipping: Shipping) -> None:
    """The process is killed with entries unflushed, and runs again."""
    tail = faults.crash_tail(
        case, container, case.rng.randrange(1, 12), exit_code=137, reason=case.rng.choice(("OOMKilled", "Error"))
    )
    if tail[-1].time - tail[0].time > SLOW_TAIL:
        for entry in tail:
            entry.causes = {"died_before_flush", "shipping_outage"}
    again = run(case, restart(container), shipping, minutes=5)
    if case.rng.random() < 0.5:
        banners(case, again)


def undressed(case: Case, container: Container, shipping: Shipping) -> None:
    """Some documents have no pod field."""
    faults.without_pod_field(container, shipping, lambda _: case.rng.random() < 0.05)


def delivered_twice(case: Case, container: Container, _shipping: Shipping) -> None:
    """Some documents are delivered twice, others not at all."""
    faults.lose_at_random(case, container, 0.02)
    faults.duplicate(case, case.rng.sample(faults.shipped(container), 10))


def in_another_zone(case: Case, container: Container, _shipping: Shipping) -> None:
    """All times of this pod's documents are hours off."""
    faults.shift(faults.shipped(container), case.rng.choice((-7, -3, 1, 2, 8)), why="read in another zone")


def by_chance(_number: int) -> Callable[[Case], None]:
    """Five pods, each its own service with its own fault."""

    def make(case: Case) -> None:
        case.console_layout = case.rng.choice(("cri", "kubectl"))
        case.compressed = case.rng.random() < 0.2
        case.elasticsearch_files = case.rng.randrange(1, 4)
        for number in range(5):
            shipping = case.rng.choice(SHIPPINGS)
            container = deploy(case, f"svc-{number}", "serilog")
            container.format = EVERY[case.rng.choice(sorted(EVERY))]
            container.clock = case.rng.choice((0, 0, 0, 150_000_000, -2 * SECOND))
            run(case, container, shipping, minutes=15, per_minute=case.rng.choice((6, 20, 60)))
            case.rng.choice((nothing, some_lost, some_lost, away, killed, undressed, delivered_twice, in_another_zone))(
                case, container, shipping
            )

    return make


CASES = {f"chance_{number}": by_chance(number) for number in range(12)}
