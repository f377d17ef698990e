"""``python -m tests.lab.connections``: play the scenario on the running lab and print the score."""

from __future__ import annotations

import sys

from tests.lab.connections.play import play
from tests.lab.scenario.lab import Lab

if __name__ == "__main__":
    play(Lab.running())
    sys.exit(0)
