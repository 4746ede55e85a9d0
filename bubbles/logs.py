"""Logs: one line an event on standard error, JSON unless a person is watching.

A line holds numbers of rows and words of ours: no address, no name, no code of a bubble, nothing that anybody said.
Of an error it tells the type and where it happened, never the message: that may repeat what was sent.
"""

import json
import logging
import re
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bubbles.errors import Missing, Refused

CODE_IN_A_KEY = re.compile(r"\b(renditions|recordings|erasures/bubbles)/[\w./-]*[\w-]")
"""Keys of blobs hold the code of their bubble, and who has the code of one that is not listed may hear it."""

QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|COPY|WITH)\b.*")
EVENT_MAX = 300
CHAIN_MAX = 5


def configure(level: str) -> None:
    """Sets up structlog, and has the libraries' own logs speak only of what is wrong."""
    watched = sys.stderr.isatty()
    libraries = _Libraries(sys.stderr)
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


def catch_the_rest() -> None:
    """Has whatever nobody catches in this process be a line too, unless a person is watching.

    That is an error at the end of the process or of a thread, one that nobody could be told, and a warning.
    """
    if sys.stderr.isatty():
        return
    sys.excepthook = lambda kind, error, place: _tell_uncaught("uncaught", error)  # noqa: ARG005 - Python's shape
    threading.excepthook = lambda caught: _tell_uncaught("uncaught_in_thread", caught.exc_value)
    sys.unraisablehook = lambda caught: _tell_uncaught("unraisable", caught.exc_value)
    warnings.showwarning = _tell_warning


def tell_end(detail: str) -> None:
    """Says why a process ends, whether its log was set up or not; `detail` is a sentence of ours."""
    _write({"event": "ended", "level": "error", "detail": detail})


def _tell_uncaught(event: str, error: BaseException | None) -> None:
    _write({"event": event, "level": "critical", "exc_info": error})


def _tell_warning(  # noqa: PLR0917 - Python's shape
    message: Warning | str,  # noqa: ARG001 - Python's shape
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - as above
    line: str | None = None,  # noqa: ARG001 - as above
) -> None:
    place = f"{Path(filename).name}:{lineno}"
    _write({"event": "warned", "level": "warning", "category": category.__name__, "place": place})


def _write(line: EventDict) -> None:
    stamped = {**line, "timestamp": _stamp(time.time())}
    sys.stderr.write(json.dumps(without_codes(None, "", told_error(None, "", stamped))) + "\n")
    sys.stderr.flush()


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class _Libraries(logging.StreamHandler[TextIO]):
    """Writes the libraries' lines; one that cannot be written is told of in a line as well."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - theirs
        """Instead of the traceback that Python would print."""
        _write({"event": "line_lost", "level": "error", "logger": record.name, "exc_info": sys.exception()})


def _watched() -> list[Processor]:
    plain = structlog.dev.plain_traceback  # the other ones print local variables, and with them what people said
    return [structlog.dev.ConsoleRenderer(exception_formatter=plain)]


class LibraryLine(logging.Formatter):
    """A library's line, in the shape of ours: what it says itself, and its error as we tell errors.

    What it fills in is left out but for numbers: it may repeat what was sent, or a statement of SQL.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line: EventDict = {
            "event": _library_event(record),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": _stamp(record.created),
            "exc_info": record.exc_info,
        }
        return json.dumps(without_codes(None, "", told_error(None, "", line)))


def _library_event(record: logging.LogRecord) -> str:
    event, _, _ = _filled(str(record.msg), record.args).partition("\n")
    return SQL.sub("...", QUOTED.sub("'...'", event))[:EVENT_MAX]


def _filled(template: str, args: object) -> str:
    try:
        if isinstance(args, Mapping):
            return template % {name: _fit(each) for name, each in args.items()}
        return template % tuple(_fit(each) for each in args) if isinstance(args, tuple) and args else template
    except (TypeError, ValueError, KeyError):
        return template


class _LeftOut:
    """Stands for what is not written down, however it is asked for."""

    def __str__(self) -> str:
        return "..."

    __repr__ = __str__


def _fit(argument: object) -> object:
    if isinstance(argument, (int, float)):
        return argument
    return type(argument).__name__ if isinstance(argument, BaseException) else _LeftOut()


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
