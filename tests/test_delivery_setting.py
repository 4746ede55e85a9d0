"""Who sends the sound is set so that it can work, or the start says why it cannot."""

import pytest
from pydantic import ValidationError

from bubbles.config import Settings


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"media_delivery": "redirect"}, "redirect needs a bucket in BUBBLES_BLOB_URL"),
        ({"media_delivery": "redirect", "blob_url": "file:///srv/blobs"}, "redirect needs a bucket"),
        ({"media_delivery": "nginx"}, "nginx needs BUBBLES_TRUSTED_PROXIES"),
        ({"media_delivery": "carrier-pigeon"}, "Input should be 'app', 'redirect' or 'nginx'"),
    ],
)
def test_a_way_that_cannot_work_is_refused_by_name(settings: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        Settings(**settings)
    assert refused.value.errors()[0]["loc"] == ("media_delivery",)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"media_delivery": "redirect", "blob_url": "s3://bubbles"},
        {"media_delivery": "nginx", "trusted_proxies": "127.0.0.1"},
        {"media_delivery": "nginx", "trusted_proxies": "127.0.0.1", "blob_url": "s3://bubbles"},
    ],
)
def test_a_way_that_can_work_is_taken(settings: dict[str, str]) -> None:
    assert Settings(**settings).media_delivery == settings.get("media_delivery", "app")
