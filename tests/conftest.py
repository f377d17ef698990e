"""Settings of all tests: none is judged by how long it takes on a busy machine, and CI draws the same examples each time.

Who works on the code draws others in each run; what they find gets a test of its own.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
