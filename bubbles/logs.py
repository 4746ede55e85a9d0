"""Logs: one line an event on standard error, JSON unless a person is watching.

A line holds numbers of rows and words of ours: no address, no name, no code of a bubble, nothing that anybody said.
Of an error it tells the type and where it happened, never the message: that may repeat what was sent.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bubbles.errors import Missing, Refused

CODE_IN_A_KEY = re.compile(r"\b(renditions|recordings|erasures/bubbles)/[\w./-]*[\w-]")
"""Keys of blobs hold the code of their bubble, and who has the code of one that is not listed may hear it."""

EVENT_MAX = 300
CHAIN_MAX = 5


def configure(level: str) -> None:
    """Sets up structlog, and has the libraries' own logs speak only of what is wrong."""
    watched = sys.stderr.isatty()
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(logging.Formatter("%(name)s: %(message)s") if watched else LibraryLine())
    logging.basicConfig(level=logging.ERROR, handlers=[libraries], force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(_watched() if watched else [told_error, without_codes, structlog.processors.JSONRenderer()]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),  # a line and its end at once: processes share the log
        cache_logger_on_first_use=True,
    )


def _watched() -> list[Processor]:
    plain = structlog.dev.plain_traceback  # the other ones print local variables, and with them what people said
    return [structlog.dev.ConsoleRenderer(exception_formatter=plain)]


class LibraryLine(logging.Formatter):
    """A library's line, in the shape of ours: the first line of its message, and its error as we tell errors."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        event, _, _ = record.getMessage().partition("\n")
        line: EventDict = {
            "event": event[:EVENT_MAX],
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "exc_info": record.exc_info,
        }
        return json.dumps(without_codes(None, "", told_error(None, "", line)))


def told_error(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:  # noqa: ARG001 - structlog's shape
    """Replaces `exc_info` by what of it may be told."""
    given = line.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    if given is True:
        error = sys.exc_info()[1]
    if error is not None:
        line["exception"] = trace(error)
    return line


def without_codes(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:  # noqa: ARG001 - as above
    """Takes the codes of bubbles out of keys of blobs, also where an error tells of them."""
    return {key: _without_codes(value) for key, value in line.items()}


def _without_codes(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_codes(each) for each in value]
    return CODE_IN_A_KEY.sub(r"\1/...", value) if isinstance(value, str) else value


def trace(error: BaseException) -> list[str]:
    """The error and what caused it, each with its type and the places of ours it came through, the innermost last."""
    told: list[str] = []
    current: BaseException | None = error
    while current is not None and len(told) < CHAIN_MAX:
        told.append(f"{_named(current)}: {' > '.join(_places(current.__traceback__))}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return told


def _named(error: BaseException) -> str:
    """The type, and what is ours to say: a code, an error number, PostgreSQL's state."""
    detail: Any = getattr(error, "sqlstate", None)
    if isinstance(error, Refused):
        detail = error.code
    elif isinstance(error, Missing):
        detail = f"{error.part}, {error.detail}"
    elif isinstance(error, OSError):
        detail = error.errno
    return type(error).__name__ + (f" ({detail})" if detail else "")


def _places(traceback: TracebackType | None) -> list[str]:
    places = []
    while traceback is not None:
        code, module = traceback.tb_frame.f_code, str(traceback.tb_frame.f_globals.get("__name__"))
        if module.startswith("bubbles.") or traceback.tb_next is None:
            places.append(f"{module}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places
