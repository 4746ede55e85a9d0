"""One line a request, under an id that a trusted proxy may give: the route, never who asked or what for."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from bubbles.http import bubbles as handlers

GIVEN = "proxy-1234.abcd_EF"


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        yield lines


def request_line(lines: list[Any]) -> Any:
    (line,) = (line for line in lines if line["event"] == "request")
    return line


def test_a_trusted_proxys_id_is_taken_over_and_returned(peer: Any, lines: list[Any]) -> None:
    answer = peer("10.1.2.3").get("/healthz", headers={"X-Request-ID": GIVEN})
    assert answer.headers["x-request-id"] == GIVEN == request_line(lines)["request_id"]


@pytest.mark.parametrize(
    ("host", "given"),
    [("192.0.2.1", GIVEN), ("10.1.2.3", "short"), ("10.1.2.3", "x" * 65), ("10.1.2.3", "a b c d e f"), ("", GIVEN)],
    ids=["a stranger", "too short", "too long", "other characters", "no address"],
)
def test_any_other_id_is_ours(peer: Any, lines: list[Any], host: str, given: str) -> None:
    answer = peer(host).get("/healthz", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] == request_line(lines)["request_id"] != given


def test_the_line_tells_the_route_the_bubble_and_what_went_out(
    client: TestClient, world: Any, lines: list[Any]
) -> None:
    bubble = world.bubble(length_bytes=1000)
    client.get(f"/media/{bubble.code}.m4a?token=abc", headers={"Range": "bytes=0-99"})
    line = request_line(lines)
    assert line.pop("duration_ms") >= 0
    assert line.pop("request_id")
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": "/media/{code}.{kind}",
        "status": 206,
        "bytes": 100,
        "bubble_id": bubble.id,
    }


def test_what_machines_ask_every_few_seconds_is_no_news(client: TestClient, peer: Any, lines: list[Any]) -> None:
    client.get("/healthz")
    assert request_line(lines)["log_level"] == "debug"
    lines.clear()
    peer("8.8.8.8").get("/metrics")  # who may not
    assert request_line(lines)["log_level"] == "info"


def test_any_word_may_be_a_method_and_none_but_ours_is_written(client: TestClient, lines: list[Any]) -> None:
    client.request("MARKER", "/healthz")
    assert request_line(lines)["method"] == "other"


def test_what_nobody_foresaw_is_under_the_id_of_its_request(
    app: Any, monkeypatch: pytest.MonkeyPatch, lines: list[Any]
) -> None:
    def find(session: Any, query: Any) -> None:
        raise ValueError

    monkeypatch.setattr(handlers.find, "find", find)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/api/bubbles")
    (bug,) = (line for line in lines if line["event"] == "bug")
    assert answer.status_code == request_line(lines)["status"] == 500
    assert answer.headers["x-request-id"] == bug["request_id"] == request_line(lines)["request_id"]
