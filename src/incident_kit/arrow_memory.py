"""Which allocator Arrow uses while tables are made and matched.

Arrow's default (mimalloc) asks the system for memory in huge pages and soon gives them back, and the kernel clears each
whole page again when it is next touched: a tenth of an import's CPU, measured, and a tenth more memory. jemalloc keeps
to small pages; where Arrow is built without it, the system's own allocator does nearly as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa


@contextmanager
def small_pages() -> Iterator[None]:
    """Let Arrow allocate small pages meanwhile, unless ``ARROW_DEFAULT_MEMORY_POOL`` says what the user wants."""
    before = pa.default_memory_pool()
    if "ARROW_DEFAULT_MEMORY_POOL" in os.environ or before.backend_name != "mimalloc":
        yield
        return
    jemalloc = "jemalloc" in pa.supported_memory_backends()
    pa.set_memory_pool(pa.jemalloc_memory_pool() if jemalloc else pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)
