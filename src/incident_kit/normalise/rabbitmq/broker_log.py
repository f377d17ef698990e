"""From a broker's log records to connection intervals and node events.

Lines measured on 3.10 (recordings in the tests). 4.x drops the process id from the accept and the clean close and adds
a duration; AMQP 1.0 names no peer when it authenticates and no user when it closes; 3.7 and 3.8 write a reason as a
bare line. All spellings are read by the same patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from incident_kit.normalise.rabbitmq.endpoints import END, peer_of
from incident_kit.normalise.rabbitmq.records import Record

_PID = r"(?:<[\d.]+> )?"
_CONNECTION = rf"(?P<connection>{END} -> {END})"
_ACCEPT = re.compile(rf"^accepting AMQP connection {_PID}\(?{_CONNECTION}\)?$")
_NAMED = re.compile(rf"^[Cc]onnection {_PID}\(?{_CONNECTION}\)? has a client-provided name: (?P<name>.*)$", re.DOTALL)
_GRANTED = re.compile(
    rf"^connection {_PID}\(?{_CONNECTION}(?: - (?P<name>.*))?\)?: "
    r"user '(?P<user>.*)' authenticated and granted access to vhost '(?P<vhost>.*)'$"
)
# AMQP 1.0: only the process tells which connection it is.
_CONTAINER = re.compile(
    r"^Connection from AMQP 1\.0 container '(?P<name>.*)': user '(?P<user>.*)' authenticated "
    r"(?:using SASL mechanism \S+ )?and granted access to vhost '(?P<vhost>.*)'$"
)
# The client chooses its name, so it may hold anything: the fixed ends are found from the right.
_CLOSING = re.compile(
    rf"^closing AMQP connection {_PID}\(?{_CONNECTION}(?: - (?P<name>.*?))?"
    r"(?:, vhost: '(?P<vhost>[^']*)', user: '(?P<user>[^']*)')?(?:, duration: '(?P<duration>[^']*)')?\)?:?"
    r"(?:\n(?P<reason>.*))?$",
    re.DOTALL,
)
_FAILED = (
    re.compile(rf"^Error on AMQP connection {_PID}\(?{_CONNECTION}.*?:\s*\n(?P<reason>.*)$", re.DOTALL),
    re.compile(rf"^Error on AMQP connection {_PID}\(?{_CONNECTION}[^\n]*\): (?P<reason>[^\n]+)$"),
)
_NODE_EVENTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("peer_up", re.compile(r"^rabbit on node (?P<node>\S+@\S+) up")),
    ("peer_down", re.compile(r"^(?:rabbit on )?node (?P<node>\S+@[^\s:]+) down(?::.*)?")),
    ("alarm_set", re.compile(r"(?:memory|disk|file descriptor)(?: resource)? limit alarm set on node (?P<node>\S+@\S+?)\.?$")),
    ("alarm_cleared", re.compile(r"(?:memory|disk|file descriptor)(?: resource)? limit alarm cleared on node (?P<node>\S+@\S+?)\.?$")),
    ("partition", re.compile(r"running_partitioned_network, '?(?P<node>[^\s}']+@[^\s}']+)")),
    ("started", re.compile(r"^\s*Starting (?:[A-Z]\w+ )?RabbitMQ \d")),
    ("stopping", re.compile(r"^(?:RabbitMQ is asked to stop|Stopping RabbitMQ|SIGTERM received)")),
    ("stopped", re.compile(r"^Successfully stopped RabbitMQ")),
    ("consumer_timeout", re.compile(r"^Consumer .* has timed out waiting for (?:a )?delivery acknowledgement")),
    # Under load a broker drops records of its own log, ends of connections among them.
    ("log_dropping", re.compile(r"^(?:<unknown pid> )?Handler rmq_\S+ switched from\s+\w+ to drop mode")),
    ("log_restored", re.compile(r"^(?:<unknown pid> )?Handler rmq_\S+ switched from\s+drop to \w+ mode")),
    ("channel_error", re.compile(r"^Channel error on connection ")),
)  # fmt: skip
_DURATION = re.compile(r"(\d+)\s*(d|h|m|s|ms)\b", re.IGNORECASE)
_UNIT = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
UNLOGGED_END = "the node stopped without logging the end of the connection"


class BrokerLog:
    """One node's log while it is read, record after record in time order."""

    def __init__(self, cluster: str, rabbit_node: str | None, *, node_observed: bool = True) -> None:
        self.rows: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self._base = {"cluster": cluster, "rabbit_node": rabbit_node, "source": "broker_log"}
        self._node_observed = node_observed
        self._open: dict[str, dict[str, Any]] = {}
        self._of_process: dict[str, str] = {}
        self._last: int | None = None

    def read(self, records: Iterable[Record]) -> None:
        """Read all records, then leave what is still open as open at the last one."""
        for record in records:
            self._connection(record)
            self._event(record)
            self._last = record.time
        for row in self._open.values():
            row["last_seen_at"] = self._last
            self.rows.append(row)
        self._open = {}

    def _connection(self, record: Record) -> None:
        message = record.message
        if "AMQP connection" not in message and not message.startswith(("connection ", "Connection ")):
            return
        if accepted := _ACCEPT.match(message):
            self._accept(accepted["connection"], record.time)
            if record.pid:
                self._of_process[record.pid] = accepted["connection"]
        elif named := _NAMED.match(message):
            self._row(named["connection"], record.time)["user_provided_name"] = named["name"]
        elif granted := _GRANTED.match(message):
            row = self._row(granted["connection"], record.time)
            row.update(user=granted["user"], vhost=granted["vhost"], state="running")
            if granted["name"]:
                row.setdefault("user_provided_name", granted["name"].removesuffix(")"))
        elif container := _CONTAINER.match(message):
            self._authenticated(container, record.pid)
        elif failed := next(filter(None, (pattern.match(message) for pattern in _FAILED)), None):
            row = self._row(failed["connection"], record.time, opening=False)
            row["close_reason"] = _one_line(failed["reason"])
        elif closing := _CLOSING.match(message):
            self._close(closing, record.time)

    def _authenticated(self, container: re.Match[str], process: str | None) -> None:
        """An AMQP 1.0 client, known by the process that accepted it."""
        row = self._open.get(self._of_process.get(process or "", ""))
        if row is not None:
            row.update(user=container["user"], vhost=container["vhost"], state="running")
            row.setdefault("user_provided_name", container["name"])

    def _accept(self, connection: str, time: int) -> None:
        earlier = self._open.pop(connection, None)
        if earlier is not None:
            # The same port of the same peer connects again, so the earlier connection had ended unlogged.
            earlier.update(closed_at=time, observed=False, state="closed", close_reason=UNLOGGED_END)
            self.rows.append(earlier)
        self._open[connection] = self._new(connection, time, observed=self._node_observed)

    def _new(self, connection: str, time: int | None, *, observed: bool) -> dict[str, Any]:
        host, port = peer_of(connection)
        return {
            **self._base,
            "connection": connection,
            "peer_host": host,
            "peer_port": port,
            "connected_at": time,
            "first_seen_at": time,
            "last_seen_at": time,
            "observed": observed,
        }

    def _row(self, connection: str, time: int, *, opening: bool = True) -> dict[str, Any]:
        """The open connection; one whose accept line is not in the log is new.

        Args:
            connection: its name.
            time: of the record.
            opening: whether such a record follows an accept within moments, so that its time is the opening's.
        """
        row = self._open.get(connection)
        if row is None:
            row = self._open[connection] = self._new(connection, time if opening else None, observed=False)
            row["first_seen_at"] = time
        row["last_seen_at"] = time
        return row

    def _close(self, closing: re.Match[str], time: int) -> None:
        row = self._open.pop(closing["connection"], None)
        if row is None:
            row = self._new(closing["connection"], None, observed=False)
            lasted = _milliseconds(closing["duration"])
            if lasted is not None:
                row["connected_at"] = time - lasted * 1_000_000
        row.update(closed_at=time, last_seen_at=time, state="closed")
        row["first_seen_at"] = row["first_seen_at"] if row["first_seen_at"] is not None else time
        if closing["name"]:
            row.setdefault("user_provided_name", closing["name"])
        if closing["user"] is not None:
            row.setdefault("user", closing["user"])
            if closing["vhost"] != "none":  # what 3.x writes before a vhost was opened
                row.setdefault("vhost", closing["vhost"])
        if closing["reason"]:
            row["close_reason"] = _one_line(closing["reason"])
        self.rows.append(row)

    def _event(self, record: Record) -> None:
        for name, pattern in _NODE_EVENTS:
            match = pattern.search(record.message)
            if match is None:
                continue
            reporter = self._base["rabbit_node"]
            # Erlang quotes an atom with a dash or a dot in it, as every pod's node has: 'rabbit@rabbit-0.headless'.
            subject = (match.groupdict().get("node") or "").strip("'") or reporter
            self.events.append(
                {
                    "cluster": self._base["cluster"],
                    "time": record.time,
                    "rabbit_node": subject,
                    "reported_by": reporter,
                    "event": name,
                    "detail": record.message.strip(),
                }
            )
            if name == "started":
                self._restart()
            return

    def _restart(self) -> None:
        """No connection outlives its node.

        When it ended is for the peers' logs to say: a start writes lines before its banner, so this log's last record
        before it may be of the start.
        """
        for row in self._open.values():
            row.update(state="closed", observed=False, close_reason=UNLOGGED_END)
            self.rows.append(row)
        self._open = {}


def _one_line(reason: str) -> str:
    return " ".join(line.strip() for line in reason.splitlines() if line.strip())


def _milliseconds(duration: str | None) -> int | None:
    """Milliseconds of 4.x's ``duration: '1M, 11s'``; None where it says none."""
    parts = _DURATION.findall(duration or "")
    return sum(int(count) * _UNIT[unit.lower()] for count, unit in parts) if parts else None
