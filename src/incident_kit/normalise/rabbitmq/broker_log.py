"""From a broker's log records to connection intervals and node events.

Lines measured on 3.10 and 4.0 (recordings in the tests). 4.x drops the process id from the accept and the clean close
and adds a duration; AMQP 1.0 names no peer when it authenticates or fails and no user when it closes; 3.7 and 3.8 write
a reason as a bare line. MQTT's accept names the client, STOMP's nobody, and of streams a broker logs no connection at
all. All spellings are read by the same patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from incident_kit.normalise.rabbitmq.endpoints import END, peer_of
from incident_kit.normalise.rabbitmq.records import Record

_PID = r"(?:<[\d.]+> )?"
_CONNECTION = rf"(?P<connection>{END} -> {END})"
_ACCEPT = re.compile(rf"^accepting (?:AMQP|STOMP) connection {_PID}\(?{_CONNECTION}\)?$")
_ACCEPTED_MQTT = re.compile(rf"^Accepted MQTT connection {_CONNECTION} for client ID (?P<name>.*)$", re.DOTALL)
_NAMED = re.compile(rf"^[Cc]onnection {_PID}\(?{_CONNECTION}\)? has a client-provided name: (?P<name>.*)$", re.DOTALL)
_GRANTED = re.compile(
    rf"^connection {_PID}\(?{_CONNECTION}(?: - (?P<name>.*))?\)?: "
    r"user '(?P<user>.*)' authenticated and granted access to vhost '(?P<vhost>.*)'$",
    re.DOTALL,
)
# AMQP 1.0: only the process tells which connection it is.
_CONTAINER = re.compile(
    r"^Connection from AMQP 1\.0 container '(?P<name>.*)': user '(?P<user>.*)' authenticated "
    r"(?:using SASL mechanism \S+ )?and granted access to vhost '(?P<vhost>.*)'$"
)
# The client chooses its name, so it may hold anything: the fixed ends are found from the right. A virtual host with
# quotes in its name is tried last.
_CLOSING = tuple(
    re.compile(
        rf"^closing AMQP connection {_PID}\(?{_CONNECTION}(?: - (?P<name>.*?))?"
        rf"(?:, vhost: '(?P<vhost>{vhost})', user: '(?P<user>[^']*)')?(?:, duration: '(?P<duration>[^']*)')?\)?"
        r"(?::(?:\n(?P<reason>.*))?)?$",
        re.DOTALL,
    )
    for vhost in ("[^']*", ".*")
)
_FAILED = (
    re.compile(rf"^Error on AMQP connection {_PID}\(?{_CONNECTION}.*?:\s*\n(?P<reason>.*)$", re.DOTALL),
    re.compile(rf"^Error on AMQP connection {_PID}\(?{_CONNECTION}[^\n]*\): (?P<reason>[^\n]+)$"),
)
_FAILED_PROCESS = re.compile(
    r"^Error on AMQP 1\.0 connection (?P<process><[\d.]+>) [^\n]*:\s*\n(?P<reason>.*)$", re.DOTALL
)
# MQTT prints some names as Erlang does: <<"10.0.0.9:5100 -> 10.0.0.1:1883">>.
_PRINTED = rf'(?:{_PID}\(|<<")?{_CONNECTION}(?:\)|">>)?'
_ENDED = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rf"^closing (?:STOMP|MQTT) connection {_PRINTED}(?:,? (?:reason: )?\(?(?P<reason>.*?)\)?)?$",
        rf"^MQTT closing connection {_PRINTED}: (?P<reason>.*)$",
        rf"^MQTT connection {_PRINTED} will terminate because (?P<reason>.*)$",
        rf"^MQTT disconnecting client {_PRINTED} (?P<reason>.*)$",
        rf"^Rejected MQTT connection {_PRINTED} with (?P<reason>.*)$",
        rf"^STOMP connection {_PRINTED} terminated with reason (?P<reason>.*), closing it$",
        rf"^STOMP (?P<reason>detected missed client heartbeat\(s\)) on connection {_PRINTED}, closing it$",
        rf"^(?:STOMP|MQTT) detected network error on {_PRINTED}: (?P<reason>.*)$",
    )
)
_ENDED_PROCESS = re.compile(r"^Terminating MQTT connection because (?P<reason>.*)$", re.DOTALL)
_NODE_EVENTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("peer_up", re.compile(r"^rabbit on node (?P<node>\S+@\S+) up")),
    ("peer_down", re.compile(r"^(?:rabbit on )?node (?P<node>\S+@[^\s:]+) down(?::.*)?")),
    ("alarm_set", re.compile(r"(?:memory|disk|file descriptor)(?: resource)? limit alarm set on node (?P<node>\S+@\S+?)\.?(?:\s|$)")),
    ("alarm_cleared", re.compile(r"(?:memory|disk|file descriptor)(?: resource)? limit alarm cleared on node (?P<node>\S+@\S+?)\.?(?:\s|$)")),
    ("partition", re.compile(r"running_partitioned_network, '?(?P<node>[^\s}']+@[^\s}']+)")),
    ("started", re.compile(r"^\s*Starting (?:[A-Z]\w+ )?RabbitMQ \d")),
    ("stopping", re.compile(r"^(?:RabbitMQ is asked to stop|Stopping RabbitMQ|SIGTERM received)")),
    ("stopped", re.compile(r"^Successfully stopped RabbitMQ")),
    ("drained", re.compile(r"^This node is being put into maintenance")),
    ("revived", re.compile(r"^This node is being revived from maintenance")),
    ("consumer_timeout", re.compile(r"^Consumer .* has timed out waiting for (?:a )?(?:delivery|consumer) acknowledgement")),
    # Under load a broker drops records of its own log, ends of connections among them.
    ("log_dropping", re.compile(r"^(?:<unknown pid> )?Handler rmq_\S+ switched from\s+\w+ to drop mode")),
    ("log_restored", re.compile(r"^(?:<unknown pid> )?Handler rmq_\S+ switched from\s+drop to \w+ mode")),
    ("channel_error", re.compile(r"^Channel error on connection ")),
)  # fmt: skip
_OF_CHANNELS = ("channel_error", "consumer_timeout")
_DURATION = re.compile(r"(\d+)\s*(d|h|m|s|ms)\b", re.IGNORECASE)
_UNIT = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_OF_CONNECTION = re.compile(r"^[Cc]onnection |(?:AMQP|AMQP 1\.0|STOMP|MQTT) connection |^(?:STOMP|MQTT) \w+ ")
_BINARY = re.compile(r'^<<"(?P<text>.*)">>$')
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
        if not _OF_CONNECTION.search(message):
            return
        if accepted := _ACCEPT.match(message):
            self._accept(accepted["connection"], record)
        elif named := _NAMED.match(message):
            self._row(named["connection"], record.time)["user_provided_name"] = named["name"]
        elif granted := _GRANTED.match(message):
            row = self._row(granted["connection"], record.time)
            row.update(user=granted["user"], vhost=granted["vhost"], state="running")
            if granted["name"]:
                row.setdefault("user_provided_name", granted["name"].removesuffix(")"))
        elif container := _CONTAINER.match(message):
            self._authenticated(container, record.pid)
        elif accepted := _ACCEPTED_MQTT.match(message):
            self._accept_mqtt(accepted, record)
        elif failed := _first(_FAILED, message):
            row = self._row(failed["connection"], record.time, opening=False)
            row["close_reason"] = _one_line(failed["reason"])
        elif failed := _FAILED_PROCESS.match(message):
            self._of(failed["process"])["close_reason"] = _one_line(failed["reason"])
        elif closing := _first((*_CLOSING, *_ENDED), message):
            self._close(closing.groupdict(), record.time)
        elif (ended := _ENDED_PROCESS.match(message)) and (row := self._of(record.pid)):
            self._close({"connection": row["connection"], "reason": ended["reason"]}, record.time)

    def _authenticated(self, container: re.Match[str], process: str | None) -> None:
        """An AMQP 1.0 client, known by the process that accepted it."""
        row = self._of(process)
        row.update(user=container["user"], vhost=container["vhost"], state="running")
        row.setdefault("user_provided_name", container["name"])

    def _of(self, process: str | None) -> dict[str, Any]:
        """The open connection that a process accepted; one of nobody where the log does not hold its accept."""
        return self._open.get(self._of_process.get(process or "", ""), {})

    def _accept_mqtt(self, accepted: re.Match[str], record: Record) -> None:
        """An MQTT client: its first line, unless the log is so fine that it tells of the socket before."""
        if "user_provided_name" in self._open.get(accepted["connection"], {"user_provided_name": None}):
            self._accept(accepted["connection"], record)
        self._open[accepted["connection"]].update(user_provided_name=accepted["name"], state="running")

    def _accept(self, connection: str, record: Record) -> None:
        earlier = self._open.pop(connection, None)
        if earlier is not None:
            # The same port of the same peer connects again, so the earlier connection had ended unlogged.
            earlier.update(closed_at=record.time, observed=False, state="closed")
            earlier.setdefault("close_reason", UNLOGGED_END)
            self.rows.append(earlier)
        self._open[connection] = self._new(connection, record.time, observed=self._node_observed)
        if record.pid:
            self._of_process[record.pid] = connection

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

    def _close(self, closing: dict[str, str | None], time: int) -> None:
        connection = str(closing["connection"])
        row = self._open.pop(connection, None)
        if row is None:
            row = self._new(connection, None, observed=False)
            lasted = _milliseconds(closing.get("duration"))
            if lasted is not None:
                row["connected_at"] = time - lasted * 1_000_000
        row.update(closed_at=time, last_seen_at=time, state="closed")
        row["first_seen_at"] = row["first_seen_at"] if row["first_seen_at"] is not None else time
        if closing.get("name"):
            row.setdefault("user_provided_name", closing["name"])
        if closing.get("user") is not None:
            row.setdefault("user", closing["user"])
            if closing["vhost"] != "none":  # what 3.x writes before a vhost was opened
                row.setdefault("vhost", closing["vhost"])
        if reason := closing.get("reason"):
            row["close_reason"] = _one_line(reason)
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
                    # Of a channel's error the second line is the error; of a node's state the first one says all.
                    "detail": record.message.strip() if name in _OF_CHANNELS else record.message.strip().split("\n")[0],
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
            row.update(state="closed", observed=False)
            row.setdefault("close_reason", UNLOGGED_END)
            self.rows.append(row)
        self._open = {}


def _first(patterns: Iterable[re.Pattern[str]], message: str) -> re.Match[str] | None:
    return next(filter(None, (pattern.match(message) for pattern in patterns)), None)


def _one_line(reason: str) -> str:
    """A reason's lines as one; without the marks that Erlang prints around a binary."""
    whole = " ".join(line.strip() for line in reason.splitlines() if line.strip())
    binary = _BINARY.match(whole)
    return binary["text"].replace('\\"', '"') if binary else whole


def _milliseconds(duration: str | None) -> int | None:
    """Milliseconds of 4.x's ``duration: '1M, 11s'``; None where it says none."""
    parts = _DURATION.findall(duration or "")
    return sum(int(count) * _UNIT[unit.lower()] for count, unit in parts) if parts else None
