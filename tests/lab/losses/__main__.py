"""``python -m tests.lab.losses``: the second incident on the running lab, and its truth."""

from __future__ import annotations

from tests.lab.losses.indices import PATTERN
from tests.lab.losses.play import TRUTH, play, remove
from tests.lab.scenario.lab import Lab
from tests.lab.truth import write_truth


def main() -> None:
    """Play, write the truth's tables, end the services."""
    lab = Lab.running("elasticsearch")
    play(lab)
    print(write_truth(lab, TRUTH, PATTERN))
    remove(lab)


if __name__ == "__main__":
    main()
