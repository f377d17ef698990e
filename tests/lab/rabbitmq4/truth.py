"""What really happened: every connection of every client, as the kernel shows it while it lasts."""

from __future__ import annotations

import itertools
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.rabbitmq4.pods import CLIENTS, Client
from tests.lab.rabbitmq4.settings import NODES, PROTOCOLS

_EVERY_SECONDS = 0.2
_ESTABLISHED = "01"
_NODE_OF = {node.port(protocol): node.name for node in NODES for protocol in PROTOCOLS}


@dataclass
class Owned:
    """One connection and the client that had it; times in ns, as the watch saw them first and last."""

    case: str
    rabbit_node: str
    host: str
    port: int
    opened_at: int
    closed_at: int | None = None


class Watch(threading.Thread):
    """Looks at the kernel's table of connections several times a second.

    Args:
        pid_of: process id of a case's client, None when it has none.
    """

    def __init__(self, pid_of: Callable[[str], int | None]) -> None:
        super().__init__(daemon=True)
        self.owned: list[Owned] = []
        self._pid_of, self._ended = pid_of, threading.Event()
        self._clients: dict[str, list[Client]] = {}
        for client in CLIENTS:
            self._clients.setdefault(client.ip, []).append(client)

    def run(self) -> None:
        """Look until told to end."""
        current: dict[tuple[str, int, int], Owned] = {}
        while not self._ended.wait(_EVERY_SECONDS):
            now, seen = time.time_ns(), _established()
            for key in current.keys() - seen.keys():
                current.pop(key).closed_at = now
            for key, inode in seen.items():
                if key not in current and (case := self._case(key[0], inode)) is not None:
                    current[key] = Owned(case, _NODE_OF[key[2]], key[0], key[1], now)
                    self.owned.append(current[key])

    def end(self, path: Path) -> None:
        """Look no more; keep what was seen."""
        self._ended.set()
        self.join(timeout=10)
        path.write_text("".join(json.dumps(asdict(one)) + "\n" for one in self.owned))

    def _case(self, address: str, inode: str) -> str | None:
        """Whose it is: the client of the address, of several the one whose process holds the socket."""
        clients = self._clients.get(address, [])
        if len(clients) == 1:
            return clients[0].case
        return next((client.case for client in clients if inode in _sockets(self._pid_of(client.case))), None)


def _established() -> dict[tuple[str, int, int], str]:
    """Inode of each connection to a broker by its address, its port and the broker's."""
    found = {}
    with Path("/proc/net/tcp").open() as table:
        for line in itertools.islice(table, 1, None):
            words = line.split()
            if words[3] != _ESTABLISHED:
                continue
            peer = int(words[2].rpartition(":")[2], 16)
            if peer in _NODE_OF:
                address, _, port = words[1].partition(":")
                found[socket.inet_ntoa(struct.pack("<L", int(address, 16))), int(port, 16), peer] = words[9]
    return found


def _sockets(pid: int | None) -> set[str]:
    """Inodes of a process's sockets."""
    found = set()
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = os.readlink(descriptor)
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:  # it ended, or closed one meanwhile
        return found
    return found


def read(path: Path) -> list[Owned]:
    """What an earlier watch saw."""
    return [Owned(**json.loads(line)) for line in path.read_text().splitlines()]
