"""Fetching, against what a user could do instead: ``python -m benchmarks.fetching http://127.0.0.1:9200``.

Fills an index of its own in a real Elasticsearch (``DOCUMENTS``, a million by default), reads it back in three ways, each
in a process of its own, and streams ``CONSOLE_BYTES`` of console through redaction into a raw folder. Prints one table.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import orjson

from benchmarks.measure import run_python

DOCUMENTS = int(os.environ.get("DOCUMENTS", "1000000"))
CONSOLE_BYTES = int(os.environ.get("CONSOLE_BYTES", "1000000000"))
PAGE = 5000
QUERY = {"range": {"@timestamp": {"gte": "now-1d"}}}
KEY = b"benchmark" * 4


def main(url: str) -> None:
    """Fill, measure, print, and remove the index."""
    index = f"kit-bench-{uuid.uuid4().hex[:8]}"
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
        fill(client, index)
        try:
            print("| work | documents | seconds | per second | CPU s | peak MiB |\n" + "| --- " * 6 + "|")
            for work in ("read_the_bytes_only", "scan_into_a_frame", "kit_into_the_raw_folder"):
                measure(work, url, index)
        finally:
            client.delete(f"/{index}")
    measure("console_into_the_raw_folder", url, index)


def fill(client: httpx.Client, index: str) -> None:
    """An index of documents such as services write."""
    kinds = {"@timestamp": "date", "podName": "keyword", "level": "keyword", "message": "text"}
    properties = {name: {"type": kind} for name, kind in kinds.items()}
    client.put(f"/{index}", json={"mappings": {"properties": properties}}).raise_for_status()
    started = time.time()
    for begin in range(0, DOCUMENTS, PAGE):
        lines = []
        for number in range(begin, min(begin + PAGE, DOCUMENTS)):
            lines += [b'{"index":{}}', orjson.dumps(document(number, started))]
        body, kind = b"\n".join(lines) + b"\n", {"content-type": "application/x-ndjson"}
        client.post(f"/{index}/_bulk", content=body, headers=kind).raise_for_status()
    client.post(f"/{index}/_refresh").raise_for_status()


def document(number: int, now: float) -> dict[str, object]:
    """One entry with template and properties."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now - 3600 + 3600 * number / DOCUMENTS))
    return {
        "@timestamp": f"{stamp}.{number % 1000:03d}Z",
        "podName": f"orders-api-7c9f8d6b5-{number % 100:05d}",
        "level": "Information",
        "messageTemplate": "Order {OrderId} accepted for {Customer}",
        "message": f'Order {number} accepted for "customer-{number % 977}"',
        "fields": {"OrderId": number, "Customer": f"customer-{number % 977}", "SourceContext": "Shop.OrderHandler"},
    }


def measure(work: str, url: str, index: str) -> None:
    """Run one work in a fresh interpreter and print its row."""
    seconds, usage, output = run_python(work, "-W", "ignore", "-m", "benchmarks.fetching", url, index, work)
    count, cpu = int(output.split()[-1]), usage.ru_utime + usage.ru_stime
    peak = usage.ru_maxrss / 1024
    print(f"| {work} | {count} | {seconds:.1f} | {count / seconds:,.0f} | {cpu:.1f} | {peak:.0f} |", flush=True)


def read_the_bytes_only(url: str, index: str) -> int:
    """A client that pages through a point in time and throws the bytes away."""
    count, after = 0, None
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
        pit = client.post(f"/{index}/_pit?keep_alive=5m").json()["id"]
        while True:
            body = {"size": PAGE, "query": QUERY, "pit": {"id": pit}, "sort": ["_shard_doc"], "track_total_hits": False}
            data = client.post("/_search", json={**body, **({"search_after": after} if after else {})}).content
            hits = data.count(b'"_id":')
            count += hits
            if hits < PAGE:
                return count
            after = orjson.loads(data[data.rfind(b'"sort":[') + 7 : -3].rstrip(b"}"))


def scan_into_a_frame(url: str, index: str) -> int:
    """What people write today."""
    import pandas as pd
    from elasticsearch import Elasticsearch, helpers

    hits = helpers.scan(Elasticsearch(url), index=index, query={"query": QUERY}, size=PAGE)
    return len(pd.DataFrame(hit["_source"] for hit in hits))


def kit_into_the_raw_folder(url: str, index: str) -> int:
    """Slices, redaction and compression included, complete by count."""
    from incident_kit.capture.store import RawStore
    from incident_kit.redaction import Redactor
    from incident_kit.sources.elasticsearch import Search
    from incident_kit.sources.slices import Reading

    reading = Reading()
    with tempfile.TemporaryDirectory() as folder:
        store = RawStore(Path(folder), Redactor(KEY))
        with store.hits("elasticsearch/documents", 2) as write:
            search = Search(url)
            search.documents([index], QUERY, slices=2, page_size=PAGE, what="benchmark", reading=reading, write=write)
    assert reading.fetched == reading.expected
    assert not reading.problems
    return reading.fetched


def console_into_the_raw_folder(_url: str, _index: str) -> int:
    """Console text of 16 containers at once through redaction and compression; lines."""
    from incident_kit.capture.store import RawStore
    from incident_kit.redaction import Redactor

    block = b"".join(console_line(number) for number in range(8000))
    containers = 16

    def blocks() -> Iterator[bytes]:
        for _ in range(CONSOLE_BYTES // containers // len(block)):
            yield block

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(containers) as pool:
        store = RawStore(Path(folder), Redactor(KEY))
        names = [f"console/shop/orders-{number}/app.log.gz" for number in range(containers)]
        return sum(lines for _size, lines in pool.map(lambda name: store.text_and_lines(name, blocks()), names))


def console_line(number: int) -> bytes:
    """Every fiftieth line holds something to hide."""
    text = f"user bob{number}@example.com token=abc{number}def" if number % 50 == 0 else f"Order {number} accepted"
    return f"2026-11-20T08:00:{number % 60:02d}.{number:09d}Z [08:00:{number % 60:02d} INF] {text}\n".encode()


WORKS: dict[str, Callable[[str, str], int]] = {
    work.__name__: work
    for work in (read_the_bytes_only, scan_into_a_frame, kit_into_the_raw_folder, console_into_the_raw_folder)
}

if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(WORKS[sys.argv[3]](sys.argv[1], sys.argv[2]))
    elif len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        sys.exit("usage: python -m benchmarks.fetching http://HOST:9200")
