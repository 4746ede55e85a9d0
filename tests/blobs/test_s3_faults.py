"""A bucket behind a bad network: nothing acknowledged is lost, nothing wrong is taken, nothing hangs or leaks."""

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.retries.standard import ExponentialBackoff

from bubbles.blobs.address import open_store
from bubbles.blobs.bucket import ATTEMPTS_MAX, Patience
from bubbles.blobs.store import BlobStore, Spoiled, Stored
from bubbles.errors import Missing
from tests.faults.proxy import Fault, FaultProxy

Put = Callable[[BlobStore, str, bytes], Stored]
SOUND = hashlib.shake_256(b"sound").digest(300_000)
SHA256 = hashlib.sha256(SOUND).hexdigest()
PATIENT = Patience(call_s=60)
IMPATIENT = Patience(silence_s=0.5, call_s=60)
"""Only while a server stalls: a busy one may well be silent for half a second."""

HURRIED = Patience(silence_s=4, call_s=60)
"""Where it stalls once, and is to answer then."""

NO_ANSWER = [Fault.REFUSE, Fault.UNAVAILABLE, Fault.STALL, Fault.RESET, Fault.LOSE_ANSWER]
ASKED: dict[str, str] = {
    "size": "^HEAD ",
    "open_range": "^GET .*/blob",
    "fetch": "^GET .*/blob",
    "keys": "^GET .*list-type=2",
    "put": "^PUT ",
    "look_again": "^HEAD ",
    "delete": "^DELETE ",
}
"""How a store is asked, and which of its requests the fault befalls."""


Open = Callable[[Patience], BlobStore]


@pytest.fixture(scope="module", autouse=True)
def at_once() -> Iterator[None]:
    """boto3 tries again without a pause."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
        yield


@contextmanager
def behind_proxy(weed: Any, prefix: str) -> Iterator[tuple[FaultProxy, Open]]:
    """A proxy, and what opens the bucket behind it with this prefix."""
    keys = {"access_key_id": weed.access_key, "secret_access_key": weed.secret_key}
    with FaultProxy.before(weed.endpoint) as proxy:
        url = weed.url(prefix).replace(weed.endpoint, proxy.through(weed.endpoint))
        yield proxy, lambda patience: open_store(url, patience=patience, **keys)


@pytest.fixture(scope="module", params=NO_ANSWER, ids=lambda fault: fault.name)
def faulty(request: pytest.FixtureRequest, weed: Any, put: Put) -> Iterator[tuple[Fault, FaultProxy, Open]]:
    """Each fault in turn, with a proxy that can do it, and what opens a bucket behind it: SOUND is under `blob`."""
    with behind_proxy(weed, f"faulty/{request.param.name}") as (proxy, opened):
        put(opened(PATIENT), "blob", SOUND)
        yield request.param, proxy, opened


@pytest.fixture
def bucket(weed: Any, key: str) -> Iterator[tuple[FaultProxy, Open]]:
    """A bucket of the test's own behind a proxy."""
    with behind_proxy(weed, key) as made:
        yield made


@pytest.fixture
def proxy(bucket: tuple[FaultProxy, Open]) -> FaultProxy:
    return bucket[0]


@pytest.fixture
def far(bucket: tuple[FaultProxy, Open], put: Put) -> BlobStore:
    """That bucket, which holds SOUND under `blob`."""
    store = bucket[1](PATIENT)
    put(store, "blob", SOUND)
    return store


def ask(store: BlobStore, how: str, put: Put, tmp_path: Path) -> object:
    """Ask the store; what it answers when all is well is what `ANSWERS` says."""
    new = f"new/{tmp_path.name}"
    if how == "fetch":
        store.fetch("blob", tmp_path / "copy", sha256=SHA256)
        return (tmp_path / "copy").read_bytes()
    return {
        "size": lambda: store.size("blob"),
        "open_range": lambda: b"".join(store.open_range("blob", 0, len(SOUND))),
        "keys": lambda: list(store.keys("bl")),
        "put": lambda: put(store, new, SOUND).sha256,
        "look_again": lambda: put(store, new, SOUND).sha256,
        "delete": lambda: store.delete("gone"),
    }[how]()


ANSWERS = {
    "size": len(SOUND),
    "open_range": SOUND,
    "fetch": SOUND,
    "keys": ["blob"],
    "put": SHA256,
    "look_again": SHA256,
    "delete": None,
}


def until(holds: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENT.call_s
    while not holds():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.01)


def connections(proxy: FaultProxy) -> int:
    """How many connections to the proxy this process holds open."""
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{proxy.port:04X}") and row[9] != "0" for row in rows)


@pytest.mark.parametrize("how", ASKED)
def test_one_fault_is_overcome(faulty: tuple[Fault, FaultProxy, Open], put: Put, tmp_path: Path, how: str) -> None:
    fault, proxy, opened = faulty
    store = opened(HURRIED if fault is Fault.STALL else PATIENT)
    rule = proxy.add(fault, ASKED[how], nth=1)
    assert ask(store, how, put, tmp_path) == ANSWERS[how]
    assert rule.fired == 1
    proxy.heal()


@pytest.mark.parametrize("how", ASKED)
def test_a_lasting_fault_is_missing_and_leaks_nothing(
    faulty: tuple[Fault, FaultProxy, Open], put: Put, tmp_path: Path, how: str
) -> None:
    fault, proxy, opened = faulty
    stalling = HURRIED if how == "look_again" else IMPATIENT  # what comes before that is answered
    store = opened(stalling if fault is Fault.STALL else PATIENT)
    rule, before = proxy.add(fault, ASKED[how]), connections(proxy)
    with pytest.raises(Missing, match=r"see (that it runs|its log)") as caught:
        ask(store, how, put, tmp_path)
    until(lambda: rule.fired >= ATTEMPTS_MAX)  # the proxy may come to the last when we have left already
    proxy.heal()
    assert caught.value.part == "store"
    assert rule.fired <= ATTEMPTS_MAX + 1
    assert connections(proxy) <= before + 1
    assert not (tmp_path / "copy").exists()
    assert asked_again(store, how, put, tmp_path) == ANSWERS[how]


def asked_again(store: BlobStore, how: str, put: Put, tmp_path: Path) -> object:
    """What the store answers, however impatient it is: asked until a server that is busy is quick enough."""
    told: list[object] = []

    def is_answered() -> bool:
        with suppress(Missing):
            told.append(ask(store, how, put, tmp_path))
        return bool(told)

    until(is_answered)
    return told[0]


def test_wrong_bytes_are_asked_for_again(proxy: FaultProxy, far: BlobStore, tmp_path: Path) -> None:
    rule = proxy.add(Fault.WRONG_BYTES, "^GET .*/blob", nth=1)
    far.fetch("blob", tmp_path / "copy", sha256=SHA256)
    assert (tmp_path / "copy").read_bytes() == SOUND
    assert rule.fired == 1


def test_wrong_bytes_are_never_taken(proxy: FaultProxy, far: BlobStore, tmp_path: Path) -> None:
    rule = proxy.add(Fault.WRONG_BYTES, "^GET ")
    with pytest.raises(Spoiled, match="other bytes for blob"):
        far.fetch("blob", tmp_path / "copy", sha256=SHA256)
    assert not (tmp_path / "copy").exists()
    with pytest.raises(Missing, match="does not do what it is asked"):
        list(far.keys(""))
    assert rule.fired > ATTEMPTS_MAX
    assert connections(proxy) <= 1


def test_no_put_that_was_acknowledged_is_lost(proxy: FaultProxy, far: BlobStore, put: Put, tmp_path: Path) -> None:
    faults = [fault for fault in NO_ANSWER if fault is not Fault.STALL]
    rules = [proxy.add(fault, method, nth=nth) for method in ("^PUT ", "^HEAD ") for nth, fault in enumerate(faults, 2)]
    rules += [proxy.add(Fault.REFUSE, "^PUT .*/lost")]
    acknowledged = {}
    for number in range(12):
        key, content = f"{'lost' if number == 5 else 'kept'}/{number}", SOUND[number:]
        try:
            acknowledged[key] = put(far, key, content).sha256
        except Missing:
            assert number == 5
    assert all(rule.fired for rule in rules)
    proxy.heal()
    assert len(acknowledged) == 11
    assert set(far.keys("kept/")) == set(acknowledged)
    for key, sha256 in acknowledged.items():
        far.fetch(key, tmp_path / "copy", sha256=sha256)


def test_what_is_read_goes_on_where_it_was_cut(proxy: FaultProxy, far: BlobStore) -> None:
    proxy.add(Fault.RESET, "^GET ", nth=1)
    proxy.add(Fault.RESET, "^GET ", nth=2)  # the first rule sees all requests; this one those that it leaves
    assert b"".join(far.open_range("blob", 10_000, 290_000)) == SOUND[10_000:290_000]


def test_a_reader_that_leaves_early_gives_its_connection_back(proxy: FaultProxy, far: BlobStore) -> None:
    for _ in range(5):
        assert next(far.open_range("blob", 0, len(SOUND)))
    assert connections(proxy) <= 1


@pytest.mark.parametrize(("silence_s", "call_s", "tries"), [(60, 3, 1), (0.3, 60, ATTEMPTS_MAX)])
def test_no_request_begins_once_the_call_has_had_its_time(
    bucket: tuple[FaultProxy, Open], silence_s: float, call_s: float, tries: int
) -> None:
    proxy, opened = bucket
    rule = proxy.add(Fault.STALL)
    with pytest.raises(Missing, match="has not answered in 3 s" if tries == 1 else "cannot be reached"):
        opened(Patience(silence_s=silence_s, call_s=call_s)).size("blob")
    until(lambda: rule.fired >= tries)
    assert rule.fired == tries


def test_all_calls_share_one_budget_of_tries(proxy: FaultProxy, far: BlobStore) -> None:
    rule = proxy.add(Fault.UNAVAILABLE, "^HEAD ")
    calls = 80
    for _ in range(calls):
        with pytest.raises(Missing, match="answers 503"):
            far.size("blob")
    assert rule.fired < 2 * calls < ATTEMPTS_MAX * calls


# A server that gives a byte now and then


@pytest.fixture
def dripping() -> Iterator[Callable[[bytes], str]]:
    """Serves an answer of which a byte comes every 20 ms, after what is given at once; gives the bucket's URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        beginning = b""

        def drip() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

        def answer(client: socket.socket) -> None:
            with client, suppress(OSError):
                client.recv(64 * 1024)
                client.sendall(beginning)
                while True:
                    client.sendall(b"x")
                    time.sleep(0.02)

        def url(at_once: bytes) -> str:
            nonlocal beginning
            beginning = at_once
            return f"s3://bucket?endpoint=http://127.0.0.1:{server.getsockname()[1]}"

        threading.Thread(target=drip, daemon=True).start()
        yield url
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "at_once",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 206 OK\r\nContent-Length: 1000\r\nContent-Range: bytes 0-999/1000\r\n\r\n",
    ],
    ids=["head", "body"],
)
@pytest.mark.parametrize("how", ["fetch", "open_range", "put"])
def test_a_server_that_drips_is_cut_off(
    dripping: Callable[[bytes], str], put: Put, tmp_path: Path, at_once: bytes, how: str
) -> None:
    patience = Patience(connect_s=1, silence_s=5, call_s=0.2)
    store = open_store(dripping(at_once), access_key_id="id", secret_access_key="secret", patience=patience)
    with pytest.raises(Missing):
        ask(store, how, put, tmp_path)
    assert not (tmp_path / "copy").exists()
