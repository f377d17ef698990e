"""The second sink: batches over HTTP to ``_bulk``, a bounded queue, retries.

It behaves as real sinks do: a full queue drops the newest entry, an exhausted batch is given
up, an item refused by the mapping is dropped, a process that ends early takes the queue with
it. Every attempt carries fresh document ids that the journal knows beforehand, so what is in
Elasticsearch afterwards, duplicates of retries included, can be told entry by entry.
"""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
import urllib.parse
import uuid
from datetime import UTC, datetime

from labservice.journal import Journal
from labservice.settings import Shipping

Entry = tuple[int, dict[str, object]]


class BulkShipper(threading.Thread):
    """Ships documents in the background until it is closed, or forgotten."""

    def __init__(self, settings: Shipping, journal: Journal) -> None:
        """Prepare the queue; ``start`` begins to ship."""
        super().__init__(name="bulk-shipper", daemon=True)
        self._settings = settings
        self._journal = journal
        self._queue: queue.Queue[Entry] = queue.Queue(maxsize=settings.queue_size)
        self._closing = threading.Event()
        self._held_until = 0.0

    def offer(self, sequence: int, document: dict[str, object]) -> None:
        """Queue one document, or drop it and say so in the journal."""
        limit = self._settings.max_bytes
        if limit and len(json.dumps(document).encode()) > limit:
            self._journal.write("dropped", sequence=sequence, why="too_long")
            return
        try:
            self._queue.put_nowait((sequence, document))
        except queue.Full:
            self._journal.write("dropped", sequence=sequence, why="queue_full")

    def hold(self, seconds: float) -> None:
        """Ship nothing for a while: what is queued meanwhile arrives late."""
        self._held_until = time.monotonic() + seconds

    def close(self, seconds: float = 5.0) -> None:
        """Flush what is queued, as a well-behaved service does before it ends."""
        self._closing.set()
        self.join(seconds)

    def run(self) -> None:
        """Collect and send until closed and empty."""
        while not (self._closing.is_set() and self._queue.empty()):
            time.sleep(max(0.0, self._held_until - time.monotonic()))
            batch = self._collect()
            if batch:
                self._deliver(batch)
                time.sleep(self._settings.pause_seconds)

    def _collect(self) -> list[Entry]:
        batch: list[Entry] = []
        deadline = time.monotonic() + self._settings.flush_seconds
        while len(batch) < self._settings.batch_size:
            wait = 0.05 if self._closing.is_set() else max(deadline - time.monotonic(), 0)
            try:
                batch.append(self._queue.get(timeout=wait) if wait else self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _deliver(self, batch: list[Entry]) -> None:
        why = ""
        for attempt in range(1, self._settings.attempts + 1):
            ids = {sequence: uuid.uuid4().hex for sequence, _ in batch}
            self._journal.write("sent", attempt=attempt, ids=ids)
            try:
                answer = self._post(batch, ids)
            except (OSError, http.client.HTTPException) as error:
                why = f"{type(error).__name__}: {error}"
                self._journal.write("failed", attempt=attempt, why=why)
            else:
                batch = self._retryable(batch, answer)
                if not batch:
                    return
                why = "too_many_requests"
            if attempt < self._settings.attempts:
                time.sleep(min(self._settings.retry_seconds * 2 ** (attempt - 1), 5.0))
        self._journal.write("gave_up", sequences=[sequence for sequence, _ in batch], why=why)

    def _post(self, batch: list[Entry], ids: dict[int, str]) -> dict[str, object]:
        lines = []
        for sequence, document in batch:
            action = {"create": {"_index": self._settings.index, "_id": ids[sequence]}}
            if self._settings.stamps_arrival:  # as an ingest pipeline would
                document = {**document, "event": {"ingested": datetime.now(UTC).isoformat().replace("+00:00", "Z")}}
            lines += [json.dumps(action), json.dumps(document, ensure_ascii=False)]
        url = urllib.parse.urlsplit(self._settings.url)
        connection = http.client.HTTPConnection(
            url.hostname or "", url.port or 9200, timeout=self._settings.timeout_seconds
        )
        headers = {"Content-Type": "application/x-ndjson"}
        if self._settings.authorization:
            headers["Authorization"] = self._settings.authorization
        try:
            connection.request("POST", "/_bulk", ("\n".join(lines) + "\n").encode(), headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise http.client.HTTPException(f"HTTP {response.status}: {body[:200]!r}")
        answer: dict[str, object] = json.loads(body)
        return answer

    def _retryable(self, batch: list[Entry], answer: dict[str, object]) -> list[Entry]:
        """Journal each item's fate; the ones answered 429 come back for another attempt.

        What a data stream's failure store took counts as accepted: the server says 201, and few sinks look closer.
        """
        again = []
        items = answer["items"]
        assert isinstance(items, list)
        accepted = []
        for entry, item in zip(batch, items, strict=True):
            result = item["create"]
            if result["status"] == 429:
                again.append(entry)
            elif result["status"] >= 300:
                error = result["error"]
                reason = error.get("caused_by", {}).get("reason") or error["reason"]
                self._journal.write("refused", sequence=entry[0], type=error["type"], reason=reason)
            else:
                accepted.append(entry[0])
        self._journal.write("acknowledged", sequences=accepted)
        return again
