"""What Elasticsearch makes of the second incident's documents: limits, refusals, a failure store."""

from __future__ import annotations

from typing import Any

from tests.lab.scenario.lab import Lab

PATTERN = "logs-losses-*"
KEYWORD = {"type": "keyword"}
FIELD_LIMIT = 70
SHARDS = 30  # more than the plain node's writer and queue take at once

PROPERTIES: dict[str, Any] = {
    "@timestamp": {"type": "date"},
    "message": {"type": "text"},
    "level": KEYWORD,
    "podName": KEYWORD,
    "carrier_code": {"type": "long"},
    "log": {"properties": {"level": KEYWORD, "logger": KEYWORD}},
    "kubernetes": {"properties": {"pod": {"properties": {"name": KEYWORD}}, "namespace": KEYWORD}},
    "fields": {"properties": {"podName": KEYWORD, "carrier_code": {"type": "long"}, "SourceContext": KEYWORD}},
    "event": {"properties": {"ingested": {"type": "date"}}},
}


def index_of(service: str, run: str) -> str:
    """Where a service ships to; a data stream has a name of its own in each run, for it can't be deleted."""
    return f"logs-losses-claims-{run}" if service == "claims" else f"logs-losses-{service}"


def prepare(lab: Lab) -> None:
    """Delete the last run's indices and write the templates."""
    for index in lab.elastic("GET", f"/{PATTERN}/_settings") or {}:
        if not index.startswith("."):
            lab.elastic("DELETE", f"/{index}")
    _template(lab, "all", PATTERN, 300)
    _template(
        lab, "intake", "logs-losses-intake", 310, settings={"number_of_shards": SHARDS, "refresh_interval": "10s"}
    )
    _template(lab, "catalog", "logs-losses-catalog", 310, settings={"mapping.total_fields.limit": FIELD_LIMIT})
    whole = {"message": {"type": "text", "fields": {"keyword": KEYWORD}}}
    _template(lab, "archive", "logs-losses-archive", 310, properties=whole)
    lab.elastic("PUT", "/logs-losses-intake")  # so many shards take a while
    stream = {"data_stream": {}, "options": {"failure_store": {"enabled": True}}}
    _template(lab, "claims", "logs-losses-claims-*", 310, **stream)


def _template(
    lab: Lab,
    name: str,
    pattern: str,
    priority: int,
    *,
    settings: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
    data_stream: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> None:
    common = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"}
    template: dict[str, Any] = {
        "settings": {"index": {**common, **(settings or {})}},
        "mappings": {"properties": {**PROPERTIES, **(properties or {})}},
    }
    if options:
        template["data_stream_options"] = options
    body: dict[str, Any] = {"index_patterns": [pattern], "priority": priority, "template": template}
    if data_stream is not None:
        body["data_stream"] = data_stream
    lab.elastic("PUT", f"/_index_template/losses-{name}", body)
