"""Uploads through the shipped nginx: to whom they go, what passes, what is refused."""

import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest

from bubbles.config import Settings
from bubbles.limits import MIB
from tests.infra.conftest import Site
from tests.infra.proxy import nginx
from tests.journey.service import wait_for
from tests.ports import free_port

BOUNDARY = "a-boundary-that-occurs-nowhere"


@pytest.fixture(scope="module")
def author(there: Site) -> dict[str, str]:
    """The headers of somebody who may publish."""
    return there.world.channel()[1]


class SaysItsPort(BaseHTTPRequestHandler):
    """Says at which port it was asked."""

    def do_GET(self) -> None:
        name = str(self.server.server_port).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(name)))
        self.end_headers()
        self.wfile.write(name)

    do_POST = do_GET  # noqa: N815 - the base class names it

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


@contextmanager
def saying_its_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), SaysItsPort) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


@pytest.mark.parametrize("is_there", [True, False])
def test_uploads_go_to_their_own_process_while_it_is_there(tmp_path: Path, is_there: bool) -> None:
    with saying_its_port() as application, saying_its_port() as uploader:
        uploads = uploader if is_there else free_port()
        with nginx(tmp_path / "proxy", application=application, uploads=uploads) as proxy:
            assert httpx.post(f"{proxy.url}/api/bubbles", timeout=60).text == str(uploader if is_there else application)
            for path in ("/api/bubbles", "/api/bubbles/x", "/"):
                assert httpx.get(f"{proxy.url}{path}", timeout=60).text == str(application)


def test_a_refusal_reaches_who_is_still_sending(there: Site) -> None:
    """Who is refused before the body is read can send all of it; the answer says that no other request may follow."""
    length = 20 * MIB
    assert there.proxy
    head = (
        f"POST /api/bubbles HTTP/1.1\nHost: x\nContent-Type: multipart/form-data; boundary=x\nContent-Length: {length}"
    )
    with there.proxy.ask(f"{head}\n\n") as client:
        for _ in range(length // MIB):
            client.sendall(bytes(MIB))
        answer = b"".join(iter(lambda: client.recv(1 << 16), b""))
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nConnection: close\r\n" in answer.partition(b"\r\n\r\n")[0] + b"\r\n"


def loud(path: Path, *, seconds: float) -> bytes:
    """The largest recording of that length: stereo, 96 kHz, 16 bits, of noise."""
    noise = np.random.default_rng(1).integers(-8000, 8000, int(seconds * 96_000) * 2, dtype=np.int16)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 96_000, 0, "NONE", "none"))
        file.writeframes(noise.tobytes())
    return path.read_bytes()


def test_the_largest_recording_passes(there: Site, author: dict[str, str], tmp_path: Path) -> None:
    sound = loud(tmp_path / "loud.wav", seconds=119)
    assert len(sound) > 43 * MIB
    answer = there.client.post("/api/bubbles", files={"audio": ("loud.wav", sound)}, headers=author)
    assert (answer.status_code, answer.json().get("state")) == (202, "processing"), answer.text


def size_of(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:  # that of an upload before
        return 0


def test_an_upload_is_passed_on_as_it_comes_and_lies_on_one_disk_only(there: Site, author: dict[str, str]) -> None:
    assert there.proxy
    head = (
        f"POST /api/bubbles HTTP/1.1\nHost: x\nAuthorization: {author['Authorization']}\nContent-Length: {8 * MIB}\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\n\n--{BOUNDARY}\n"
        'Content-Disposition: form-data; name="audio"; filename="x"\n\n'
    )
    uploads, bodies = there.house.settings.uploads_dir, there.proxy.folder / "nginx-bodies"
    with there.proxy.ask(head) as client:
        client.sendall(bytes(4 * MIB))
        wait_for(lambda: any(size_of(part) > 3 * MIB for part in uploads.glob("*.part")))
        assert not list(bodies.iterdir())
    wait_for(lambda: not list(uploads.glob("*.part")))


def test_what_is_too_large_is_told_by_the_service_itself(there: Site, author: dict[str, str]) -> None:
    body = bytes(Settings().request_max_bytes + 1)
    answer = there.client.post("/api/bubbles", files={"audio": ("x", body)}, headers=author)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert str(Settings().request_max_bytes) in answer.json()["detail"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(("path", "length_bytes"), [("/api/bubbles", 65 * MIB), ("/sign-in", 3 * MIB)])
def test_what_is_far_too_large_is_refused_unread_in_the_same_words(there: Site, path: str, length_bytes: int) -> None:
    assert there.proxy
    head = f"POST {path} HTTP/1.1\nHost: x\nContent-Length: {length_bytes}\n\n"
    with there.proxy.ask(head) as client, HTTPResponse(client) as answer:
        answer.begin()
        body = answer.read()
    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
    assert b'"code":"too_large"' in body
