"""``python -m incident_kit``: the same as the program ``incident-kit``."""

from __future__ import annotations

from incident_kit.cli.main import main

if __name__ == "__main__":
    main()
