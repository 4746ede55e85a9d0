"""The shipped nginx before who is slow, or away: neither is waited for, and everybody is told."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bubbles.limits import MIB
from tests.infra.proxy import ANSWER_MAX_S, LINE, Proxy, nginx
from tests.journey.service import wait_for
from tests.ports import free_port

PAUSE_S = 2.0


@pytest.fixture(scope="module")
def deserted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy whose application is away."""
    with nginx(tmp_path_factory.mktemp("deserted"), application=free_port()) as found:
        yield found


def test_a_socket_that_says_nothing_is_let_go(tmp_path: Path) -> None:
    sooner = {"client_header_timeout 10s": "client_header_timeout 1s"}
    with nginx(tmp_path / "proxy", application=1, changes=sooner) as proxy:
        client = proxy.ask("GET / HTTP/1.1\nHost: x\nX-Slow: ")
        with client, suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_what_a_slow_reader_has_not_fetched_yet_fills_no_disk(tmp_path: Path) -> None:
    """An archive of everything may be gigabytes, and /tmp of a container is memory."""
    with socket.create_server(("127.0.0.1", 0)) as application:
        application.settimeout(ANSWER_MAX_S)
        with nginx(tmp_path / "proxy", application=application.getsockname()[1]) as proxy:
            reader = socket.create_connection(("127.0.0.1", proxy.port), ANSWER_MAX_S)
            with reader:
                reader.sendall(b"POST /account/export HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                behind, _ = application.accept()
                with behind:
                    behind.recv(65536)
                    behind.settimeout(PAUSE_S)
                    behind.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                    taken_bytes = 0
                    with suppress(TimeoutError):
                        while taken_bytes < 200 * MIB:
                            taken_bytes += behind.send(bytes(MIB))
    assert taken_bytes < 64 * MIB


def test_a_page_says_that_the_service_is_away(deserted: Proxy) -> None:
    answer = httpx.get(f"{deserted.url}/b/AAAAAAAAAAAAAAAA?q=QUERY", timeout=60)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["retry-after"] == "10"
    assert answer.headers["cache-control"] == "no-store"
    assert "Back soon" in answer.text
    assert "De retour" in answer.text


@pytest.mark.parametrize("path", ["/api/bubbles", "/media/AAAAAAAAAAAAAAAA.m4a"])
def test_a_program_is_told_that_the_service_is_away(deserted: Proxy, path: str) -> None:
    for method in ("GET", "POST"):
        answer = httpx.request(
            method, f"{deserted.url}{path}", content=b"x" * 1000 if method == "POST" else None, timeout=60
        )
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "10"


def test_that_the_service_is_away_is_written_down_without_who_asked(deserted: Proxy) -> None:
    httpx.get(f"{deserted.url}/search?q=QUERY", timeout=60)
    lines = wait_for(deserted.log)
    assert any(" 503 " in line for line in lines)
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert deserted.errors() == ""
