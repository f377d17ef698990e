"""Log the shared events through Python's logging libraries to a console and as the documents that would be shipped.

Usage: ``python record.py OUTPUT_FOLDER``; writes ``<format>/events.jsonl`` with one row per event.
"""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import ecs_logging
import loguru
import structlog
from pythonjsonlogger.json import JsonFormatter

EVENTS = json.loads((Path(__file__).parent.parent / "events.json").read_text(encoding="utf-8"))
Log = Callable[[dict], tuple[str, dict]]


class SettlementError(Exception):
    """An application's own error."""


def settle(kind: str) -> None:
    """Raise as services do: one error in the handling of another, or one alone."""
    if kind == "plain":
        raise ValueError("bad amount: 'N/A'")
    try:
        {}["ledger"]
    except KeyError as error:
        raise SettlementError("no ledger for 4713") from error


def emit(event: dict, call: Callable[..., None]) -> None:
    """Call the logger, inside an exception's handler where the event wants one."""
    if not event.get("exception"):
        call(exc_info=None)
        return
    try:
        settle(event["exception"])
    except (ValueError, SettlementError):
        call(exc_info=True)


def through_logging(console: logging.Formatter, shipped: logging.Formatter) -> Log:
    """The standard library's logging with a console handler and a shipping one."""

    def log(event: dict) -> tuple[str, dict]:
        out, sent = io.StringIO(), io.StringIO()
        logger = logging.getLogger(event["logger"])
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logger.handlers = [logging.StreamHandler(out), logging.StreamHandler(sent)]
        logger.handlers[0].setFormatter(console)
        logger.handlers[1].setFormatter(shipped)
        message = re.sub(r"\{\w+\}", "%s", event["template"])
        level = getattr(logging, {"warn": "WARNING"}.get(event["level"], event["level"].upper()))
        emit(event, lambda exc_info: logger.log(level, message, *event["properties"].values(), exc_info=exc_info))
        return out.getvalue(), json.loads(sent.getvalue())

    return log


def through_structlog(event: dict) -> tuple[str, dict]:
    """structlog's development console and its JSON renderer, fed by the same processors."""
    out, sent = io.StringIO(), io.StringIO()
    shared = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]

    def both(logger: object, method: str, values: dict) -> str:
        console = structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)
        out.write(console(logger, method, dict(values)) + "\n")
        formatted = structlog.processors.format_exc_info(logger, method, dict(values))
        return structlog.processors.JSONRenderer()(logger, method, formatted)

    logger = structlog.wrap_logger(structlog.PrintLogger(sent), processors=[*shared, both]).bind(logger=event["logger"])
    words = re.sub(r"\s*\{\w+\}", "", event["template"])
    method = getattr(logger, event["level"])
    emit(event, lambda exc_info: method(words, **event["properties"], **({"exc_info": exc_info} if exc_info else {})))
    document = json.loads(sent.getvalue())
    return out.getvalue(), document | {"@timestamp": document["timestamp"]}


def through_loguru(event: dict) -> tuple[str, dict]:
    """loguru's default console format beside its serialised form, mapped as users do to ship it."""
    out, sent = io.StringIO(), io.StringIO()
    loguru.logger.remove()
    loguru.logger.add(out, level="DEBUG", diagnose=False, backtrace=False)
    loguru.logger.add(sent, level="DEBUG", serialize=True, diagnose=False, backtrace=False)
    bound = loguru.logger.opt(exception=bool(event.get("exception")))
    level = {"warn": "WARNING"}.get(event["level"], event["level"].upper())
    emit(event, lambda exc_info: bound.log(level, event["template"], **event["properties"]))
    record = json.loads(sent.getvalue())["record"]
    moment = record["time"]["repr"].replace(" ", "T")
    document = {
        "@timestamp": moment,
        "message": record["message"],
        "level": record["level"]["name"],
        "extra": record["extra"],
    }
    if record["exception"]:
        document["exception"] = json.loads(sent.getvalue())["text"].partition("\n")[2]
    return out.getvalue(), document


class Dated(JsonFormatter):
    """python-json-logger with an ISO time beside the usual fields."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")


FORMATS: dict[str, tuple[Log, str]] = {
    "python_stdlib": (
        through_logging(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"), ecs_logging.StdlibFormatter()
        ),
        "stderr",
    ),
    "python_brackets": (
        through_logging(
            logging.Formatter("[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s", "%Y-%m-%d %H:%M:%S %z"),
            ecs_logging.StdlibFormatter(),
        ),
        "stderr",
    ),
    "python_basic": (through_logging(logging.Formatter(logging.BASIC_FORMAT), ecs_logging.StdlibFormatter()), "stderr"),
    "python_json": (through_logging(Dated(), ecs_logging.StdlibFormatter()), "stderr"),
    "ecs_json": (through_logging(ecs_logging.StdlibFormatter(), ecs_logging.StdlibFormatter()), "stdout"),
    "structlog": (through_structlog, "stdout"),
    "loguru": (through_loguru, "stderr"),
}


def uncaught() -> str:
    """What the interpreter prints for an error that nobody handled."""
    try:
        settle("chained")
    except SettlementError:
        return traceback.format_exc()


def main() -> None:
    """Record every format."""
    for name, (log, stream) in FORMATS.items():
        folder = Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "events.jsonl").open("w", encoding="utf-8") as rows:
            for event in EVENTS:
                began = time.time_ns()
                console, document = log(event)
                time.sleep(0.004)
                rows.write(
                    json.dumps(
                        {
                            "time": began,
                            "stream": stream,
                            "console": console.removesuffix("\n"),
                            "document": document,
                            **event,
                        },
                        ensure_ascii=False,
                    )
                    + "\n"
                )
            rows.write(
                json.dumps(
                    {
                        "time": time.time_ns(),
                        "stream": "stderr",
                        "console": uncaught().removesuffix("\n"),
                        "document": None,
                    }
                )
                + "\n"
            )


if __name__ == "__main__":
    main()
