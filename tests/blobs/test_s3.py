"""What holds of S3 only: what is sent, who is let in, what happens when the server is away."""

import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bubbles.blobs.address import open_store
from bubbles.blobs.bucket import ATTEMPTS_MAX
from bubbles.blobs.s3 import S3Store
from bubbles.blobs.store import BlobStore, Stored
from bubbles.errors import Missing

Put = Callable[[BlobStore, str, bytes], Stored]
LARGE_BYTES = 48 * 1024 * 1024


@pytest.fixture
def own_store(weed: Any) -> Any:
    """A store of this test's own: hooks on its client disturb no other."""
    return open_store(weed.url("own"), access_key_id=weed.access_key, secret_access_key=weed.secret_key)


class Failing(http.server.BaseHTTPRequestHandler):
    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_PUT = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def failing_url() -> Iterator[str]:
    """A server that always answers 503."""
    Failing.requests = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Failing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"s3://bucket?endpoint=http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def assert_missing(store: BlobStore, put: Put, tmp_path: Path, match: str) -> None:
    for ask in (
        lambda: store.size("a"),
        lambda: store.open_range("a", 0, 1),
        lambda: store.fetch("a", tmp_path / "copy", sha256="0" * 64),
        lambda: store.delete("a"),
        lambda: list(store.keys("")),
        lambda: put(store, "a", b"x"),
        store.check,
    ):
        with pytest.raises(Missing, match=match) as caught:
            ask()
        assert caught.value.part == "store"


@pytest.mark.parametrize("keys", [("wrong", "wrong"), (None, "wrong")], ids=["unknown key", "wrong secret"])
def test_wrong_credentials_are_missing(weed: Any, put: Put, tmp_path: Path, keys: tuple[str | None, str]) -> None:
    store = open_store(weed.url(), access_key_id=keys[0] or weed.access_key, secret_access_key=keys[1])
    assert_missing(store, put, tmp_path, "BUBBLES_S3_ACCESS_KEY_ID")


def test_an_absent_bucket_is_missing_and_not_empty(weed: Any, put: Put, tmp_path: Path) -> None:
    url = weed.url().replace(weed.bucket, "no-such-bucket")
    store = open_store(url, access_key_id=weed.access_key, secret_access_key=weed.secret_key)
    for ask in (lambda: store.size("a"), lambda: store.open_range("a", 0, 1), lambda: list(store.keys(""))):
        with pytest.raises(Missing, match="no such bucket"):
            ask()


def test_a_server_that_is_not_there_is_missing(put: Put, tmp_path: Path) -> None:
    store = open_store("s3://bucket?endpoint=http://127.0.0.1:1", access_key_id="id", secret_access_key="secret")
    with pytest.raises(Missing, match="cannot be reached"):
        put(store, "a", b"x")


def test_a_failing_server_is_asked_a_few_times_and_missing(failing_url: str) -> None:
    store = open_store(failing_url, access_key_id="id", secret_access_key="secret")
    with pytest.raises(Missing, match="answers 503"):
        store.size("a")
    assert Failing.requests == ATTEMPTS_MAX


def test_a_server_that_stops_is_missing_even_in_the_middle_of_a_blob(
    start_seaweed: Any, put: Put, tmp_path: Path
) -> None:
    with start_seaweed(tmp_path / "weed") as server:
        url, credentials = server.url(), {"access_key_id": server.access_key, "secret_access_key": server.secret_key}
        store = open_store(url, **credentials)
        put(store, "large", bytes(LARGE_BYTES))
        chunks = store.open_range("large", 0, LARGE_BYTES)
        next(chunks)
        server.stop()
        with pytest.raises(Missing, match="cannot be reached"):
            list(chunks)
        assert_missing(store, put, tmp_path, "cannot be reached")


def test_a_stranger_gets_no_blob(weed: Any, s3_store: BlobStore, key: str, put: Put) -> None:
    put(s3_store, key, b"private")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{weed.endpoint}/{weed.bucket}/some/prefix/{key}")
    assert caught.value.code == 403


def test_a_put_is_signed_conditional_and_bare(weed: Any, own_store: S3Store, key: str, put: Put) -> None:
    sent: list[Any] = []
    own_store._bucket.client.meta.events.register("before-send.s3.PutObject", lambda request, **_: sent.append(request))
    put(own_store, key, b"x")
    (request,) = sent
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert request.url == f"{weed.endpoint}/{weed.bucket}/own/{key}"
    assert headers["authorization"].startswith(b"AWS4-HMAC-SHA256")
    assert headers["if-none-match"] == b"*"
    assert headers["content-type"] == b"audio/mp4"
    assert not [name for name in headers if "acl" in name or "grant" in name or "meta" in name]


def test_a_bucket_may_be_a_part_of_the_hosts_name(weed: Any, virtual_store: S3Store, key: str, put: Put) -> None:
    sent: list[str] = []
    events, note = virtual_store._bucket.client.meta.events, lambda request, **_: sent.append(request.url)
    events.register("before-send.s3", note)
    put(virtual_store, key, b"x")
    events.unregister("before-send.s3", note)
    host = weed.endpoint.replace("127.0.0.1", f"{weed.bucket}.weed.localhost")
    assert sent == [f"{host}/virtual/{key}"] * 2


def test_a_real_bucket_has_no_faults(own_store: S3Store) -> None:
    trials = list(own_store.trials())
    assert [trial for trial in trials if trial.fault] == []
    assert {"put", "guard", "versioning", "strangers", "clock"} <= {trial.name for trial in trials}
    assert list(own_store.keys("probe/")) == []


def test_prefixes_keep_stores_apart(weed: Any, s3_store: BlobStore, own_store: S3Store, key: str, put: Put) -> None:
    put(own_store, key, b"own")
    with pytest.raises(KeyError):
        s3_store.size(key)
    assert list(own_store.keys(key)) == [key]


def test_what_changed_right_after_the_put_is_noticed(weed: Any, own_store: S3Store, key: str, put: Put) -> None:
    def overwrite(**_: object) -> None:
        own_store._bucket.client.meta.events.unregister("after-call.s3.PutObject", overwrite)
        own_store._bucket.client.put_object(Bucket=weed.bucket, Key=f"own/{key}", Body=b"them")

    own_store._bucket.client.meta.events.register("after-call.s3.PutObject", overwrite)
    with pytest.raises(FileExistsError):
        put(own_store, key, b"ours")


def test_a_server_that_tells_no_checksum_is_read(own_store: S3Store, key: str, put: Put) -> None:
    def forget(parsed: dict[str, object], **_: object) -> None:
        parsed.pop("ChecksumSHA256", None)

    own_store._bucket.client.meta.events.register("after-call.s3.HeadObject", forget)
    assert put(own_store, key, b"ours").length_bytes == 4
    with pytest.raises(FileExistsError):
        put(own_store, key, b"them")
