"""The fault proxy does what it says, and says what it did."""

import http.client
import http.server
import socket
import threading
from collections.abc import Iterator

import psycopg
import pytest

from bubbles.db.engine import Database
from tests.faults.proxy import Fault, FaultProxy
from tests.journey.service import wait_for

SOUND = bytes(range(256)) * 1024
PATIENCE_S = 0.3


class Keeping(http.server.BaseHTTPRequestHandler):
    """Keeps what is put and gives it back; several requests a connection."""

    protocol_version = "HTTP/1.1"
    kept: dict[str, bytes]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) == int(self.headers["Content-Length"]):
            self.kept[self.path] = body
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(self.kept.get(self.path, b""))

    do_HEAD = do_GET  # noqa: N815 - the names are http.server's

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that resets is what is tested."""


@pytest.fixture
def kept() -> dict[str, bytes]:
    return {"/sound": SOUND}


@pytest.fixture
def proxy(kept: dict[str, bytes]) -> Iterator[FaultProxy]:
    """A proxy before a server that keeps what is put."""
    handler = type("Handler", (Keeping,), {"kept": kept})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with FaultProxy(("127.0.0.1", server.server_port)) as proxy:
            yield proxy
        server.shutdown()
        thread.join()


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[http.client.HTTPConnection]:
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    yield client
    client.close()


def ask(client: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    client.request(method, path, body)
    answer = client.getresponse()
    return answer.status, answer.read()


def test_without_rules_everything_passes(client: http.client.HTTPConnection, kept: dict[str, bytes]) -> None:
    for _ in range(3):
        assert ask(client, "PUT", "/a", SOUND) == (200, b"")
        assert ask(client, "GET", "/a") == (200, SOUND)
        assert ask(client, "HEAD", "/a") == (200, b"")
    assert kept["/a"] == SOUND


def test_a_rule_befalls_the_request_that_it_names(proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    rule = proxy.add(Fault.UNAVAILABLE, "^GET /sound ", nth=2)
    assert ask(client, "GET", "/other")[0] == 200
    assert ask(client, "GET", "/sound")[0] == 200
    assert rule.fired == 0
    assert ask(client, "GET", "/sound")[0] == 503
    assert ask(client, "GET", "/sound")[0] == 200
    assert (rule.seen, rule.fired) == (3, 1)


def test_unavailable_keeps_nothing_of_a_body(
    proxy: FaultProxy, client: http.client.HTTPConnection, kept: dict[str, bytes]
) -> None:
    rule = proxy.add(Fault.UNAVAILABLE)
    assert ask(client, "PUT", "/a", SOUND)[0] == 503
    assert rule.fired == 1
    assert "/a" not in kept
    proxy.heal()
    assert ask(client, "PUT", "/a", SOUND)[0] == 200


def test_refuse_resets_who_connects(proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    assert ask(client, "GET", "/sound")[0] == 200
    rule = proxy.add(Fault.REFUSE)
    for _ in range(2):  # the connection that stands, then a new one
        with pytest.raises(ConnectionError):
            ask(client, "GET", "/sound")
        client.close()
    assert rule.fired == 2


def test_refuse_at_a_request_keeps_nothing(
    proxy: FaultProxy, client: http.client.HTTPConnection, kept: dict[str, bytes]
) -> None:
    rule = proxy.add(Fault.REFUSE, "^PUT")
    with pytest.raises(ConnectionError):
        ask(client, "PUT", "/a", SOUND)
    assert rule.fired == 1
    assert "/a" not in kept


def test_stall_accepts_and_never_answers(proxy: FaultProxy) -> None:
    rule = proxy.add(Fault.STALL)
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE_S)
    with pytest.raises(TimeoutError):
        ask(client, "GET", "/sound")
    wait_for(lambda: rule.fired == 1)  # it may come to it only after the client's patience is over
    client.close()


def test_reset_cuts_a_body_in_the_middle(
    proxy: FaultProxy, client: http.client.HTTPConnection, kept: dict[str, bytes]
) -> None:
    rule = proxy.add(Fault.RESET)
    with pytest.raises(ConnectionError):
        ask(client, "PUT", "/a", SOUND)
    assert "/a" not in kept
    client.close()
    client.request("GET", "/sound")
    answer = client.getresponse()
    assert answer.getheader("Content-Length") == str(len(SOUND))
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        answer.read()
    assert rule.fired == 2


def test_reset_cuts_an_answer_without_body(proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    rule = proxy.add(Fault.RESET, "^HEAD")
    with pytest.raises(ConnectionError):
        ask(client, "HEAD", "/sound")
    assert rule.fired == 1


def test_a_lost_answer_is_that_of_a_request_that_was_obeyed(
    proxy: FaultProxy, client: http.client.HTTPConnection, kept: dict[str, bytes]
) -> None:
    rule = proxy.add(Fault.LOSE_ANSWER, "^PUT")
    with pytest.raises(ConnectionError):
        ask(client, "PUT", "/a", SOUND)
    assert rule.fired == 1
    assert kept["/a"] == SOUND


def test_wrong_bytes_are_as_many(proxy: FaultProxy, client: http.client.HTTPConnection) -> None:
    rule = proxy.add(Fault.WRONG_BYTES, "^GET")
    status, body = ask(client, "GET", "/sound")
    assert status == 200
    assert len(body) == len(SOUND)
    assert not any(map(int.__eq__, body, SOUND))
    assert ask(client, "HEAD", "/sound") == (200, b"")
    assert rule.fired == 1


def test_a_server_that_is_not_there_resets() -> None:
    with socket.socket() as gone:  # has the port, and does not listen
        gone.bind(("127.0.0.1", 0))
        with FaultProxy(gone.getsockname()) as proxy:
            client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
            with pytest.raises(ConnectionError):
                ask(client, "GET", "/")
            client.close()


def test_the_end_of_the_proxy_is_the_end_of_its_connections(proxy: FaultProxy) -> None:
    with FaultProxy(("127.0.0.1", proxy.port)) as outer:
        client = http.client.HTTPConnection("127.0.0.1", outer.port, timeout=60)
        assert ask(client, "GET", "/sound")[0] == 200
    assert client.sock.recv(1) == b""
    client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", outer.port), timeout=60)


# PostgreSQL


@pytest.fixture
def before_postgres(database: Database) -> Iterator[tuple[FaultProxy, str]]:
    """A proxy before the server of the tests, and how to connect through it."""
    with FaultProxy.before(database.libpq_url) as proxy:
        yield proxy, proxy.through(database.libpq_url)


def test_statements_pass_through(before_postgres: tuple[FaultProxy, str]) -> None:
    with psycopg.connect(before_postgres[1]) as connection:
        assert connection.execute("SELECT %s + 1", [41]).fetchone() == (42,)


@pytest.mark.parametrize(("fault", "is_kept"), [(Fault.REFUSE, False), (Fault.LOSE_ANSWER, True)])
def test_a_commit_is_cut_before_or_after_it_is_obeyed(
    before_postgres: tuple[FaultProxy, str], fault: Fault, is_kept: bool
) -> None:
    proxy, url = before_postgres
    name = f"cut_{is_kept}".lower()
    rule = proxy.add(fault, "^COMMIT")
    connection = psycopg.connect(url)
    connection.execute(f"CREATE TABLE {name} ()")
    with pytest.raises(psycopg.OperationalError):
        connection.commit()
    connection.close()
    assert rule.fired == 1
    proxy.heal()
    with psycopg.connect(url) as again:
        found = again.execute("SELECT to_regclass(%s)::text", [name]).fetchone()
    assert found == (name if is_kept else None,)


def test_a_server_that_stalls_is_one_from_the_start(before_postgres: tuple[FaultProxy, str]) -> None:
    proxy, url = before_postgres
    rule = proxy.add(Fault.STALL, "^startup$")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)  # libpq knows nothing shorter
    wait_for(lambda: rule.fired >= 1)


def test_a_full_disk_is_told_as_a_server_tells_it(before_postgres: tuple[FaultProxy, str]) -> None:
    proxy, url = before_postgres
    rule = proxy.add(Fault.NO_ROOM, "^SELECT 2")
    with psycopg.connect(url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DiskFull, match="No space left on device"):
            connection.execute("SELECT 2")
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert rule.fired == 1
