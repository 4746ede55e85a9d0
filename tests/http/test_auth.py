"""Where a change may come from, when a browser does not say of which site it is."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from bubbles.http.asgi import create_app
from bubbles.http.auth import origins


@pytest.mark.parametrize(
    ("public_url", "told"),
    [
        ("http://localhost:8000", {"http://localhost:8000", "http://127.0.0.1:8000"}),
        ("http://127.0.0.1", {"http://localhost", "http://127.0.0.1"}),
        ("https://B.example:443/under", {"https://b.example"}),
        ("https://b.example:8443", {"https://b.example:8443"}),
        ("http://[::1]", {"http://[::1]"}),
    ],
)
def test_an_address_has_the_origins_that_browsers_write(public_url: str, told: set[str]) -> None:
    assert origins(public_url) == told


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://bubbles.example", 303),
        ("https://evil.example", 403),
        ("http://bubbles.example", 403),
        ("https://bubbles.example.evil.example", 403),
        ("null", 403),
    ],
)
def test_without_sec_fetch_site_only_the_public_address_may_change(house: Any, origin: str, status: int) -> None:
    settings = house.settings.model_copy(update={"base_url": "https://bubbles.example"})
    client = TestClient(create_app(replace(house, settings=settings)), follow_redirects=False)
    host = origin.partition("://")[2] or "evil.example"
    assert client.post("/sign-out", headers={"Origin": origin, "Host": host}).status_code == status
