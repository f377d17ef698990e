"""Consoles out of a log store: Azure's ContainerLogV2, Loki (logcli, query_range, Grafana), Google's, a shipper's file, stern's JSON.

Such stores keep what a collector read from the consoles, so they are read as consoles unless they lie in
``elasticsearch/``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from incident_kit.importing.console_lines import ConsoleFiles, ConsoleLine, stamped
from incident_kit.importing.sample import Sample
from incident_kit.importing.shapes.shape import Pieces, Shape, Source
from incident_kit.importing.shapes.tabular import as_line, columns_of, first_of, report_lost, rows_of
from incident_kit.nested import listing
from incident_kit.normalise.logs.times import time_value
from incident_kit.normalise.raw import lenient_json
from incident_kit.window import parse_rfc3339

_POD = ("PodName", "podName", "pod", "pod_name", "k8s_pod_name", "Name")
_CONTAINER = ("ContainerName", "containerName", "container", "container_name", "k8s_container_name")
_NAMESPACE = ("PodNamespace", "namespace", "namespace_name", "k8s_namespace_name", "Namespace")
_STREAM = ("LogSource", "stream", "LogEntrySource")
_TEXT = ("LogMessage", "LogEntry", "line", "textPayload", "jsonPayload", "log", "message")
_TIME = ("TimeGenerated", "timestamp", "tsNs", "time")
_LABELS = ("labels", "fields", "stream", "kubernetes")
#: As Azure's portal shows times: 11/20/2026, 8:00:01.123 AM.
_PORTAL = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d):(\d\d(?:\.\d{1,9})?)(?:\s?([AP])M)?")
#: logcli's own output: the time, the labels, the line.
_LOGCLI = re.compile(r"(?P<time>\d{4}-\d\d-\d\dT\S+) (?P<labels>\{[^}]*\}) ?(?P<text>.*)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def _fits(sample: Sample) -> bool:
    if sample.place == "elasticsearch":
        return False
    columns = columns_of(sample)
    if columns & {"LogMessage", "LogEntry"} and columns & {"TimeGenerated"}:
        return True
    if {"podName", "containerName", "message"} <= columns and "@timestamp" not in columns:
        return True
    if "pod_name" in sample.text and (columns & {"textPayload", "jsonPayload"} or _is_shippers(sample)):
        return True
    return {"line", "timestamp"} <= columns and bool(columns & {"labels", "fields"})


def _is_shippers(sample: Sample) -> bool:
    """What Fluent Bit or Fluentd writes of consoles into a file; what Elasticsearch keeps of that has ``@timestamp``."""
    return bool(sample.objects) and all(
        {"log", "stream", "kubernetes"} <= set(one) and "@timestamp" not in one for one in sample.objects
    )


def _convert(source: Source) -> Pieces:
    lines = [line for row in rows_of(source, "console") if (line := _line(row)) is not None]
    yield from _in_order(source, lines)


def _line(row: dict[str, Any]) -> ConsoleLine | None:
    """The console's line of a row; one that names no pod has an empty one."""
    holders = (
        row.get("resource", {}).get("labels") if isinstance(row.get("resource"), dict) else None,
        *map(row.get, _LABELS),
    )
    labels: dict[str, Any] = next((holder for holder in holders if isinstance(holder, dict) and holder), {})
    said = {**labels, **{key: value for key, value in row.items() if not isinstance(value, dict) or key in _TEXT}}
    value = first_of(said, _TEXT)
    if value is None:
        return None
    stream = str(first_of(said, _STREAM) or str(row.get("logName", "")).rpartition("/")[2]).lower()
    text = as_line(value)
    time: str | int | None = _time(first_of(said, _TIME))
    if time is None:
        time, text = stamped(text)
    return ConsoleLine(
        _name(said, _POD) or "", _name(said, _CONTAINER), _name(said, _NAMESPACE), time,
        stream if stream in ("stdout", "stderr") else None, text, said.get("_p") != "P",
    )  # fmt: skip


def _name(said: dict[str, Any], columns: tuple[str, ...]) -> str | None:
    found = first_of(said, columns)
    return found if isinstance(found, str) else None


def _time(value: Any) -> int | None:
    if isinstance(value, str) and (shown := _PORTAL.fullmatch(value.strip())):
        month, day, year, hour, minute, second, half = shown.groups()
        hours = int(hour) % 12 + 12 * (half == "P") if half else int(hour)
        return parse_rfc3339(f"{year}-{int(month):02d}-{int(day):02d}T{hours:02d}:{minute}:{second}Z")
    return time_value(value)


def _in_order(source: Source, lines: list[ConsoleLine]) -> Pieces:
    """The lines as files, the earliest first: exports have the latest first, and equal times the other way round."""
    context = source.context
    owned = [line for line in lines if line.pod]
    if len(owned) < len(lines):
        reason = f"{len(lines) - len(owned)} rows name no pod; they are left out"
        context.gap("console", source.relative, reason, "Export the columns PodName and ContainerName, too.")
    times = [line.time for line in owned if isinstance(line.time, int)]
    if times and times[0] > times[-1]:
        owned.reverse()
    if len(times) == len(owned):
        owned.sort(key=lambda line: line.time if isinstance(line.time, int) else 0)
    if any(_PORTAL.search(line) for line in source.sample.lines[1:3]) and "[UTC]" not in source.sample.text[:2000]:
        context.gap(
            "console",
            source.relative,
            "its times carry no zone and are taken as UTC",
            "Set the portal's time zone to UTC.",
        )
    yield from ConsoleFiles(source).pieces(owned)


def _fits_loki(sample: Sample) -> bool:
    return sample.place != "elasticsearch" and bool(re.search(r'"resultType"\s*:\s*"streams"', sample.text))


def _convert_loki(source: Source) -> Pieces:
    """Answers of Loki's query_range: streams of labels, each with its values."""
    try:
        document = lenient_json(source.data())
    except ValueError as error:
        report_lost(source, "console", f"broken JSON: {error}; nothing of it is used")
        return
    answer = document.get("data") if isinstance(document, dict) else None
    lines = []
    for stream in listing(answer, "result"):
        values = stream.get("values")
        for value in values if isinstance(values, list) else []:
            if isinstance(value, list) and len(value) > 1:
                row = {"labels": stream.get("stream"), "line": value[1], "timestamp": time_value(value[0])}
                lines += [line for line in (_line(row),) if line is not None]
    yield from _in_order(source, lines)


def _fits_logcli(sample: Sample) -> bool:
    lines = sample.lines
    fitting = sum(1 for line in lines if _LOGCLI.match(line))
    return sample.place != "elasticsearch" and bool(lines) and fitting > 0.9 * len(lines) and "pod" in sample.text


def _convert_logcli(source: Source) -> Pieces:
    """What logcli prints; labels that all lines share stand only in its heading, on stderr."""
    yield from _in_order(source, list(_logcli_lines(source)))


def _logcli_lines(source: Source) -> Iterator[ConsoleLine]:
    for line in source.lines():
        if found := _LOGCLI.match(line):
            labels = dict(_LABEL.findall(found["labels"]))
            row = _line({"labels": labels, "line": found["text"], "timestamp": found["time"]})
            if row is not None:
                yield row


ROWS = Shape("consoles out of a log store", _fits, _convert, "console")
LOKI = Shape("an answer of Loki", _fits_loki, _convert_loki, "console")
LOGCLI = Shape("logcli's output", _fits_logcli, _convert_logcli, "console")
