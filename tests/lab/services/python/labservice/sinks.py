"""The two sinks of every service, and the journal between them."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
from datetime import datetime, timedelta

from labservice.formats import Spelling
from labservice.journal import Journal
from labservice.settings import Pod, Shipping
from labservice.shipping import BulkShipper

ELASTIC_ONLY = "audit"  # this logger has no console sink


def number_records() -> None:
    """Give every record a sequence, so that the two sinks speak of the same entry."""
    numbers = itertools.count(1)
    plain = logging.getLogRecordFactory()

    def numbered(*args: object, **kwargs: object) -> logging.LogRecord:
        record = plain(*args, **kwargs)
        record.sequence = next(numbers)
        return record

    logging.setLogRecordFactory(numbered)


class ConsoleSink(logging.Handler):
    """Writes an entry to stdout or stderr in one write, journalled first."""

    def __init__(self, spelling: Spelling, journal: Journal, stream: str) -> None:
        super().__init__()
        self._spelling = spelling
        self._journal = journal
        self._stream = stream
        self._lock = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        shown = record.name != ELASTIC_ONLY
        text = self._spelling.console(record)
        with self._lock:
            self._journal.write(
                "entry",
                sequence=record.sequence,
                level=record.levelname,
                logger=record.name,
                text=text,
                console=shown,
                stream=self._stream,
            )
            if shown:
                print(text, file=getattr(sys, self._stream), flush=True)


class ElasticSink(logging.Handler):
    """Hands an entry to the shipper, changed as this service's sink changes it."""

    def __init__(
        self, spelling: Spelling, journal: Journal, settings: Shipping, pod: Pod, shipper: BulkShipper
    ) -> None:
        super().__init__()
        self._spelling = spelling
        self._journal = journal
        self._settings = settings
        self._pod = pod
        self._shipper = shipper

    def emit(self, record: logging.LogRecord) -> None:
        sequence = record.sequence
        if record.levelno < logging.getLevelName(self._settings.level):
            self._journal.write("dropped", sequence=sequence, why="below_level")
            return
        document = self._spelling.document(record)
        document["service"] = {"name": self._settings.service}
        if record.name in self._settings.unlabelled_loggers:
            self._journal.write("marked", sequence=sequence, why="without_pod_name")
        else:
            _put(document, self._settings.pod_field, self._pod.name)
        self._alter(sequence, document)
        self._shipper.offer(sequence, document)

    def _alter(self, sequence: int, document: dict[str, object]) -> None:
        limit = self._settings.truncate
        message = str(document["message"])
        if limit and len(message) > limit:
            document["message"] = message[:limit]
            if message[limit:].strip():
                self._journal.write("marked", sequence=sequence, why="truncated")
        if self._settings.shift_hours:
            shift = timedelta(hours=self._settings.shift_hours)
            moved = datetime.fromisoformat(str(document["@timestamp"])) + shift
            document["@timestamp"] = moved.isoformat().replace("+00:00", "Z")
            self._journal.write("marked", sequence=sequence, why="at_other_time")


def _put(document: dict[str, object], path: str, value: str) -> None:
    *parents, last = path.split(".")
    inner = document
    for name in parents:
        inner = inner.setdefault(name, {})  # type: ignore[assignment]
    inner[last] = value
