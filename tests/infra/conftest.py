"""A real service on real sockets, and the shipped nginx in front of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from bubbles import serve
from bubbles.app import House, store
from bubbles.config import Settings
from bubbles.db.engine import Database
from tests.blobs.seaweed import SeaweedS3, seaweed
from tests.http.conftest import FIREFOX, Clock, World
from tests.infra.proxy import Proxy, nginx
from tests.wheel.wheels import built, installed

__all__ = ["built", "installed"]

STOP_S = 20


@dataclass
class Site:
    """A house that is open to the network: directly at `port`, and through `proxy` where there is one."""

    house: House
    world: World
    port: int
    proxy: Proxy | None = None

    @cached_property
    def client(self) -> httpx.Client:
        """A listener with a browser, who comes through the proxy where there is one."""
        url = self.proxy.url if self.proxy else f"http://127.0.0.1:{self.port}"
        return httpx.Client(base_url=url, headers={"User-Agent": FIREFOX}, timeout=60, follow_redirects=True)


@contextmanager
def listening(house: House) -> Iterator[int]:
    """A server of the house, as `serve` sets it up; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(serve.configuration(house))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(STOP_S)


@contextmanager
def site(database: Database, folder: Path, *, weed: SeaweedS3 | None, behind: bool, **settings: Any) -> Iterator[Site]:
    """A house with its store on a disk or in the bucket of `weed`, `behind` nginx or bare."""
    if weed:
        prefix = f"site-{folder.name}"
        keys = {"s3_access_key_id": weed.access_key, "s3_secret_access_key": weed.secret_key}
        settings |= keys | {"blob_url": weed.url(prefix)}
    made = Settings(data_dir=folder, trusted_proxies="127.0.0.1", **settings)
    house = House(made, database, store(made), transcriber=None, now=Clock())  # type: ignore[arg-type] # nobody speaks
    with ExitStack() as stack:
        port = stack.enter_context(listening(house))
        found = Site(house, World(house, folder), port)
        if behind:
            bucket = weed.endpoint.removeprefix("http://") if weed else ""
            blobs_folder = folder / "blobs"
            found.proxy = stack.enter_context(
                nginx(folder / "proxy", application=port, blobs=blobs_folder, bucket=bucket)
            )
        stack.enter_context(found.client)
        yield found


@pytest.fixture(scope="module")
def there(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site behind nginx."""
    with site(database, tmp_path_factory.mktemp("site"), weed=None, behind=True) as found:
        yield found


@pytest.fixture(scope="package")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedS3]:
    with seaweed(tmp_path_factory.mktemp("weed")) as server:
        yield server
