"""Trims what a play left to what the tests read: ``tests/recordings/rabbitmq-VERSION``.

Answers of the API keep whole rows, a few of each kind; the brokers' logs keep the records that tell of connections and of
nodes, without the crash reports between them. Addresses, names and times are the play's own.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tests.lab.rabbitmq4.play import PLAY
from tests.lab.servers.folders import REPOSITORY

#: The capture that is scored by the tests: the last one, whose logs tell of everything before.
LAST = "khepri"
_TOLD = re.compile(
    r"(?:AMQP|AMQP 1\.0|STOMP|MQTT) connection|^[Cc]onnection |^(?:Channel error|Consumer |MQTT |STOMP |Terminating MQTT)|"
    r"^(?:rabbit on )?node \S+ (?:up|down)|limit alarm|^\s*Starting RabbitMQ|^ node  |SIGTERM|maintenance|Successfully stopped|"
    r"^Feature flags: .khepri|tream"
)
_TEXT = re.compile(r"^(?P<head>\S+ \S+) \[\w+\] (?P<pid><[\d.]+>) (?P<message>.*)$")
_LONGEST_RECORD = 12


def record() -> None:
    """Write the recordings of the version that was played anew."""
    raw, last = PLAY / f"{LAST}.incident" / "raw" / "rabbitmq", {}
    for name in ("overview", "nodes", "connections", "channels", "consumers", "queues"):
        last[name] = json.loads((raw / f"{name}.json").read_text())
    version = ".".join(last["overview"][0]["rabbitmq_version"].split(".")[:2])
    recordings = REPOSITORY / "tests" / "recordings" / f"rabbitmq-{version}"
    shutil.rmtree(recordings, ignore_errors=True)
    recordings.mkdir(parents=True)
    for path in sorted(PLAY.glob("answers-*.json")):
        moment = path.stem.removeprefix("answers-")
        if kept := [_trimmed(answer) for answer in json.loads(path.read_text()) if _is_kept(moment, answer)]:
            (recordings / f"answers-{moment}.json").write_text(json.dumps(kept, indent=0))
    for path in sorted(raw.glob("*.log.gz")):
        text = "".join(_log_lines(gzip.decompress(path.read_bytes()).decode().splitlines()))
        (recordings / path.name).write_bytes(gzip.compress(text.encode(), mtime=0))
    for name in ("truth.jsonl", "played.json"):
        shutil.copy(PLAY / name, recordings / name)
    manifest = json.loads((PLAY / f"{LAST}.incident" / "manifest.json").read_text())
    last["window"] = {**manifest["window"], "captured_at": manifest["captured_at"], "cluster": "hare"}
    (recordings / f"{LAST}.json").write_text(json.dumps(last, separators=(",", ":")))


def _is_kept(moment: str, answer: dict[str, Any]) -> bool:
    request = answer["request"]
    if moment == "quiet":
        return "queues/detailed" not in request and "vhosts" not in request
    return moment in ("alarms", "killed") and request.endswith(("/nodes", "/health/checks/alarms"))


def _trimmed(answer: dict[str, Any]) -> dict[str, Any]:
    body = answer["body"]
    if isinstance(body, dict) and isinstance(body.get("items"), list):
        body = {**body, "items": list(_few(body["items"]))}
    elif isinstance(body, list):
        body = list(_few([_without_details(row) for row in body]))
    elif isinstance(body, dict):
        body = _without_details(body)
    return {**answer, "body": body}


def _few(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Two rows of each kind."""
    seen: Counter[str] = Counter()
    for row in rows:
        details = row.get("channel_details")
        kind = str((row.get("protocol"), row.get("type"), bool(details), "state" in row, bool(row.get("channels")),
                    details.get("name") == "" if isinstance(details, dict) else None))  # fmt: skip
        seen[kind] += 1
        if seen[kind] <= 2 or "running" in row:
            yield row


def _without_details(row: Any) -> Any:
    """A row without what nobody reads: rates, the node's tables of applications and of garbage collection."""
    if not isinstance(row, dict):
        return row
    return {
        key: value
        for key, value in row.items()
        if not key.endswith("_details") or key in ("channel_details", "connection_details")
        if key
        not in (
            "applications",
            "auth_mechanisms",
            "exchange_types",
            "contexts",
            "garbage_collection",
            "metrics_gc_queue_length",
            "cluster_links",
            "config_files",
            "log_files",
            "db_dir",
            "enabled_plugins",
            "ra_open_file_metrics",
            "sample_retention_policies",
            "churn_rates",
            "listeners",
        )
    }


def _log_lines(lines: Iterable[str]) -> Iterator[str]:
    """Lines of the records that tell something, each record short."""
    kept: tuple[str, str] | None = None
    count = 0
    for line in lines:
        if line.startswith("{"):
            if _TOLD.search(json.loads(line)["msg"][:400]):
                yield line + "\n"
            continue
        match = _TEXT.match(line)
        if match is None:
            continue
        key = (match["head"], match["pid"])
        if key != kept:
            kept, count = (key, 0) if _TOLD.search(match["message"]) or not match["message"].strip() else (None, 0)
        count += 1
        if kept is not None and count <= _LONGEST_RECORD:
            yield line + "\n"
