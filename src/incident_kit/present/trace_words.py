"""The first lines of a trace in words: what one needs to know of a pod before reading its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from incident_kit.counting import plural
from incident_kit.present.cells import cell, instant
from incident_kit.present.material import short_image
from incident_kit.present.text import visible


def trace_sentences(story: Mapping[str, Any]) -> list[str]:
    """The answer of ``trace`` in a few sentences; what is not known is not told."""
    told = (_who, _life, _instances, _logs, _rabbit, _around)
    return [sentence for tell in told if (sentence := tell(story))]


def _who(story: Mapping[str, Any]) -> str:
    facts = story["identity"]
    kind, workload = cell(facts.get("workload_kind")), cell(facts.get("workload"))
    parts = [
        f"{kind} {workload}".strip(),
        _named("Application", facts.get("application")),
        _named("node", facts.get("node")),
        _named("address", facts.get("pod_ips")),
        _named("image", [short_image(image) for image in facts.get("images") or []]),
    ]
    return f"{visible(story['pod'])}: {', '.join(filter(None, parts)) or 'known only by its name'}."


def _named(word: str, value: Any) -> str:
    text = cell(value)
    return f"{word} {text}" if text else ""


def _life(story: Mapping[str, Any]) -> str:
    facts = story["identity"]
    lives = facts.get("pod_uids") or []
    times = [(word, facts.get(name)) for word, name in (("created", "created_at"), ("ready", "ready_at"))]
    end = next((facts[name] for name in ("deleted_at", "finished_at") if facts.get(name)), None)
    times += [("ended", end)] if end else [("last seen", facts.get("last_seen"))]
    told = [f"{word} {_instant(value)}" for word, value in times if value is not None]
    if not facts.get("observed"):
        told.append("its object was not captured: what is known of it is inferred")
    if len(lives) > 1:
        told.append(f"{len(lives)} pods had this name; this is the latest")
    return f"Times UTC: {'; '.join(told)}." if told else ""


def _instant(value: Any) -> str:
    import pandas as pd

    return instant(pd.Timestamp(value, tz="UTC") if isinstance(value, int) else value)


def _instances(story: Mapping[str, Any]) -> str:
    ended = [row for row in story["instances"].to_dict("records") if cell(row["reason"]) and cell(row["finished_at"])]
    restarts = story["identity"].get("restarts")
    told = [f"Restarted {plural(int(restarts), 'time')}"] if restarts else []
    for row in ended[-3:]:
        code = cell(row["exit_code"])
        words = f"{cell(row['reason'])}, exit code {code}" if code else cell(row["reason"])
        told.append(
            f"{cell(row['container'])} instance {cell(row['restart_count'])} ended {cell(row['finished_at'])}: {words}"
        )
    return f"{'; '.join(told)}." if told else ""


def _logs(story: Mapping[str, Any]) -> str:
    numbers = story["logs"]
    entries, documents = numbers.get("console_entries", 0), numbers.get("documents", 0)
    counted = f"{plural(entries, 'console entry', 'console entries')}, {plural(documents, 'document')} in Elasticsearch"
    causes = [f"{row['count']:,} {visible(row['cause'])}" for row in numbers.get("by_cause", [])]
    lost = sum(row["count"] for row in numbers.get("by_cause", []))
    unknown = sum(row["count"] for row in numbers.get("by_verdict", []) if row["verdict"] == "unknown")
    parts = [counted]
    if lost:
        parts.append(f"{lost:,} only on the console ({', '.join(causes)})")
    elif entries:
        parts.append("none known to be only on the console")
    if unknown:
        parts.append(f"{unknown:,} of both sides could not be judged")
    return f"{'; '.join(parts)}."


def _rabbit(story: Mapping[str, Any]) -> str:
    numbers = story["rabbit_summary"]
    if not numbers["connections"] and not numbers["ambiguous"]:
        return ""
    nodes = ", ".join(map(visible, numbers["open_on"])) or "none open at the end"
    unclear = f"; {numbers['ambiguous']:,} more could be its own" if numbers["ambiguous"] else ""
    return f"{plural(numbers['connections'], 'RabbitMQ connection')}, now on: {nodes}{unclear}."


def _around(story: Mapping[str, Any]) -> str:
    found = story["findings"]
    worst = [cell(title, "title") for title in found.loc[found["severity"] == "critical", "title"]]
    counted = f"{plural(len(story['changes']), 'change')} and {plural(len(found), 'finding')} concern it."
    return " ".join([counted, *(f"Critical: {title.rstrip('.')}." for title in worst)])
