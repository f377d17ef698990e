"""Work in threads whose results come in the order of the work, with few of them waiting.

Arrow, Parquet, DuckDB and zlib let other threads run while they work, so that two threads use two processors without
starting processes or copying tables between them.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")

#: More threads gain nothing: what lies between two calls into Arrow is Python and takes turns.
WORKERS = max(1, min(4, os.cpu_count() or 1))


def in_order(pool: Executor, do: Callable[[Work], Result], works: Iterable[Work]) -> Iterator[Result]:
    """Results in the order of the works; at most one more work than there are threads is begun ahead."""
    waiting: deque[Future[Result]] = deque()
    try:
        for work in works:
            waiting.append(pool.submit(do, work))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
