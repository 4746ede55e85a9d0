"""No request meets a connection that the service is about to close."""

import re
from typing import Any

import httpx
import pytest

from bubbles import serve
from bubbles.app import House
from bubbles.config import Settings
from tests.conftest import CHECKOUT

UPSTREAMS = ("nginx/upstreams.conf", "kubernetes/upstreams.conf", "compose.yaml")


@pytest.mark.parametrize("file", UPSTREAMS)
def test_the_shipped_proxy_lets_go_first(file: str) -> None:
    found = re.search(r"keepalive_timeout (\d+)s;", (CHECKOUT / "infra" / file).read_text())
    assert found
    assert int(found[1]) < serve.KEEP_ALIVE_S


def test_a_client_lets_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "create_app", lambda _: None)
    house = House(Settings(), None, None, None)  # type: ignore[arg-type]  # nothing of it is asked
    kept_s = serve.configuration(house).timeout_keep_alive
    with httpx.Client() as client:
        pool: Any = client._transport
        assert pool._pool._keepalive_expiry < kept_s
