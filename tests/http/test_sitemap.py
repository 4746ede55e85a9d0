"""What crawlers are told."""

from xml.etree.ElementTree import fromstring

import pytest
from starlette.testclient import TestClient

from bubbles.http.asgi import create_app

BASE = "http://localhost:8000"


@pytest.fixture
def crawler(house):
    with TestClient(create_app(house)) as client:
        yield client


def test_the_sitemap_holds_what_is_listed_and_nothing_else(crawler, world, house):
    public = world.bubble()
    hidden = [world.bubble(visibility="unlisted"), world.bubble(visibility="private"), world.bubble(playable_at=None)]
    response = crawler.get("/sitemap.xml")
    urls = fromstring(response.content)  # noqa: S314 - we wrote it
    found = {url[0].text: [child.text for child in url[1:]] for url in urls}
    assert response.headers["content-type"] == "application/xml"
    assert [found[f"{BASE}{path}"] for path in ("/", "/map", "/walk")] == [[], [], []]
    assert found[f"{BASE}/b/{public.code}"] == ["2026-11-23T22:00:00Z"]
    assert not [each for each in hidden if f"{BASE}/b/{each.code}" in found]


def test_robots_find_the_sitemap_and_keep_out_of_searches(crawler):
    text = crawler.get("/robots.txt").text
    assert f"Sitemap: {BASE}/sitemap.xml" in text
    assert "Disallow: /search\n" in text
    assert not [line for line in text.splitlines() if line.startswith("Disallow") and "/media/".startswith(line[10:])]
