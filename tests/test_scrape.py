"""A worker tells its own metrics at a port, to who is near."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from bubbles import scrape, worker
from bubbles.config import Settings
from tests.ports import free_port


@pytest.fixture
def port() -> Iterator[int]:
    with scrape.served("127.0.0.1", 0) as port:
        yield port


def get(port: int, path: str = "/metrics") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def test_the_meters_of_the_process_are_told(port: int) -> None:
    assert "bubbles_blob_seconds" in get(port)
    assert "process_resident_memory_bytes" in get(port)


def test_there_is_nothing_else(port: int) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(port, "/")


def test_strangers_are_told_nothing(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "is_near", lambda address: False)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(port)


@pytest.mark.parametrize(
    ("address", "near"),
    [("127.0.0.1", True), ("10.1.2.3", True), ("fd00::1", True), ("8.8.8.8", False), ("", False), ("socket", False)],
)
def test_near_is_this_machine_or_a_private_network(address: str, near: bool) -> None:
    assert scrape.is_near(address) is near


def test_a_second_worker_takes_the_next_port_and_none_is_asked_for_by_default() -> None:
    settings = Settings(worker_metrics_port=free_port())
    with worker._scraped(settings) as one, worker._scraped(settings) as other:
        assert one is not None
        assert other is not None
        assert one < other
        for port in (one, other):
            assert "bubbles_blob_seconds" in get(port)
    assert Settings().worker_metrics_port == 0
    with worker._scraped(Settings()) as none:
        assert none is None
