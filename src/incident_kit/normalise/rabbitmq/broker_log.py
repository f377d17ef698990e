"""From a broker's log records to connection intervals and node events, whatever the protocol."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from incident_kit.normalise.rabbitmq.broker_lines import (
    ACCEPT,
    ACCEPTED_MQTT,
    CLOSING,
    CONTAINER,
    ENDED,
    ENDED_PROCESS,
    FAILED,
    FAILED_PROCESS,
    GRANTED,
    NAMED,
    NODE_EVENTS,
    OF_CHANNELS,
    OF_CONNECTION,
    first,
    milliseconds,
    one_line,
)
from incident_kit.normalise.rabbitmq.endpoints import peer_of
from incident_kit.normalise.rabbitmq.records import Record

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
        if not OF_CONNECTION.search(message):
            return
        if accepted := ACCEPT.match(message):
            self._accept(accepted["connection"], record)
        elif named := NAMED.match(message):
            self._row(named["connection"], record.time)["user_provided_name"] = named["name"]
        elif granted := GRANTED.match(message):
            row = self._row(granted["connection"], record.time)
            row.update(user=granted["user"], vhost=granted["vhost"], state="running")
            if granted["name"]:
                row.setdefault("user_provided_name", granted["name"].removesuffix(")"))
        elif container := CONTAINER.match(message):
            self._authenticated(container, record.pid)
        elif accepted := ACCEPTED_MQTT.match(message):
            self._accept_mqtt(accepted, record)
        elif failed := first(FAILED, message):
            row = self._row(failed["connection"], record.time, opening=False)
            row["close_reason"] = one_line(failed["reason"])
        elif failed := FAILED_PROCESS.match(message):
            self._of(failed["process"])["close_reason"] = one_line(failed["reason"])
        elif closing := first((*CLOSING, *ENDED), message):
            self._close(closing.groupdict(), record.time)
        elif (ended := ENDED_PROCESS.match(message)) and (row := self._of(record.pid)):
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
            lasted = milliseconds(closing.get("duration"))
            if lasted is not None:
                row["connected_at"] = time - lasted * 1_000_000
        row.update(closed_at=time, last_seen_at=time, state="closed")
        row["first_seen_at"] = row["first_seen_at"] if row["first_seen_at"] is not None else time
        if closing.get("name"):
            row.setdefault("user_provided_name", closing["name"])
        if closing.get("user") is not None:
            row.setdefault("user", closing["user"])
            if closing.get("vhost") not in (None, "none"):  # what 3.x writes before a vhost was opened
                row.setdefault("vhost", closing["vhost"])
        if reason := closing.get("reason"):
            row["close_reason"] = one_line(reason)
        self.rows.append(row)

    def _event(self, record: Record) -> None:
        for name, pattern in NODE_EVENTS:
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
                    "detail": record.message.strip() if name in OF_CHANNELS else record.message.strip().split("\n")[0],
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
        self._of_process = {}
