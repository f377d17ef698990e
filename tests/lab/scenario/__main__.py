"""``python -m tests.lab.scenario run``: the incident on the running lab; ``truth`` joins what it wrote."""

from __future__ import annotations

import argparse

from tests.lab.scenario.incident import play
from tests.lab.scenario.lab import Lab


def main() -> None:
    """Play the incident, then write the truth's tables."""
    parser = argparse.ArgumentParser(prog="tests.lab.scenario", description=__doc__)
    parser.add_argument("act", choices=("run", "truth"))
    act = parser.parse_args().act
    lab = Lab.running()
    if act == "run":
        play(lab)
    from tests.lab.truth import write_truth  # reads what the run just wrote

    print(write_truth(lab))


if __name__ == "__main__":
    main()
