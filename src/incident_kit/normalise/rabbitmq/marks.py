"""What text must hold to be a broker's record that anyone asks for: one look at a whole block of lines tells."""

from __future__ import annotations

import re

import numpy as np
import pyarrow.compute as pc

from incident_kit.line_arrays import line_array, line_offsets

#: A shipper sends each line as a document, so every line that is read must hold one; what a broker says of itself
#: stands whole, as its clients log such things, too.
_LOG_MARKS = (
    "AMQP connection", "AMQP 1.0 connection", "has a client-provided name", "granted access to vhost",
    "MQTT connection", "MQTT closing connection", "MQTT disconnecting client", "MQTT detected network error",
    "STOMP connection", "STOMP detected", "client unexpectedly closed TCP connection", "missed heartbeats from client",
    "rabbit on node", "limit alarm", "running_partitioned_network",
    "RabbitMQ is asked to stop...", "Successfully stopped RabbitMQ and its dependencies", "Starting RabbitMQ ",
)  # fmt: skip
#: Expressions for records of logs, and for these or Metricbeat's documents of connections.
LOG_MARK = "|".join(map(re.escape, _LOG_MARKS))
ANY_MARK = LOG_MARK + "|" + re.escape("rabbitmq.connection")


def is_marked(block: bytes, mark: str) -> bool:
    """Whether a block holds a mark somewhere."""
    whole = line_array(block, np.array([0, len(block)], np.int64))
    return bool(pc.match_substring_regex(whole, mark)[0].as_py())


def marked_lines(block: bytes, mark: str) -> list[bytes]:
    """Lines of a block that hold a mark; the block is asked as one line first, since taking it apart costs more."""
    if not is_marked(block, mark):
        return []
    lines = line_array(block, line_offsets(block))
    found: list[bytes] = lines.filter(pc.match_substring_regex(lines, mark)).to_pylist()
    return found
