"""Spellings of one event: what the console shows and what Elasticsearch gets.

Each format is one real library's (Serilog's from its documented template, since no .NET runtime
comes from the registries), used as its documentation says.
"""

from __future__ import annotations

import json
import logging
import re
from abc import ABC, abstractmethod
from datetime import UTC, datetime

import ecs_logging
import structlog
from pythonjsonlogger.json import JsonFormatter

from labservice.stories import Event

LEVELS = {"WARNING": logging.WARNING, "INFO": logging.INFO, "DEBUG": logging.DEBUG, "ERROR": logging.ERROR}
SERILOG_SHORT = {"DEBUG": "DBG", "INFO": "INF", "WARNING": "WRN", "ERROR": "ERR"}
SERILOG_LONG = {"DEBUG": "Debug", "INFO": "Information", "WARNING": "Warning", "ERROR": "Error"}
PLACE = re.compile(r"\{(\w+)\}")


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _store(event: Event) -> None:
    raise OSError(f"the store is read-only: {sorted(event.properties)}")


class Spelling(ABC):
    """One library's way to log an event and to write it twice."""

    def log_event(self, event: Event) -> None:
        """Log the event; a failing one is logged from inside an exception's handler."""
        if not event.failing:
            self.log(event)
            return
        try:
            _store(event)
        except OSError:
            self.log(event)

    def log(self, event: Event) -> None:
        """Log the event as application code would with this library."""
        template = PLACE.sub("%s", event.template)
        arguments = [event.properties[name] for name in PLACE.findall(event.template)]
        logging.getLogger(event.logger).log(
            LEVELS[event.level],
            template,
            *arguments,
            exc_info=event.failing,
            extra={"properties": event.properties, "template": event.template},
        )

    @abstractmethod
    def console(self, record: logging.LogRecord) -> str:
        """The text written to the console, without the last newline."""

    @abstractmethod
    def document(self, record: logging.LogRecord) -> dict[str, object]:
        """The document shipped, before the pod's name is put in."""


class Pattern(Spelling):
    """Python's own ``logging`` with a pattern; documents by ecs-logging."""

    def __init__(self) -> None:
        self._console = logging.Formatter("%(asctime)s %(levelname)-8s [%(name)s] %(message)s")
        self._document = ecs_logging.StdlibFormatter(exclude_fields=["process", "log.origin", "log.original"])

    def console(self, record: logging.LogRecord) -> str:
        return self._console.format(record)

    def document(self, record: logging.LogRecord) -> dict[str, object]:
        row: dict[str, object] = json.loads(self._document.format(record))
        properties = row.pop("properties", None) or {}
        row.pop("template", None)
        row.pop("sequence", None)
        assert isinstance(properties, dict)
        return {**row, "labels": properties}


class Ecs(Pattern):
    """ecs-logging's JSON on the console, and the same object shipped."""

    def __init__(self) -> None:
        super().__init__()
        self._console = self._document

    def log(self, event: Event) -> None:
        logging.getLogger(event.logger).log(
            LEVELS[event.level],
            event.template.format(**event.properties),
            exc_info=event.failing,
            extra={"properties": {name: value for name, value in event.properties.items() if name != "long"}},
        )


class Json(Spelling):
    """python-json-logger on the console, the same object shipped."""

    def __init__(self) -> None:
        self._format = JsonFormatter(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "timestamp", "levelname": "level", "name": "logger"},
        )

    def log(self, event: Event) -> None:
        logging.getLogger(event.logger).log(
            LEVELS[event.level],
            event.template.format(**event.properties),
            exc_info=event.failing,
            extra={name: value for name, value in event.properties.items() if name != "long"},
        )

    def console(self, record: logging.LogRecord) -> str:
        row = json.loads(self._format.format(record))
        row.pop("sequence", None)
        return json.dumps(row)

    def document(self, record: logging.LogRecord) -> dict[str, object]:
        row: dict[str, object] = json.loads(self.console(record))
        return {"@timestamp": _instant(record), **row}


class Structlog(Spelling):
    """structlog's key-value console; documents with the event as the message."""

    def __init__(self) -> None:
        shared: list[structlog.typing.Processor] = [
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ]
        structlog.configure(
            processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )
        meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        self._console = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                meta,
                structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback),
            ],
        )
        self._document = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                meta,
                structlog.processors.dict_tracebacks,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )

    def log(self, event: Event) -> None:
        phrase = " ".join(PLACE.sub("", event.template).split())
        logger = structlog.stdlib.get_logger(event.logger)
        logger.log(LEVELS[event.level], phrase, exc_info=event.failing or None, **event.properties)

    def console(self, record: logging.LogRecord) -> str:
        return self._console.format(record)

    def document(self, record: logging.LogRecord) -> dict[str, object]:
        row: dict[str, object] = json.loads(self._document.format(record))
        return {"@timestamp": row.pop("timestamp"), **row}


class Serilog(Spelling):
    """Serilog's default console template; documents as its Elasticsearch sink writes them.

    From its documentation: strings stand unquoted on the console (``:lj``), quoted in the document.
    """

    def console(self, record: logging.LogRecord) -> str:
        clock = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        text = f"[{clock} {SERILOG_SHORT.get(record.levelname, 'INF')}] {record.getMessage()}"
        return f"{text}\n{_dotnet_trace()}" if record.exc_info else text

    def document(self, record: logging.LogRecord) -> dict[str, object]:
        properties = dict(getattr(record, "properties", {}))
        template = getattr(record, "template", record.getMessage())
        quoted = PLACE.sub(lambda found: _quoted(properties.get(found[1], found[0])), template)
        row: dict[str, object] = {
            "@timestamp": _instant(record),
            "level": SERILOG_LONG.get(record.levelname, "Information"),
            "messageTemplate": template,
            "message": quoted,
            "fields": {**properties, "SourceContext": record.name},
        }
        if record.exc_info:
            row["exceptions"] = [
                {"Depth": 0, "ClassName": "System.InvalidOperationException", "Message": "the store is read-only"}
            ]
        return row


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _dotnet_trace() -> str:
    return (
        "System.InvalidOperationException: the store is read-only\n"
        "   at Shop.Payments.Store.Write(Payment payment) in /src/Store.cs:line 42\n"
        "   at Shop.Payments.Gateway.Authorise(Payment payment) in /src/Gateway.cs:line 117"
    )


SPELLINGS: dict[str, type[Spelling]] = {
    "pattern": Pattern,
    "ecs": Ecs,
    "json": Json,
    "structlog": Structlog,
    "serilog": Serilog,
}
