"""What the lines of a broker's log say: one expression for each, in the spellings of 3.7 to 4.x.

Measured on 3.10, 4.0 and 4.3 (recordings in the tests). 4.x drops the process id from the accept and the clean close
and adds a duration; AMQP 1.0 names no peer when it authenticates or fails and no user when it closes; 3.7 and 3.8 write
a reason as a bare line. MQTT's accept names the client, STOMP's nobody, and of streams a broker logs no connection at
all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from incident_kit.normalise.rabbitmq.endpoints import END

_PID = r"(?:<[\d.]+> )?"
_CONNECTION = rf"(?P<connection>{END} -> {END})"
ACCEPT = re.compile(rf"^accepting (?:AMQP|STOMP) connection {_PID}\(?{_CONNECTION}\)?$")
ACCEPTED_MQTT = re.compile(rf"^Accepted (?:Web )?MQTT connection {_CONNECTION} for client ID (?P<name>.*)$", re.DOTALL)
NAMED = re.compile(rf"^[Cc]onnection {_PID}\(?{_CONNECTION}\)? has a client-provided name: (?P<name>.*)$", re.DOTALL)
GRANTED = re.compile(
    rf"^connection {_PID}\(?{_CONNECTION}(?: - (?P<name>.*))?\)?: "
    r"user '(?P<user>.*)' authenticated and granted access to vhost '(?P<vhost>.*)'$",
    re.DOTALL,
)
# AMQP 1.0: only the process tells which connection it is.
CONTAINER = re.compile(
    r"^Connection from AMQP 1\.0 container '(?P<name>.*)': user '(?P<user>.*)' authenticated "
    r"(?:using SASL mechanism \S+ )?and granted access to vhost '(?P<vhost>.*)'$"
)
# The client chooses its name, so it may hold anything: the fixed ends are found from the right. A virtual host with
# quotes in its name is tried last.
CLOSING = tuple(
    re.compile(
        rf"^closing AMQP connection {_PID}\(?{_CONNECTION}(?: - (?P<name>.*?))?"
        rf"(?:, vhost: '(?P<vhost>{vhost})', user: '(?P<user>[^']*)')?(?:(?:,| \()? ?duration: '(?P<duration>[^']*)')?\)?"
        r"(?::(?:\n(?P<reason>.*))?)?$",
        re.DOTALL,
    )
    for vhost in ("[^']*", ".*")
)
FAILED = (
    re.compile(rf"^(?:Error on|Closing) AMQP connection {_PID}\(?{_CONNECTION}.*?:\s*\n(?P<reason>.*)$", re.DOTALL),
    re.compile(rf"^(?:Error on|Closing) AMQP connection {_PID}\(?{_CONNECTION}[^\n]*\): (?P<reason>[^\n]+)$"),
)
FAILED_PROCESS = re.compile(
    r"^(?:Error on|Closing) AMQP 1\.0 connection (?P<process><[\d.]+>)[^\n]*?:\s*(?P<reason>\S.*)$", re.DOTALL
)
# MQTT prints some names as Erlang does: <<"10.0.0.9:5100 -> 10.0.0.1:1883">>.
_PRINTED = rf'(?:{_PID}\(|<<")?{_CONNECTION}(?:\)|">>)?'
ENDED = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rf"^closing (?:STOMP|MQTT) connection {_PRINTED}(?:[,:]? (?:reason: )?\(?(?P<reason>.*?)\)?)?$",
        rf"^closing AMQP connection {_PRINTED} of user '(?P<user>[^']*)': (?P<reason>.*)$",
        rf"^(?:Web )?MQTT closing connection {_PRINTED}(?:: (?P<reason>.*))?$",
        rf"^(?P<reason>keepalive \w+) in Web MQTT connection {_PRINTED}",
        rf"^MQTT connection {_PRINTED} will terminate because (?P<reason>.*)$",
        rf"^MQTT disconnecting client {_PRINTED} (?P<reason>.*)$",
        rf"^Rejected MQTT connection {_PRINTED} with (?P<reason>.*)$",
        rf"^STOMP connection {_PRINTED} terminated with reason (?P<reason>.*), closing it$",
        rf"^STOMP (?P<reason>detected missed client heartbeat\(s\)) on connection {_PRINTED}, closing it$",
        rf"^(?:STOMP|MQTT) detected network error on {_PRINTED}: (?P<reason>.*)$",
    )
)
ENDED_PROCESS = re.compile(r"^Terminating MQTT connection because (?P<reason>.*)$", re.DOTALL)
NODE_EVENTS: tuple[tuple[str, re.Pattern[str]], ...] = (
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
OF_CHANNELS = ("channel_error", "consumer_timeout")
_DURATION = re.compile(r"(\d+)\s*(d|h|m|s|ms)\b", re.IGNORECASE)
_UNIT = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
OF_CONNECTION = re.compile(r"^[Cc]onnection |(?:AMQP|AMQP 1\.0|STOMP|MQTT) connection |^(?:Web )?(?:STOMP|MQTT) \w+ ")
_BINARY = re.compile(r'^<<"(?P<text>.*)">>$')


def first(patterns: Iterable[re.Pattern[str]], message: str) -> re.Match[str] | None:
    """The match of the first expression that fits."""
    return next(filter(None, (pattern.match(message) for pattern in patterns)), None)


def one_line(reason: str) -> str:
    """A reason's lines as one; without the marks that Erlang prints around a binary."""
    whole = " ".join(line.strip() for line in reason.splitlines() if line.strip())
    binary = _BINARY.match(whole)
    return binary["text"].replace('\\"', '"') if binary else whole


def milliseconds(duration: str | None) -> int | None:
    """Milliseconds of 4.x's ``duration: '1M, 11s'``; None where it says none."""
    parts = _DURATION.findall(duration or "")
    return sum(int(count) * _UNIT[unit.lower()] for count, unit in parts) if parts else None
