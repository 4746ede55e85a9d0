"""What crawlers are told."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from bubbles.db import bubbles as bubble_rows
from bubbles.db import sitemap as rows
from bubbles.http import sitemap
from bubbles.http.asgi import create_app

BASE = "http://localhost:8000"
INDEX = "/sitemap.xml"


@pytest.fixture
def crawler(house: Any) -> Iterator[TestClient]:
    with house.database.transaction() as session:
        session.connection().execute(text("TRUNCATE sitemap_page"))
        session.connection().execute(text("UPDATE bubble SET visibility = 'private'"))
    with TestClient(create_app(house)) as client:
        yield client


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of three."""
    monkeypatch.setattr(rows, "PAGE_BUBBLES", 3)


def published(world: Any, clock: Any, count: int, **columns: Any) -> list[Any]:
    """Bubbles that came out a minute apart."""
    first = clock() - timedelta(days=1)
    channel, _ = world.channel()
    return [
        world.bubble(channel, length_bytes=9, playable_at=first + timedelta(minutes=each), **columns)
        for each in range(count)
    ]


def locations(client: TestClient, path: str, **headers: str) -> list[str]:
    response = client.get(path, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/xml")
    return [entry[0].text or "" for entry in fromstring(response.content)]  # noqa: S314 - we wrote it


def pages(client: TestClient) -> list[str]:
    """The pages' paths, as the index names them."""
    found = locations(client, INDEX)
    assert all(each.startswith(f"{BASE}/sitemaps/") for each in found)
    return [each.removeprefix(BASE) for each in found]


def codes(client: TestClient, path: str) -> list[str]:
    return [each.rpartition("/b/")[2] for each in locations(client, path) if "/b/" in each]


def later(clock: Any) -> None:
    """When nothing is kept any more."""
    clock.pass_s(sitemap.KEPT.total_seconds())


def test_the_sitemap_holds_what_is_listed_and_nothing_else(crawler, world):
    public = world.bubble()
    hidden = [world.bubble(visibility="unlisted"), world.bubble(visibility="private"), world.bubble(playable_at=None)]
    (path,) = pages(crawler)
    urls = fromstring(crawler.get(path).content)  # noqa: S314 - we wrote it
    found = {url[0].text: [child.text for child in url[1:]] for url in urls}
    assert [found[f"{BASE}{path}"] for path in ("/", "/map", "/walk")] == [[], [], []]
    assert found[f"{BASE}/b/{public.code}"] == ["2026-11-23T22:00:00Z"]
    assert not [each for each in hidden if f"{BASE}/b/{each.code}" in found]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("count", [0, 2, 3, 4, 10])
def test_all_that_is_listed_is_in_exactly_one_page(crawler, world, clock, count):
    there = [bubble.code for bubble in published(world, clock, count)]
    by_page = [codes(crawler, path) for path in pages(crawler)]
    assert [code for page in by_page for code in page] == there
    assert [len(page) for page in by_page[:-1]] == [3] * (len(by_page) - 1)


@pytest.mark.usefixtures("small")
def test_bubbles_of_one_moment_are_in_one_page_each(crawler, world, clock):
    there = {world.bubble(length_bytes=9, playable_at=clock()).code for _ in range(10)}
    listed = [code for path in pages(crawler) for code in codes(crawler, path)]
    assert (len(listed), set(listed)) == (10, there)


@pytest.mark.usefixtures("small")
def test_a_page_of_old_bubbles_stays_as_it_is(crawler, world, clock):
    published(world, clock, 4)
    old, *_ = pages(crawler)
    before = crawler.get(old)
    for _ in range(5):
        world.bubble(length_bytes=9, playable_at=clock())
    later(clock)
    assert len(pages(crawler)) == 3
    after = crawler.get(old)
    assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])


@pytest.mark.usefixtures("small")
def test_what_is_withdrawn_leaves_its_page_and_moves_no_other(crawler, world, clock, house):
    bubbles = published(world, clock, 7)
    first, second, third = pages(crawler)
    for page in (first, second, third):
        codes(crawler, page)
    with house.database.transaction() as session:
        bubble_rows.lock(session, bubbles[3].id).withdrawn_at = clock()
    clock.pass_s(sitemap.KEPT.total_seconds() - 1)
    assert bubbles[3].code in codes(crawler, second)  # as it was kept
    clock.pass_s(1)
    expected = [bubbles[:3], bubbles[4:6], bubbles[6:]]
    assert [codes(crawler, page) for page in (first, second, third)] == [
        [each.code for each in part] for part in expected
    ]
    assert pages(crawler) == [first, second, third]


@pytest.mark.usefixtures("small")
def test_what_is_shown_late_comes_into_its_page(crawler, world, clock, house):
    bubbles = published(world, clock, 7)
    with house.database.transaction() as session:
        bubble_rows.lock(session, bubbles[1].id).held_at = clock()
    assert bubbles[1].code not in [code for page in pages(crawler) for code in codes(crawler, page)]
    with house.database.transaction() as session:
        bubble_rows.lock(session, bubbles[1].id).held_at = None
    later(clock)
    assert [code for page in pages(crawler) for code in codes(crawler, page)] == [bubble.code for bubble in bubbles]


@pytest.mark.usefixtures("small")
def test_a_house_with_many_pages_to_begin_begins_some_at_a_time(crawler, world, clock, monkeypatch):
    monkeypatch.setattr(rows, "BEGUN_AT_ONCE", 2)
    there = [bubble.code for bubble in published(world, clock, 14)]
    assert [len(pages(crawler)) for _ in range(3)] == [3, 5, 5]
    assert [code for page in pages(crawler) for code in codes(crawler, page)] == there


@pytest.mark.usefixtures("small")
def test_machines_agree_where_pages_begin(crawler, world, clock, house):
    published(world, clock, 7)
    with TestClient(create_app(house)) as other:
        assert pages(other) == pages(crawler)
        assert [codes(other, page) for page in pages(other)] == [codes(crawler, page) for page in pages(crawler)]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the pages that were made."""
    numbers: list[int] = []
    bubbles_of = rows.bubbles_of
    monkeypatch.setattr(
        rows, "bubbles_of", lambda session, number: (numbers.append(number), bubbles_of(session, number))[1]
    )
    return numbers


def test_who_has_a_page_is_told_so_without_its_being_made_again(crawler, world, clock, made):
    published(world, clock, 3)
    etag = crawler.get("/sitemaps/1.xml").headers["etag"]
    for path, name in (("/sitemaps/1.xml", etag), (INDEX, crawler.get(INDEX).headers["etag"])):
        answer = crawler.get(path, headers={"If-None-Match": name})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", name)
    assert made == [1]


def test_no_more_pages_are_kept_than_there_is_room_for(crawler, world, clock, made, monkeypatch):
    monkeypatch.setattr(crawler.app.state.sitemaps, "_bodies_max", 1)
    published(world, clock, 3)
    etag = crawler.get("/sitemaps/1.xml").headers["etag"]
    crawler.get(INDEX)  # takes the one place
    assert crawler.get("/sitemaps/1.xml", headers={"If-None-Match": etag}).status_code == 304
    assert made == [1, 1]


def test_a_page_is_kept_for_a_while_and_made_anew_after_it(crawler, world, clock, made):
    published(world, clock, 1)
    for _ in range(3):
        crawler.get("/sitemaps/1.xml")
    assert made == [1]
    later(clock)
    etag = crawler.get("/sitemaps/1.xml").headers["etag"]
    later(clock)
    assert crawler.get("/sitemaps/1.xml", headers={"If-None-Match": etag}).status_code == 304
    assert made == [1, 1, 1]


def test_a_crowd_that_asks_for_a_page_has_it_made_once(crawler, world, clock, made):
    published(world, clock, 1)
    stock, portal = crawler.app.state.sitemaps, crawler.portal
    stock._making.acquire()
    asking = [portal.start_task_soon(lambda: _asked(crawler.app)) for _ in range(3)]
    stock._making.release()
    assert [each.result() for each in asking] == [200] * 3
    assert made == [1]


async def _asked(app: Any) -> int:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return (await client.get("/sitemaps/1.xml")).status_code


def test_it_is_sent_compressed_to_who_takes_that_and_plain_to_others(crawler, world, clock):
    published(world, clock, 1)
    with crawler.stream("GET", "/sitemaps/1.xml", headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        unpacked = gzip.decompress(b"".join(packed.iter_raw()))
    plain = crawler.get("/sitemaps/1.xml", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == unpacked
    assert "Accept-Encoding" in plain.headers["vary"]


@pytest.mark.parametrize("number", ["0", "2", "01", "-1", "1e1", "99999999999999999999", "%00", "٣", "a"])
def test_there_is_no_such_page(crawler, number):
    assert crawler.get(f"/sitemaps/{number}.xml").status_code == 404


def test_an_address_is_escaped(house, world, clock):
    settings = house.settings.model_copy(update={"base_url": "https://bubbles.example/a&b<c"})
    with TestClient(create_app(replace(house, settings=settings))) as client:
        for path in (INDEX, "/sitemaps/1.xml"):
            assert locations(client, path)[0].startswith("https://bubbles.example/a&b<c/")


def test_robots_find_the_sitemap_and_keep_out_of_searches(crawler):
    text = crawler.get("/robots.txt").text
    assert f"Sitemap: {BASE}/sitemap.xml" in text
    assert "Disallow: /search\n" in text
    assert not [line for line in text.splitlines() if line.startswith("Disallow") and "/media/".startswith(line[10:])]
