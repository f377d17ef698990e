"""Run one service: ``python -m labservice``; everything is set by the environment.

Commands are files that the lab drops into a folder of the node, named for the pod: a fault
happens when the scenario says so, not by chance.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import sys
import time
from pathlib import Path

from labservice.broker import BrokerLink
from labservice.formats import SPELLINGS, Spelling
from labservice.journal import Journal
from labservice.settings import Broker, Pod, Shipping
from labservice.shipping import BulkShipper
from labservice.sinks import ConsoleSink, ElasticSink, number_records
from labservice.stories import Story

MEBIBYTE = 1024 * 1024


class Service:
    """One process: logs its story, obeys commands."""

    def __init__(self) -> None:
        """Read the environment and attach the console; Elasticsearch comes with ``ship``."""
        self.pod = Pod.from_environment()
        self.journal = Journal(Path(os.environ.get("TRUTH_FOLDER", "/lab/private")), self.pod)
        self.spelling: Spelling = SPELLINGS[os.environ.get("SPELLING", "pattern")]()
        self.story = Story(
            os.environ.get("STORY", "orders"),
            f"{self.pod.name} {time.time_ns()}",  # a restarted process has other orders
            int(os.environ.get("REFUSED_EVERY", "0")),
            int(os.environ.get("FRESH_EVERY", "0")),
        )
        self.rate = float(os.environ.get("RATE", "4"))
        self.stray_every = int(os.environ.get("STRAY_EVERY", "0"))
        self.leak = float(os.environ.get("LEAK_MEBIBYTES_PER_SECOND", "0"))
        self.shipper: BulkShipper | None = None
        self._hoard: list[bytearray] = []
        number_records()
        stream = os.environ.get("CONSOLE_STREAM", "stdout")
        root = logging.getLogger()
        root.setLevel(logging.DEBUG)
        root.addHandler(ConsoleSink(self.spelling, self.journal, stream))
        for noisy in ("pika",):
            logging.getLogger(noisy).setLevel(logging.CRITICAL)

    def greet(self) -> None:
        """Write what never goes through the shipping sink: a banner and the first entries."""
        print(f"=== {self.pod.container} {os.environ.get('VERSION', 'dev')} ===", flush=True)
        boot = logging.getLogger("bootstrap")
        boot.info("Reading settings from the environment")
        boot.info(
            "Log level is %s, timeout is %s", os.environ.get("LOG_LEVEL", "info"), os.environ.get("TIMEOUT", "30")
        )

    def ship(self) -> None:
        """Attach the second sink, unless none is configured."""
        settings = Shipping.from_environment()
        if not settings.url:
            self.journal.write("no_sink")
            return
        self.shipper = BulkShipper(settings, self.journal)
        self.shipper.start()
        sink = ElasticSink(self.spelling, self.journal, settings, self.pod, self.shipper)
        logging.getLogger().addHandler(sink)
        self.journal.write("sink_attached", stamps_arrival=settings.stamps_arrival, ships_from=settings.level)

    def connect(self) -> None:
        """Open the AMQP connection, if the service has one."""
        settings = Broker.from_environment()
        if settings.addresses:
            BrokerLink(settings, self.journal).start()

    def work(self, seconds: float | None) -> None:
        """Tell the story at its rate, obeying commands, for a while or for ever."""
        control = Path(os.environ.get("CONTROL_FOLDER", "/lab/control")) / f"{self.pod.name}.json"
        ends = time.monotonic() + seconds if seconds else float("inf")
        for number in itertools.count(1):
            if time.monotonic() >= ends:
                return
            self.spelling.log_event(self.story.next())
            if self.stray_every and number % self.stray_every == 0:
                print(f"gc: collected {number} objects", flush=True)  # some library's own print, past the logger
            self._hoard.append(bytearray(int(self.leak * MEBIBYTE / self.rate)))
            self._obey(control)
            time.sleep(1 / self.rate)

    def _obey(self, control: Path) -> None:
        if not control.exists():
            return
        order = json.loads(control.read_text())
        control.unlink()
        self.journal.write("ordered", order=order)
        match order["do"]:
            case "burst":
                for event in self.story.burst(order["count"]):
                    self.spelling.log_event(event)
            case "out-of-memory":
                logging.getLogger("cache").warning("Rebuilding the whole cache in memory")
                while True:
                    self._hoard.append(bytearray(b"x" * 8 * MEBIBYTE))
            case "crash":
                raise RuntimeError("the ledger is not consistent: 17 != 18")
            case "hold" if self.shipper:
                self.shipper.hold(order["seconds"])
            case "calm":
                self.leak = 0.0
            case "exit":
                logging.getLogger("lifecycle").info("Asked to stop, leaving without a flush")
                os._exit(order.get("code", 0))
            case unknown:
                raise ValueError(f"no such order: {unknown}")

    def finish(self) -> None:
        """End a job; many jobs forget to flush, and so does this one when told to."""
        logging.getLogger("lifecycle").info("Job finished")
        if self.shipper and os.environ.get("JOB_FLUSH", "yes") == "yes":
            self.shipper.close()
        sys.stdout.flush()
        os._exit(0)


def main() -> None:
    """Greet, ship, connect, work; finish when the work has an end."""
    service = Service()
    service.greet()
    service.ship()
    service.connect()
    seconds = float(os.environ.get("JOB_SECONDS", "0")) or None
    service.work(seconds)
    service.finish()


if __name__ == "__main__":
    main()
