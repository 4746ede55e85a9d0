"""Spans: where the time of a request or a step went, for OpenTelemetry.

The packages are an extra (`pip install 'bubbles[otel]'`); without them, or without being told to, every call here does
nothing. No span holds anything about a person: an error is its type, never its message.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bubbles.errors import Missing

NAME = "bubbles"
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


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """A span around the block, the child of the one that it runs in; a failure is marked by its type."""
    if _tracer is None:
        yield
        return
    told = {key.replace("__", "."): value for key, value in attributes.items()}
    with _tracer.start_as_current_span(
        name, attributes=told, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            raise


def tell(*, route: str, status: int) -> None:
    """Names the span of a request by its route, which is known only at its end."""
    if _tracer is None:
        return
    from opentelemetry import trace  # noqa: PLC0415 - an extra

    current = trace.get_current_span()
    current.update_name(route)
    current.set_attributes({"http.route": route.partition(" ")[2], "http.response.status_code": status})
