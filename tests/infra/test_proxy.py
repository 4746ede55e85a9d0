"""The shipped nginx in front of a real service: what passes, what does not, what it writes down."""

import subprocess
import time
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from bubbles.http.assets import Assets
from bubbles.limits import MIB
from bubbles.model.bubble import Bubble
from bubbles.model.listening import Served
from tests.http.conftest import FIREFOX
from tests.infra.conftest import Site
from tests.infra.proxy import LINE, binary, written
from tests.journey.service import wait_for
from tests.ports import free_port

PAUSE_S = 2.0


# Sound


def test_who_leaves_early_is_counted_for_what_was_sent(there: Site) -> None:
    assert there.proxy
    bubble = there.world.bubble(length_bytes=64 * MIB)
    with there.proxy.ask(f"GET /media/{bubble.code}.m4a HTTP/1.1\nHost: x\nUser-Agent: {FIREFOX}\n\n") as client:
        received = 0
        while received < MIB:
            received += len(client.recv(1 << 16))
        pause_s = time.monotonic() + PAUSE_S
        while time.monotonic() < pause_s:  # a proxy that kept all back would have taken it all by now
            assert not ranges(there, bubble)
            time.sleep(0.1)
    ((start, stop),) = wait_for(lambda: ranges(there, bubble))
    assert start == 0
    # Nothing waits in the proxy but its one buffer; the kernel's at all four ends hold some megabytes.
    assert MIB - 1000 < stop < 40 * MIB


def ranges(there: Site, bubble: Bubble) -> list[tuple[int, int]]:
    with there.house.database.transaction() as session:
        rows = session.exec(select(Served).where(Served.bubble_id == bubble.id)).all()
        return [(part.lower, part.upper) for row in rows for part in row.ranges]


# Events


def test_events_pass_at_once(there: Site) -> None:
    bubble = there.world.bubble(playable_at=None, length_bytes=10)
    with there.client.stream("GET", f"/api/bubbles/{bubble.code}/events") as answer:
        lines = answer.iter_lines()
        assert '"state": "processing"' in next(line for line in lines if line.startswith("data: "))
        with there.house.database.transaction() as session:
            session.get_one(Bubble, bubble.id).playable_at = there.house.now()
        assert '"state": "playable"' in next(line for line in lines if line.startswith("data: "))


# Who asks


def test_nobody_names_an_address_of_their_own(there: Site) -> None:
    bubble = there.world.bubble(length_bytes=100)
    for spoof in ("192.0.2.7", "192.0.2.8, 127.0.0.1", "unknown", ""):
        there.client.get(f"/media/{bubble.code}.m4a", headers={"X-Forwarded-For": spoof, "X-Real-IP": spoof})
    wait_for(lambda: requests(there, bubble) == [4])


def requests(there: Site, bubble: Bubble) -> list[int]:
    """How many of each visitor's were counted."""
    with there.house.database.transaction() as session:
        return [row.requests for row in session.exec(select(Served).where(Served.bubble_id == bubble.id)).all()]


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/readyz",
        "/metrics",
        "//metrics",
        "/%6detrics",
        "/b/../metrics",
        "/./readyz",
        "/metrics?x",
        "/healthz#",
    ],
)
def test_nobody_outside_asks_how_we_are(there: Site, path: str) -> None:
    assert there.proxy
    with there.proxy.ask(f"GET {path} HTTP/1.1\nHost: x\nConnection: close\n\n") as client:
        answer = b"".join(iter(lambda: client.recv(1 << 16), b""))
    assert b" 404 " in answer.splitlines()[0]
    assert b"text/plain" in answer, "it is the proxy that refuses, and nobody behind is asked"


# What is written down


def test_the_log_holds_no_address_no_query_and_no_code(there: Site) -> None:
    assert there.proxy
    code = there.world.bubble(length_bytes=100).code
    paths = [f"/media/{code}.m4a", f"/b/{code}?q=QUERY", "/sign-in/SECRET", "/@HANDLE", "/search?q=QUERY&near=1,2"]
    paths += [
        "/SECRET",
        "/%53ECRET",
        "/_bubbles/disk/SECRET",
        "/api/bubbles?q=QUERY",
        "/assets/SECRET.js?QUERY",
        "/../QUERY",
    ]
    for path in paths:
        there.client.get(path, headers={"Referer": "http://x/?QUERY", "X-Forwarded-For": "192.0.2.7"})
    for line in ("GET http://SECRET/?QUERY HTTP/1.1", "NONSENSE QUERY", "GET /?QUERY HTTP/9.9", "\x16\x03\x01QUERY"):
        with there.proxy.ask(f"{line}\nHost: x\nConnection: close\n\n") as client:
            wait_for(lambda client=client: client.recv(4096))
    with there.proxy.ask(f"GET /?{'QUERY' * 4000} HTTP/1.1\nHost: x\n\n") as client:
        assert b" 414 " in wait_for(lambda: client.recv(4096))
    kinds = {"/media", "/b", "/sign-in", "/@", "/search", "/api", "other"}
    proxy = there.proxy

    def told() -> list[str]:  # a line comes after its answer
        log = proxy.log()
        return log if len(log) >= len(paths) and kinds <= {line.split()[2] for line in log} else []

    log = wait_for(told)
    for line in log:
        assert LINE.fullmatch(line), line
    written_down = "\n".join(log) + there.proxy.errors()
    for secret in ("QUERY", "SECRET", "HANDLE", code, "192.0.2.7", "127.0.0.1"):
        assert secret not in written_down


def test_a_request_has_one_name_in_both_logs(there: Site) -> None:
    name = there.client.get("/robots.txt", headers={"X-Request-ID": "a-name-of-a-strangers"}).headers["x-request-id"]
    named = wait_for(lambda: there.proxy and [line for line in there.proxy.log() if line.split()[-1] == name])
    assert [line.split()[2] for line in named] == ["/robots"]


# Built files


def test_built_files_are_fetched_once_and_kept_for_long(there: Site) -> None:
    path = Assets.of(there.house.settings.pages_dir).url("src/pages/record.ts")
    first, second = there.client.get(path), there.client.get(path)
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert first.headers["x-request-id"] == second.headers["x-request-id"]
    plain = there.client.get(path, headers={"Accept-Encoding": "identity"})
    assert (first.headers["content-encoding"], plain.headers.get("content-encoding")) == ("gzip", None)
    assert first.content == second.content == plain.content


def test_an_answer_is_asked_for_each_time_and_its_etag_stays(there: Site) -> None:
    code = there.world.bubble(length_bytes=100).code
    first, second = (there.client.get(f"/api/bubbles/{code}") for _ in range(2))
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert (
        first.headers["etag"]
        == httpx.get(f"http://127.0.0.1:{there.port}/api/bubbles/{code}", timeout=60).headers["etag"]
    )


def test_the_shipped_files_are_what_nginx_takes(tmp_path: Path) -> None:
    main = written(tmp_path / "proxy", free_port(), application=8000)
    ran = subprocess.run([binary(), "-t", "-c", str(main)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "warn" not in ran.stderr
