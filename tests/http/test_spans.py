"""Spans of requests, steps, statements and the store, where they are asked for; nothing of anybody in them."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from bubbles import chores, pipeline, spans
from bubbles.blobs.timed import timed
from bubbles.errors import Missing
from bubbles.http import bubbles as handlers
from bubbles.http.asgi import create_app
from bubbles.model.step import Step, StepName
from tests.http.conftest import MONDAY_22

MARK = "zq7mark"


@pytest.fixture
def exported() -> Iterator[Any]:
    """The exporter that keeps what it is given."""
    exporter = InMemorySpanExporter()
    spans.configure(exporter)
    yield exporter
    spans.stop()


def names(exported: Any) -> set[str]:
    return {span.name for span in exported.get_finished_spans()}


def test_a_request_is_a_span_with_its_statements_and_the_store_below(house: Any, world: Any, exported: Any) -> None:
    timed(house.blobs)
    bubble = world.bubble(length_bytes=9, title=MARK)
    exported.clear()
    with TestClient(create_app(house)) as client:
        answer = client.get(f"/media/{bubble.code}.m4a?q={MARK}", headers={"User-Agent": MARK})
    found = {span.name: span for span in exported.get_finished_spans()}
    request = found["GET /media/{code}.{kind}"]
    assert request.attributes["http.route"] == "/media/{code}.{kind}"
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["request.id"] == answer.headers["x-request-id"]
    for below in ("SQL SELECT", "blob open_range"):
        assert found[below].context.trace_id == request.context.trace_id
        assert found[below].parent is not None
    whole = "".join(span.to_json() for span in exported.get_finished_spans())
    for forbidden in (MARK, bubble.code):
        assert forbidden not in whole


def test_steps_and_chores_are_spans_and_failures_are_their_type(
    house: Any, world: Any, exported: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(house: Any, step: Any) -> None:
        raise ValueError(MARK)

    stage = pipeline.STAGES[StepName.NORMALISE]
    monkeypatch.setitem(pipeline.STAGES, StepName.NORMALISE, pipeline.Stage(fails, stage.on_give_up))
    bubble = world.bubble(length_bytes=9)
    with house.database.transaction() as session:
        session.add(Step(bubble_id=bubble.id, name=StepName.NORMALISE, queued_at=MONDAY_22, turn_at=MONDAY_22))
    pipeline.run_step(house, StepName.NORMALISE, bubble.id)
    with chores.told(house, "discard"):
        raise Missing("store", MARK)
    found = {span.name: span for span in exported.get_finished_spans()}
    assert found["step normalise"].attributes == {"bubble.id": bubble.id, "attempt": 1, "error.type": "ValueError"}
    assert found["chore discard"].attributes["error.type"] == "Missing"
    assert MARK not in "".join(span.to_json() for span in exported.get_finished_spans())


def test_a_statement_that_fails_ends_its_span(house: Any, exported: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(session: Any, query: Any) -> None:
        session.connection().exec_driver_sql("SELECT 1 / 0")

    monkeypatch.setattr(handlers.find, "find", find)
    with TestClient(create_app(house), raise_server_exceptions=False) as client:
        assert client.get("/api/bubbles").status_code == 500
    failed = [span for span in exported.get_finished_spans() if "error.type" in span.attributes]
    assert "DivisionByZero" in {span.attributes["error.type"] for span in failed}


def test_nothing_is_sent_unless_asked_for(house: Any, exported: Any) -> None:
    spans.stop()
    with TestClient(create_app(house)) as client:
        assert client.get("/api/bubbles").status_code == 200
    assert names(exported) == set()


def test_without_the_packages_one_is_told_what_to_install() -> None:
    code = "import sys; sys.modules['opentelemetry'] = None; from bubbles import spans; spans.configure()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "pip install 'bubbles[otel]'" in ran.stderr
