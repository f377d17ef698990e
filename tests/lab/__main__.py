"""``python -m tests.lab start|stop|status|build [SERVER ...]``: the lab's real servers on this machine."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.servers import bridge, packages
from tests.lab.servers.folders import LAB, write_private
from tests.lab.servers.processes import LabError
from tests.lab.servers.register import SERVERS, Server, choose, with_needs

FACTS = LAB / "lab.json"


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait for another command of the lab to end, so that two starts do not make two of everything."""
    LAB.mkdir(parents=True, exist_ok=True)
    with (LAB / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another command of the lab", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _timed(word: str, server: Server, started: float) -> None:
    print(f"{word} {server.name} ({time.monotonic() - started:.1f} s)", flush=True)


def _write_facts() -> None:
    """Bring lab.json up to date for the servers that run; it holds passwords.

    What an incident stops for a while stays in it: clients still have to know where that was.
    """
    facts = json.loads(FACTS.read_text()) if FACTS.exists() else {}
    facts |= {server.name.replace("-", "_"): server.facts() for server in SERVERS if server.runs()}
    write_private(FACTS, json.dumps(facts, indent=1) + "\n")


def build(servers: list[Server]) -> None:
    """Install Debian packages and build what is not built."""
    packages.install()
    for server in servers:
        started = time.monotonic()
        server.build()
        _timed("built", server, started)


def start(servers: list[Server]) -> None:
    """Build and start; servers that run are left alone."""
    packages.install()
    for server in with_needs(servers):
        started = time.monotonic()
        server.build()
        if time.monotonic() - started > 1:
            _timed("built", server, started)
        started = time.monotonic()
        server.start()
        _timed("running", server, started)
        _write_facts()
    print(f"addresses and passwords: {FACTS}")


def stop(servers: list[Server], *, clean: bool) -> None:
    """Stop, the last started first, with those that cannot run without the named ones."""
    names = {server.name for server in servers}
    dependants = [server for server in SERVERS if names & set(server.needs) and server not in servers]
    for server in reversed([*servers, *dependants]):
        started = time.monotonic()
        server.stop(clean=clean)
        _timed("stopped", server, started)
    if not any(process.pid() for server in SERVERS for process in server.processes):
        bridge.down()
        FACTS.unlink(missing_ok=True)


def status(servers: list[Server]) -> int:
    """Print each process; 1 when one of them does not run."""
    for server in servers:
        for process in server.processes:
            pid = process.pid()
            print(f"{server.name:22} {process.name:30} {f'pid {pid}' if pid else 'not running'}")
    return 0 if all(server.runs() for server in servers) else 1


def main() -> int:
    """Run one command; a failure of the lab is a message with the server's log, not a traceback."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("command", choices=("build", "start", "stop", "status"))
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=", ".join(server.name for server in SERVERS))
    parser.add_argument("--clean", action="store_true", help="with stop: also forget the servers' data")
    chosen = parser.parse_intermixed_args()  # options may stand before the names
    try:
        servers = choose(chosen.servers)
        if chosen.command == "status":
            return status(servers)
        if os.geteuid() != 0:
            raise LabError("the lab's servers need root: they make network bridges and containers")
        with _one_at_a_time():
            if chosen.command == "stop":
                stop(servers, clean=chosen.clean)
            else:
                {"build": build, "start": start}[chosen.command](servers)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
