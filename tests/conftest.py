"""Settings of all tests: none is judged by how long it takes on a busy machine, and CI draws the same examples each time.

Not only the deadline of an example is a judgement by time: Hypothesis also fails a test when the first examples take more
than a second to draw (``too_slow``), which a busy machine does to any. Who works on the code draws other examples in each
run; what they find gets a test of its own.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
