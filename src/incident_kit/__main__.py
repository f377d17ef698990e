"""The program ``incident-kit``, also as ``python -m incident_kit``."""

from __future__ import annotations

import sys

#: As a shell tells it: ended by SIGINT.
_INTERRUPTED = 130


def main() -> None:
    """Load the program and run it; a Ctrl-C while it still loads ends it without a traceback."""
    try:
        from incident_kit.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
