"""The shipped nginx in front of a real service: what passes, what does not, what it writes down."""

import re
import socket
import ssl
import subprocess
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlmodel import select

from bubbles.config import MIB, Settings
from bubbles.db.engine import Database
from bubbles.http.assets import Assets
from bubbles.model.bubble import Bubble
from bubbles.model.listening import Served
from tests.conftest import CHECKOUT
from tests.http.conftest import FIREFOX
from tests.infra.conftest import Site, site
from tests.infra.proxy import Proxy, binary, free_port, nginx, written

WAIT_S = 60
PAUSE_S = 2.0
STARTED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"
LINE = re.compile(STARTED + r" ([A-Z]{3,7}|-) (other|/@|/[a-z-]{0,20}) \d{3} \d+ [\d.]+ [\d., :-]+ [0-9a-f]{32}")
"""When, method, kind of page, status, bytes, seconds here and behind, the request's name."""

BOUNDARY = "a-boundary-that-occurs-nowhere"


@pytest.fixture(scope="module")
def there(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(database, tmp_path_factory.mktemp("site"), weed=None, behind=True) as found:
        yield found


@pytest.fixture(scope="module")
def author(there: Site) -> dict[str, str]:
    """The headers of somebody who may publish."""
    return there.world.channel()[1]


@pytest.fixture(scope="module")
def deserted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy whose application is away."""
    with nginx(tmp_path_factory.mktemp("deserted"), application=free_port()) as found:
        yield found


def until(look: Callable[[], Any]) -> Any:
    deadline_s = time.monotonic() + WAIT_S
    while not (found := look()):
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.02)
    return found


def ask(proxy: Proxy, text: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", proxy.port), WAIT_S)
    client.sendall(text.replace("\n", "\r\n").encode())
    return client


# Uploads


class Named(BaseHTTPRequestHandler):
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
def named() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Named) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


@pytest.mark.parametrize("is_there", [True, False])
def test_uploads_go_to_their_own_process_while_it_is_there(tmp_path: Path, is_there: bool) -> None:
    with named() as application, named() as uploader:
        uploads = uploader if is_there else free_port()
        with nginx(tmp_path / "proxy", application=application, uploads=uploads) as proxy:
            assert httpx.post(f"{proxy.url}/api/bubbles").text == str(uploader if is_there else application)
            for path in ("/api/bubbles", "/api/bubbles/x", "/"):
                assert httpx.get(f"{proxy.url}{path}").text == str(application)


def test_a_refusal_reaches_who_is_still_sending(there: Site) -> None:
    """Who is refused before the body is read can send all of it; the answer says that no other request may follow."""
    length = 20 * MIB
    assert there.proxy
    head = (
        f"POST /api/bubbles HTTP/1.1\nHost: x\nContent-Type: multipart/form-data; boundary=x\nContent-Length: {length}"
    )
    with ask(there.proxy, f"{head}\n\n") as client:
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


def test_an_upload_is_passed_on_as_it_comes_and_lies_on_one_disk_only(there: Site, author: dict[str, str]) -> None:
    assert there.proxy
    head = (
        f"POST /api/bubbles HTTP/1.1\nHost: x\nAuthorization: {author['Authorization']}\nContent-Length: {8 * MIB}\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\n\n--{BOUNDARY}\n"
        'Content-Disposition: form-data; name="audio"; filename="x"\n\n'
    )
    uploads, bodies = there.house.settings.uploads_dir, there.proxy.folder / "nginx-bodies"
    with ask(there.proxy, head) as client:
        client.sendall(bytes(4 * MIB))
        until(lambda: any(part.stat().st_size > 3 * MIB for part in uploads.glob("*.part")))
        assert not list(bodies.iterdir())
    until(lambda: not list(uploads.glob("*.part")))


def test_what_is_too_large_is_told_by_the_service_itself(there: Site, author: dict[str, str]) -> None:
    body = bytes(Settings().request_max_bytes + 1)
    answer = there.client.post("/api/bubbles", files={"audio": ("x", body)}, headers=author)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert str(Settings().request_max_bytes) in answer.json()["detail"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(("path", "length_bytes"), [("/api/bubbles", 65 * MIB), ("/sign-in", 3 * MIB)])
def test_what_is_far_too_large_is_refused_unread_in_the_same_words(there: Site, path: str, length_bytes: int) -> None:
    assert there.proxy
    with ask(there.proxy, f"POST {path} HTTP/1.1\nHost: x\nContent-Length: {length_bytes}\n\n") as client:
        head, _, body = until(lambda: client.recv(4096)).partition(b"\r\n\r\n")
    assert b" 413 " in head.splitlines()[0]
    assert b"application/problem+json" in head
    assert b'"code":"too_large"' in body


# Sound


def test_who_leaves_early_is_counted_for_what_was_sent(there: Site) -> None:
    assert there.proxy
    bubble = there.world.bubble(length_bytes=32 * MIB)
    with ask(there.proxy, f"GET /media/{bubble.code}.m4a HTTP/1.1\nHost: x\nUser-Agent: {FIREFOX}\n\n") as client:
        received = 0
        while received < MIB:
            received += len(client.recv(1 << 16))
        pause_s = time.monotonic() + PAUSE_S
        while time.monotonic() < pause_s:  # a proxy that kept all back would have taken it all by now
            assert not ranges(there, bubble)
            time.sleep(0.1)
    ((start, stop),) = until(lambda: ranges(there, bubble))
    assert start == 0
    # Nothing waits in the proxy but its one buffer; the kernel's at all four ends hold some megabytes.
    assert MIB - 1000 < stop < 20 * MIB


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
    until(lambda: requests(there, bubble) == [4])


def requests(there: Site, bubble: Bubble) -> list[int]:
    """How many of each visitor's were counted."""
    with there.house.database.transaction() as session:
        return [row.requests for row in session.exec(select(Served).where(Served.bubble_id == bubble.id)).all()]


def test_behind_another_proxy_the_listener_is_whom_that_one_names(there: Site, tmp_path: Path) -> None:
    told = re.findall(r"^(?:set_real_ip|real_ip).*;", (CHECKOUT / "infra/README.md").read_text(), re.MULTILINE)
    trusting = "\n".join(told).replace("10.0.0.0/8", "127.0.0.1")
    bubble = there.world.bubble(length_bytes=100)
    with nginx(tmp_path / "proxy", application=there.port, changes={"server_tokens off;": trusting}) as proxy:
        for asker in ("192.0.2.7", "203.0.113.9, 192.0.2.7", "192.0.2.8"):
            headers = {"X-Forwarded-For": asker, "User-Agent": FIREFOX}
            assert httpx.get(f"{proxy.url}/media/{bubble.code}.m4a", headers=headers).status_code == 200
    until(lambda: sorted(requests(there, bubble)) == [1, 2])


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
    with ask(there.proxy, f"GET {path} HTTP/1.1\nHost: x\nConnection: close\n\n") as client:
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
        with ask(there.proxy, f"{line}\nHost: x\nConnection: close\n\n") as client:
            until(lambda client=client: client.recv(4096))
    with ask(there.proxy, f"GET /?{'QUERY' * 4000} HTTP/1.1\nHost: x\n\n") as client:
        assert b" 414 " in until(lambda: client.recv(4096))
    kinds = {"/media", "/b", "/sign-in", "/@", "/search", "/api", "other"}
    proxy = there.proxy
    until(lambda: kinds <= {line.split()[2] for line in proxy.log()})  # a line comes after its answer
    log = proxy.log()
    assert len(log) >= len(paths)
    for line in log:
        assert LINE.fullmatch(line), line
    written_down = "\n".join(log) + there.proxy.errors()
    for secret in ("QUERY", "SECRET", "HANDLE", code, "192.0.2.7", "127.0.0.1"):
        assert secret not in written_down


def test_a_request_has_one_name_in_both_logs(there: Site) -> None:
    name = there.client.get("/robots.txt", headers={"X-Request-ID": "a-name-of-a-strangers"}).headers["x-request-id"]
    named = until(lambda: there.proxy and [line for line in there.proxy.log() if line.split()[-1] == name])
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
    assert first.headers["etag"] == httpx.get(f"http://127.0.0.1:{there.port}/api/bubbles/{code}").headers["etag"]


# Slow sockets, and an application that is away


def test_a_socket_that_says_nothing_is_let_go(tmp_path: Path) -> None:
    sooner = {"client_header_timeout 10s": "client_header_timeout 1s"}
    with nginx(tmp_path / "proxy", application=1, changes=sooner) as proxy:
        client = ask(proxy, "GET / HTTP/1.1\nHost: x\nX-Slow: ")
        with client, suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_what_a_slow_reader_has_not_fetched_yet_fills_no_disk(tmp_path: Path) -> None:
    """An archive of everything may be gigabytes, and /tmp of a container is memory."""
    with socket.create_server(("127.0.0.1", 0)) as application:
        application.settimeout(WAIT_S)
        with nginx(tmp_path / "proxy", application=application.getsockname()[1]) as proxy:
            reader = socket.create_connection(("127.0.0.1", proxy.port), WAIT_S)
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
    answer = httpx.get(f"{deserted.url}/b/AAAAAAAAAAAAAAAA?q=QUERY")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["retry-after"] == "10"
    assert answer.headers["cache-control"] == "no-store"
    assert "Back soon" in answer.text
    assert "De retour" in answer.text


@pytest.mark.parametrize("path", ["/api/bubbles", "/media/AAAAAAAAAAAAAAAA.m4a"])
def test_a_program_is_told_that_the_service_is_away(deserted: Proxy, path: str) -> None:
    for method in ("GET", "POST"):
        answer = httpx.request(method, f"{deserted.url}{path}", content=b"x" * 1000 if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "10"


def test_that_the_service_is_away_is_written_down_without_who_asked(deserted: Proxy) -> None:
    httpx.get(f"{deserted.url}/search?q=QUERY")
    lines = until(deserted.log)
    assert any(" 503 " in line for line in lines)
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert deserted.errors() == ""


# HTTPS


def test_the_example_for_https_speaks_it(there: Site, tmp_path: Path) -> None:
    plain, secure = free_port(), free_port()
    certificate, key = signed_by_itself(tmp_path)
    changes = {
        "# include nginx/tls.conf": "include nginx/tls.conf",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443": f"listen 127.0.0.1:{secure}",
        "/etc/letsencrypt/live/bubbles.example/fullchain.pem": str(certificate),
        "/etc/letsencrypt/live/bubbles.example/privkey.pem": str(key),
    }
    trust = ssl.create_default_context(cafile=str(certificate))
    with nginx(tmp_path / "proxy", application=there.port, changes=changes):
        answer = httpx.get(f"https://127.0.0.1:{secure}/", verify=trust)
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        led = httpx.get(f"http://127.0.0.1:{plain}/map?q=x", headers={"Host": "bubbles.example"})
        assert (led.status_code, led.headers["location"]) == (301, "https://bubbles.example/map?q=x")


def signed_by_itself(folder: Path) -> tuple[Path, Path]:
    """A certificate for `bubbles.example` and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bubbles.example")])
    names = [x509.DNSName("bubbles.example"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "certificate", folder / "key"


def test_the_shipped_files_are_what_nginx_takes(tmp_path: Path) -> None:
    main = written(tmp_path / "proxy", free_port(), application=8000)
    ran = subprocess.run([binary(), "-t", "-c", str(main)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "warn" not in ran.stderr
