"""A disk and a real S3 server; what is true of one store must be true of the other."""

import hashlib
import importlib.util
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from bubbles.blobs.address import open_store
from bubbles.blobs.moving import MovingStore
from bubbles.blobs.store import BlobStore, Stored
from tests.blobs.vendors import Vendor, serving

GUARDING = ["disk_store", "s3_store", "virtual_store", "moving_store", "former_store"]
"""Stores where of many writers of a key one wins."""


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def start_seaweed() -> Any:
    """The context manager of seaweed.py, for a test that needs a server of its own."""
    return _load(Path(__file__).with_name("seaweed.py")).seaweed


@pytest.fixture(scope="session")
def weed(start_seaweed: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The server that all tests share: a SeaweedS3."""
    with start_seaweed(tmp_path_factory.mktemp("weed")) as server:
        yield server


@pytest.fixture(scope="session")
def disk_store(tmp_path_factory: pytest.TempPathFactory) -> BlobStore:
    return open_store((tmp_path_factory.mktemp("disk") / "blobs").as_uri())


@pytest.fixture(scope="session")
def s3_store(weed: Any) -> BlobStore:
    return open_store(weed.url("some/prefix"), access_key_id=weed.access_key, secret_access_key=weed.secret_key)


@pytest.fixture(scope="session")
def virtual_store(weed: Any) -> Iterator[BlobStore]:
    """The same server, by a host's name that begins with the bucket."""
    resolve = socket.getaddrinfo

    def resolve_bucket(host: Any, *arguments: Any, **named: Any) -> Any:
        return resolve("127.0.0.1" if str(host).endswith(".weed.localhost") else host, *arguments, **named)

    url = weed.url("virtual").replace("127.0.0.1", "weed.localhost") + "&addressing=virtual"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve_bucket)
        yield open_store(url, access_key_id=weed.access_key, secret_access_key=weed.secret_key)


@pytest.fixture(scope="session")
def bare_store() -> Iterator[BlobStore]:
    """A vendor that refuses conditions and tells no checksums."""
    with serving(Vendor(conditional="501", checksums="ignored")) as vendor:
        yield open_store(vendor.url, access_key_id="id", secret_access_key="secret")


@pytest.fixture(scope="session")
def moving_store(weed: Any, tmp_path_factory: pytest.TempPathFactory) -> BlobStore:
    """From a disk to a bucket, with nothing on the disk."""
    after = open_store(weed.url("moving"), access_key_id=weed.access_key, secret_access_key=weed.secret_key)
    return MovingStore(after, open_store(tmp_path_factory.mktemp("before").as_uri()))


@pytest.fixture(scope="session")
def former_store(tmp_path_factory: pytest.TempPathFactory) -> BlobStore:
    """From a disk to a disk, with every blob on the former one."""

    class Former(MovingStore):
        def put(self, *arguments: Any, **named: Any) -> Stored:
            return self.before.put(*arguments, **named)

    after, before = (open_store(tmp_path_factory.mktemp(name).as_uri()) for name in ("after", "before"))
    return Former(after, before)


@pytest.fixture(scope="session", params=GUARDING)
def guarding_store(request: pytest.FixtureRequest) -> BlobStore:
    """Each store in turn that guards a key against many writers at once."""
    found: BlobStore = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session", params=[*GUARDING, "bare_store"])
def store(request: pytest.FixtureRequest) -> BlobStore:
    """Each store in turn."""
    found: BlobStore = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A key that no other test has."""
    return f"test/{hashlib.sha256(request.node.nodeid.encode()).hexdigest()}"


@pytest.fixture(scope="session")
def put(tmp_path_factory: pytest.TempPathFactory) -> Callable[[BlobStore, str, bytes], Stored]:
    """Put bytes by way of a file, as the journey does."""
    folder = tmp_path_factory.mktemp("sources")

    def put(store: BlobStore, key: str, content: bytes) -> Stored:
        source = folder / uuid4().hex  # puts may run at once
        source.write_bytes(content)
        return store.put(key, source, sha256=hashlib.sha256(content).hexdigest(), content_type="audio/mp4")

    return put
