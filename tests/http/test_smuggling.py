"""Requests that two readers might read as two things: they are refused, or read as one and the same by all."""

from collections.abc import Iterator
from typing import Any

import pytest

from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from tests.http.wire import Wire, answers, everything, served

INNER = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
"""What must not be answered: it lies in the body of another."""

POST = b"POST /api/listens HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"

AMBIGUOUS = {
    "length and chunks": POST + b"Content-Length: 6\r\n" + CHUNKED + b"\r\n" + END + INNER,
    "chunks and length": POST + CHUNKED + b"Content-Length: 6\r\n\r\n" + END + INNER,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n" + INNER,
    "a list of lengths": POST + b"Content-Length: 0, 60\r\n\r\n" + INNER,
    "a length with a sign": POST + b"Content-Length: +0\r\n\r\n" + INNER,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + INNER,
    "a length in hexadecimal": POST + b"Content-Length: 0x10\r\n\r\n" + INNER,
    "a length without end": POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n" + INNER,
    "an encoding nobody knows": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + END + INNER,
    "chunked, then another": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + END + INNER,
    "an encoding after a tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + END + INNER,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n" + END + INNER,
    "a folded header": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + END + INNER,
    "a folded value": POST + b"X: a\r\n Content-Length: 60\r\n\r\n" + INNER,
    "bare line feeds": POST.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n" + INNER,
    "a bare line feed in a value": POST + b"X: a\nContent-Length: 60\r\n\r\n" + INNER,
    "a bare carriage return": POST + b"X: a\rContent-Length: 60\r\n\r\n" + INNER,
    "a NUL in a value": POST + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n" + INNER,
    "a chunk's length with a sign": POST + CHUNKED + b"\r\n+0\r\n\r\n" + INNER,
    "a chunk's length with a space": POST + CHUNKED + b"\r\n0 \r\n\r\n" + INNER,
    "a chunk's length too great": POST + CHUNKED + b"\r\nfffffffffffffffff\r\n" + INNER,
    "a chunk ended by a line feed": POST + CHUNKED + b"\r\n1\r\nx\n0\r\n\r\n" + INNER,
    "an extension with a line feed": POST + CHUNKED + b"\r\n1;a\nb\r\nx\r\n0\r\n\r\n" + INNER,
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + INNER,
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n" + INNER,
    "a header without a name": POST + b": x\r\n\r\n" + INNER,
    "a version that there is not": b"GET /healthz HTTP/3.7\r\nHost: x\r\n\r\n" + INNER,
    "no version": b"GET /healthz\r\n\r\n" + INNER,
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + INNER,
}


@pytest.fixture(scope="module")
def wire(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    folder = tmp_path_factory.mktemp("wire")
    house = House(Settings(data_dir=folder), database, open_store((folder / "blobs").as_uri()), transcriber=None)  # type: ignore[arg-type]
    with served(house) as found:
        yield found


@pytest.mark.parametrize("sent", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused_and_ends(wire: Wire, sent: bytes) -> None:
    with wire.connect() as client:
        client.sendall(sent)
        told = answers(everything(client))
    assert [each.status for each in told] == [400]
    assert told[0].headers["connection"] == "close"


def test_what_is_plain_is_read_as_it_is_meant(wire: Wire) -> None:
    body = b'{"code": "x"}'
    chunks = b"%x\r\n%b\r\n%b" % (len(body), body, END)
    for sent in (POST + b"Content-Length: %d\r\n\r\n%b" % (len(body), body), POST + CHUNKED + b"\r\n" + chunks):
        with wire.connect() as client:
            client.sendall(sent + INNER)
            assert [each.status for each in answers(everything(client))] == [400, 200]


def test_a_trailer_is_no_header(wire: Wire) -> None:
    """One that came after the body could name another listener, or another account, once both were judged."""
    trailers = b"0\r\nX-Request-ID: a-name-of-a-strangers\r\nAuthorization: Bearer x\r\n\r\n"
    with wire.connect() as client:
        client.sendall(POST + CHUNKED + b"\r\n2\r\n{}\r\n" + trailers + INNER)
        told = answers(everything(client))
    assert [each.status for each in told] == [400, 200]


def test_the_host_header_is_never_repeated(wire: Wire) -> None:
    evil = b"evil.example"
    for path in (b"/", b"/search/", b"/sign-in", b"/sitemap.xml", b"/robots.txt", b"/nothing", b"/oembed?url=x"):
        for first in (b"GET " + path, b"GET http://evil.example" + path):
            told = wire.ask(first + b" HTTP/1.1\r\nHost: " + evil + b"\r\nX-Forwarded-Host: " + evil + b"\r\n"
                            b"Forwarded: host=" + evil + b"\r\nConnection: close\r\n\r\n")  # fmt: skip
            assert evil not in told.body + str(told.headers).encode()
