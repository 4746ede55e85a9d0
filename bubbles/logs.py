"""Logs: one line an event on standard error, JSON unless a person is watching."""

import logging
import sys

import structlog


def configure(level: str) -> None:
    """Sets up structlog, and has the libraries' own logs speak only of what is wrong."""
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s")
    watched = sys.stderr.isatty()
    plain = structlog.dev.plain_traceback  # the other ones print local variables, and with them what people said
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=plain) if watched else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if watched else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
