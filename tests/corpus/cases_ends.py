"""How instances end and what only the console sees of it; then several faults at once."""

from __future__ import annotations

import itertools
from collections import Counter

from . import faults
from .model import MINUTE, SECOND, Case, Container, Entry
from .services import KUBERNETES, Shipping, banners, deploy, restart, run, say
from .traces import EXCEPTIONS, last_words

WITH_DEBUG = (0.66, 0.09, 0.05, 0.2)


def crash_tails(case: Case) -> None:
    """OOM, kill -9, an unhandled exception, and a clean exit lose their last entries; the next instances lose nothing."""
    for workload, format_name, count, code, reason in (
        ("oom-api", "logback", 1, 137, "OOMKilled"),
        ("kill-api", "serilog", 3, 137, "Error"),
        ("exit-api", "python_stdlib", 2, 1, "Error"),
    ):
        container = run(case, deploy(case, workload, format_name), KUBERNETES, minutes=14)
        if code == 1:
            say(
                case,
                container,
                last_words("python", case.rng),
                container.entries[-1].time + 120_000_000,
                stream="stderr",
                causes=("not_logged",),
                why="an unhandled exception's traceback",
            )
            spoken = container.entries.pop()
            faults.crash_tail(case, container, count, exit_code=code, reason=reason)
            container.entries.append(spoken)
        else:
            faults.crash_tail(case, container, count, exit_code=code, reason=reason)
        run(case, restart(container), KUBERNETES, minutes=8)


def clean_exits(case: Case) -> None:
    """Three Jobs end successfully, each without flushing its last 7 to 9 entries; one flushes."""
    for count in (7, 8, 9, 0):
        container = run(
            case, deploy(case, "ledger-jobs", "serilog_ecs", kind="Job"), KUBERNETES, minutes=6, per_minute=40
        )
        if count:
            faults.crash_tail(case, container, count, exit_code=0, reason="Completed")
        else:
            container.finished = (container.entries[-1].time // SECOND + 1) * SECOND


def go_panic(case: Case) -> None:
    """A panic: 15 entries unflushed, then goroutines on stderr that no logger saw."""
    case.console_layout = "cri"
    container = run(case, deploy(case, "quotes-service", "slog_text"), KUBERNETES, minutes=12)
    faults.crash_tail(case, container, 15, exit_code=2, reason="Error")
    say(
        case,
        container,
        last_words("go", case.rng),
        container.entries[-1].time + 120_000_000,
        stream="stderr",
        causes=("not_logged",),
        why="a panic",
    )
    run(case, restart(container), KUBERNETES, minutes=8)


def runtime_text(case: Case) -> None:
    """Banners before the logger, and tracebacks of background threads that the logger never saw."""
    case.console_layout = "cri"
    for format_name in ("spring", "python_json", "serilog", "zap_console", "winston"):
        container = run(case, deploy(case, f"svc-{format_name.replace('_', '-')}", format_name), KUBERNETES, minutes=15)
        for after in _roomy(container)[20:120:50]:
            text = last_words(container.format.language, case.rng)
            say(
                case,
                container,
                text,
                after.time + 150_000_000,
                stream="stderr",
                causes=("not_logged",),
                why="a background thread's unhandled error",
            )
        banners(case, container)


def _roomy(container: Container) -> list[Entry]:
    """Entries that are followed by half a second of silence and are no error, so that what comes next is not taken for theirs."""
    return [
        one
        for one, following in itertools.pairwise(container.entries)
        if following.time - one.time > SECOND // 2 and one.event and one.event.level == "info"
    ]


def interleaved(case: Case) -> None:
    """A traceback on stderr is cut by a logged line on stdout; the streams tell them apart."""
    case.console_layout = "cri"
    container = run(case, deploy(case, "orders-service", "structlog"), KUBERNETES, minutes=15)
    for place in (50, 120, 200):
        inner = container.entries[place]
        text = "\n".join(EXCEPTIONS["python"](case.rng))
        entry = say(
            case,
            container,
            text,
            inner.time - 9_000,
            stream="stderr",
            causes=("not_logged",),
            why="a traceback cut by a logged line",
        )
        entry.pauses = {3: (inner.text.count("\n") + 1) * 4_000 + 6_000}


def rotation_edge(case: Case) -> None:
    """The reader is outrun by rotation: what stood last in each rotated file is missing."""
    case.console_layout, case.rotate_every = "cri", 160
    container = run(case, deploy(case, "orders-service", "logback_json"), KUBERNETES)
    for boundary in range(160, len(container.entries) - 20, 160):
        faults.lose(case, container.entries[boundary - 4 : boundary], "rotation_edge", why="last in a rotated file")


def crash_loop(case: Case) -> None:
    """Four instances, each without its last two entries; kubectl reaches two of them."""
    container = deploy(case, "orders-service", "python_stdlib")
    for number in range(4):
        run(case, container, KUBERNETES, minutes=4, per_minute=40)
        if number < 2:
            container.unreadable = ""
        if number < 3:
            faults.crash_tail(case, container, 2, exit_code=1, reason="Error")
            container = restart(container, after=(20 << number) * SECOND)


def fleet(case: Case) -> None:
    """Fourteen pods of seven workloads in seven formats, each with a fault of its own."""
    begin = case.start + 10 * MINUTE
    for number, format_name in enumerate(
        ("serilog", "spring", "logback_json", "python_stdlib", "zap_console", "pino", "clef")
    ):
        workload = (
            "orders-api",
            "orders-service",
            "ledger-api",
            "ledger-service",
            "quotes-api",
            "kyc-service",
            "bank-bitso",
        )[number]
        shipping = (Shipping(), KUBERNETES)[number % 2]
        pods = [run(case, deploy(case, workload, format_name), shipping, minutes=20, per_minute=12) for _ in range(2)]
        if number == 0:
            faults.lose_at_random(case, pods[0], 0.04)
        elif number in (1, 4):
            for pod in pods:
                faults.outage(case, pod, begin, begin + (3 + number) * MINUTE)
        elif number == 2:
            faults.lose(case, pods[1].entries, "pod_absent", why="no document of this pod")
        elif number == 3:
            faults.crash_tail(case, pods[0], 3, exit_code=137, reason="OOMKilled")
        elif number == 5:
            faults.without_pod_field(pods[0], shipping, lambda _: case.rng.random() < 0.05)
        else:
            faults.duplicate(case, case.rng.sample(faults.shipped(pods[0]), 8))


def mixed(case: Case) -> None:
    """Several causes in one container, as incidents have them."""
    container = run(case, deploy(case, "orders-api", "serilog_ecs"), KUBERNETES, minutes=22, weights=WITH_DEBUG)
    faults.below_level(case, container, "debug")
    faults.outage(case, container, case.start + 6 * MINUTE, case.start + 8 * MINUTE)
    settled = Counter(one.event.template for one in faults.shipped(container) if one.event)
    template = settled.most_common(1)[0][0]
    assert template
    faults.lose_at_random(case, container, 0.01)
    faults.crash_tail(case, container, 3, exit_code=137, reason="OOMKilled")
    after = run(case, restart(container), KUBERNETES, minutes=5)
    banners(case, after)


CASES = {
    make.__name__: make
    for make in (
        crash_tails,
        clean_exits,
        go_panic,
        runtime_text,
        interleaved,
        rotation_edge,
        crash_loop,
        fleet,
        mixed,
    )
}
