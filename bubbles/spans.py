"""Spans: where the time of a request or a step went, for OpenTelemetry.

The packages are an extra (`pip install 'bubbles[otel]'`); without them, or without being told to, every call here does
nothing. No span holds anything about a person: an error is its type, never its message, and statements come without
their values.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bubbles.errors import Missing

NAME = "bubbles"
STATEMENT_MAX = 500
_tracer: Any = None


def configure(exporter: Any = None) -> None:
    """Sends spans from here on, by OTLP over HTTP to where the usual `OTEL_...` variables say, or to `exporter`.

    Raises `Missing("otel")` when the packages are not installed.
    """
    global _tracer  # noqa: PLW0603 - one tracer a process, as OpenTelemetry has it
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise Missing("otel", "BUBBLES_TRACES needs the extra: pip install 'bubbles[otel]'.") from None
    resource = Resource({SERVICE_NAME: NAME}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(exporter) if exporter else BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer(NAME)


def stop() -> None:
    """Sends no more spans."""
    global _tracer  # noqa: PLW0603 - as above
    _tracer = None


class Span:
    """A span under way; all of it does nothing while no spans are sent."""

    def __init__(self, theirs: Any = None) -> None:
        self._theirs = theirs

    def name(self, name: str, **attributes: str | int) -> None:
        """Another name, where it is known only at the end; `__` in an attribute's name is a dot."""
        if self._theirs is not None:
            self._theirs.update_name(name)
            self._theirs.set_attributes(_told(attributes))

    def end(self, error: BaseException | None = None) -> None:
        """Ends one that `begin` began."""
        if self._theirs is not None:
            self._failed(error)
            self._theirs.end()

    def _failed(self, error: BaseException | None) -> None:
        if self._theirs is not None and error is not None:
            self._theirs.set_attribute("error.type", type(error).__name__)


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[Span]:
    """A span around the block, the child of the one that it runs in; a failure is marked by its type."""
    if _tracer is None:
        yield Span()
        return
    with _tracer.start_as_current_span(
        name, attributes=_told(attributes), record_exception=False, set_status_on_exception=False
    ) as theirs:
        current = Span(theirs)
        try:
            yield current
        except BaseException as error:
            current._failed(error)
            raise


def begin(statement: str) -> Span:
    """A span of an SQL statement, to be ended by hand."""
    if _tracer is None:
        return Span()
    operation = statement.split(maxsplit=1)[0].upper() if statement.strip() else "SQL"
    attributes = {"db.system.name": "postgresql", "db.query.text": statement[:STATEMENT_MAX]}
    return Span(_tracer.start_span(f"SQL {operation}", attributes=attributes))


def _told(attributes: dict[str, str | int]) -> dict[str, str | int]:
    return {key.replace("__", "."): value for key, value in attributes.items()}
