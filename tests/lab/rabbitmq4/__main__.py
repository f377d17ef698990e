"""``python -m tests.lab.rabbitmq4 [start|play|score|record|stop]``: a 4.0 cluster, played, scored, recorded; all of it by default."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from tests.lab.rabbitmq4 import cluster
from tests.lab.rabbitmq4.play import PLAY, Play
from tests.lab.rabbitmq4.record import record
from tests.lab.rabbitmq4.score import COLUMNS, score


def tell_scores() -> None:
    """One line a capture, and below it what is not as an honest answer is."""
    print(f"{'capture':16}" + "".join(f"{name:>11}" for name in COLUMNS))
    for capture in json.loads((PLAY / "played.json").read_text())["captures"]:
        one, _ = score(PLAY, capture)
        print(f"{capture:16}" + "".join(f"{one.total[name]:>11}" for name in COLUMNS), flush=True)
        for words in [*one.words, *(f"nobody's: {name}" for name in one.strangers)]:
            print(f"    {words}")


STEPS: dict[str, Callable[[], object]] = {
    "start": cluster.start,
    "play": lambda: Play().run(),
    "score": tell_scores,
    "record": record,
    "stop": lambda: cluster.stop(clean=True),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("steps", nargs="*", choices=[*STEPS, []], help="in this order; all when none is named")
    chosen = parser.parse_args().steps or list(STEPS)
    try:
        for step in [name for name in STEPS if name in chosen]:
            STEPS[step]()
    except BaseException:
        if chosen == list(STEPS):
            cluster.stop(clean=True)
        raise
