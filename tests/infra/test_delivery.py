"""Whoever sends the sound: exact HTTP, the same judgement, and what is counted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlmodel import select

from bubbles.db.engine import Database
from bubbles.model.listening import Served
from bubbles.model.rendition import MEDIA_TYPES
from tests.infra.conftest import Site, site
from tests.journey.service import wait_for

LENGTH_BYTES = 150_000
OURS = ("bare", "app", "nginx-disk", "nginx-bucket")
"""Ways in which the whole answer is ours, whoever sends the bytes; by a redirect it is the bucket's."""

WAYS = (*OURS, "redirect")
ours = pytest.mark.parametrize("way", OURS, scope="module")


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def there(way: str, database: Database, request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site for each way of delivery; `bare` has no proxy."""
    weed = request.getfixturevalue("weed") if way in {"redirect", "nginx-bucket"} else None
    delivery = {"bare": "app"}.get(way, way.partition("-")[0])
    folder = tmp_path_factory.mktemp(way)
    with site(database, folder, weed=weed, behind=way != "bare", media_delivery=delivery) as found:
        yield found


@pytest.fixture
def sound(there: Site) -> tuple[str, bytes]:
    """The path of a sound, and its bytes."""
    path = f"/media/{there.world.bubble(length_bytes=LENGTH_BYTES).code}.m4a"
    return path, there.world.sounds[path]


def get(there: Site, path: str, **headers: str) -> httpx.Response:
    return there.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_the_whole(there: Site) -> None:
    bubble = there.world.bubble(length_bytes=LENGTH_BYTES)
    for kind, media_type in MEDIA_TYPES.items():
        path = f"/media/{bubble.code}.{kind}"
        answer = get(there, path)
        assert (answer.status_code, answer.content) == (200, there.world.sounds[path])
        assert answer.headers["content-type"] == media_type
        assert answer.headers["content-length"] == str(LENGTH_BYTES)
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers.get_list("cache-control", split_commas=True) == ["no-cache"]
        assert "content-range" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-1", 0, 1),
        ("bytes=70000-139999", 70_000, 139_999),
        ("bytes=149999-", 149_999, 149_999),
        ("bytes=149000-999999", 149_000, 149_999),
        ("bytes=-3", 149_997, 149_999),
        ("bytes=-999999", 0, 149_999),
    ],
)
def test_a_range(there: Site, sound: tuple[str, bytes], asked: str, first: int, last: int) -> None:
    path, whole = sound
    answer = get(there, path, range=asked)
    assert (answer.status_code, answer.content) == (206, whole[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{LENGTH_BYTES}"
    assert answer.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=150000-", "bytes=150000-150010"])
def test_a_range_that_is_not_there(there: Site, way: str, sound: tuple[str, bytes], asked: str) -> None:
    answer = get(there, sound[0], range=asked)
    assert answer.status_code == 416
    if way != "redirect":  # what a bucket says beside the status is its own
        assert answer.headers["content-range"] == f"bytes */{LENGTH_BYTES}"
        assert answer.headers["content-type"] == "application/problem+json"


@ours
@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=5-2", "lines=1-2", "bytes=x"])
def test_a_range_that_is_ignored(there: Site, sound: tuple[str, bytes], asked: str) -> None:
    answer = get(there, sound[0], range=asked)
    assert (answer.status_code, answer.content) == (200, sound[1])


def test_what_is_held_is_not_sent_again(there: Site, sound: tuple[str, bytes]) -> None:
    path, whole = sound
    etag = get(there, path).headers["etag"]
    assert etag.startswith('"')
    answer = get(there, path, if_none_match=etag)
    assert (answer.status_code, answer.content) == (304, b"")
    other = get(there, path, if_none_match='"other"')
    assert (other.status_code, other.content) == (200, whole)
    ranged = get(there, path, if_none_match='"other"', range="bytes=5-9")
    assert (ranged.status_code, ranged.content) == (206, whole[5:10])


def test_a_range_of_what_has_not_changed(there: Site, way: str, sound: tuple[str, bytes]) -> None:
    path, whole = sound
    etag = get(there, path).headers["etag"]
    if way != "redirect":  # a bucket may ignore If-Range: its keys never hold other bytes
        for changed in ('"other"', f"W/{etag}", "Sun, 22 Nov 2026 10:00:00 GMT"):
            assert get(there, path, if_range=changed, range="bytes=0-1").content == whole
    same = get(there, path, if_range=etag, range="bytes=0-1")
    assert (same.status_code, same.content) == (206, whole[:2])


def test_conditions_on_a_date_or_a_match(there: Site, way: str, sound: tuple[str, bytes]) -> None:
    path, whole = sound
    etag = get(there, path).headers["etag"]
    assert get(there, path, if_match=etag).content == whole
    assert get(there, path, if_match='"other"').status_code == 412
    if way != "redirect":
        assert "last-modified" not in get(there, path).headers
        for name in ("if_modified_since", "if_unmodified_since"):
            for day in ("Sun, 22 Nov 2015 10:00:00 GMT", "Mon, 22 Nov 2027 10:00:00 GMT"):
                assert get(there, path, **{name: day}).content == whole


def test_head_tells_what_get_would(there: Site, sound: tuple[str, bytes]) -> None:
    path, _ = sound
    whole, head = get(there, path), there.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "accept-ranges", "cache-control"):
        assert head.headers[name] == whole.headers[name]


@ours
def test_the_answer_says_what_the_sound_may_do(there: Site, sound: tuple[str, bytes]) -> None:
    for answer in (get(there, sound[0]), get(there, sound[0], range="bytes=0-1")):
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]
        told = {name.lower() for name in answer.headers}
        assert not {name for name in told if name.startswith(("x-amz", "x-accel", "access-control"))}


def test_who_may_not_hear_is_sent_nothing(there: Site) -> None:
    channel, owner = there.world.channel()
    bubble = there.world.bubble(channel, length_bytes=LENGTH_BYTES, visibility="private")
    path = f"/media/{bubble.code}.m4a"
    refused = there.client.get(path)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert not refused.history
    heard = there.client.get(path, headers=owner)
    assert (heard.status_code, heard.content) == (200, there.world.sounds[path])
    assert heard.headers["cache-control"] == "no-store"
    assert not heard.history  # a link would outlive the owner's place in the team


def test_a_blob_that_is_gone_is_unavailable(there: Site, way: str) -> None:
    bubble = there.world.bubble(length_bytes=LENGTH_BYTES)
    there.house.blobs.delete(f"renditions/{bubble.code}.m4a")
    answer = get(there, f"/media/{bubble.code}.m4a")
    if way == "redirect":
        assert answer.status_code == 404  # the bucket's
        return
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"]


# What is counted


def test_what_was_asked_for_is_counted(there: Site) -> None:
    bubble = there.world.bubble(length_bytes=LENGTH_BYTES)
    path = f"/media/{bubble.code}.m4a"
    there.client.head(path)
    for span in ("bytes=0-1", "bytes=500-599", "bytes=550-699", "bytes=900000-"):
        get(there, path, range=span)
    get(there, path, if_none_match=get(there, path, range="bytes=149999-").headers["etag"])
    wanted = [(4, [(0, 2), (500, 700), (149_999, 150_000)])]
    wait_for(lambda: served(there, bubble) == wanted)


def served(there: Site, bubble: Any) -> list[tuple[int, list[tuple[int, int]]]]:
    """`(requests, [(start, stop)])` of each visitor."""
    with there.house.database.transaction() as session:
        rows = session.exec(select(Served).where(Served.bubble_id == bubble.id)).all()
        return [(row.requests, [(part.lower, part.upper) for part in row.ranges]) for row in rows]


# What each way has of its own


@pytest.mark.parametrize("way", ["redirect"], scope="module")
def test_a_link_is_over_within_a_minute_and_nobody_keeps_it(there: Site, sound: tuple[str, bytes]) -> None:
    for method in ("GET", "HEAD"):
        led = there.client.request(method, sound[0], follow_redirects=False)
        assert led.status_code == 302
        assert led.headers["cache-control"] == "no-store"
        assert led.headers["referrer-policy"] == "no-referrer"
        link = parse_qs(urlsplit(led.headers["location"]).query)
        assert 0 < int(link["X-Amz-Expires"][0]) <= 60
        other = led.headers["location"].replace("renditions", "recordings")
        assert httpx.request(method, other, timeout=60).status_code == 403


def test_pages_let_the_sound_in(there: Site, way: str) -> None:
    bubble = there.world.bubble(length_bytes=1000)
    for path in (f"/b/{bubble.code}", f"/b/{bubble.code}/embed", "/map"):
        policy = dict(
            directive.strip().split(" ", 1)
            for directive in there.client.get(path).headers["content-security-policy"].split(";")
        )
        sources = policy["media-src"].split()
        link = there.client.get(f"/media/{bubble.code}.ogg").url
        origin = f"{link.scheme}://{link.netloc.decode()}"
        assert sources == (["'self'", origin] if way == "redirect" else ["'self'"])


@pytest.mark.parametrize("way", ["nginx-disk", "nginx-bucket"], scope="module")
def test_nobody_outside_reaches_what_nginx_has(there: Site, sound: tuple[str, bytes]) -> None:
    key = sound[0].replace("/media/", "renditions/")
    paths = (f"/_bubbles/disk/{key}", f"/_bubbles/bucket/bubbles-test/{key}", "/_bubbles/", f"//_bubbles/disk/{key}")
    for path in paths:
        assert there.client.get(path).status_code == 404
    # A stranger who comes without nginx is sent the bytes by ourselves, and is told no path or link.
    bare = httpx.get(f"http://127.0.0.1:{there.port}{sound[0]}", timeout=60)
    assert bare.content == sound[1]
    assert "x-accel-redirect" not in bare.headers


@pytest.mark.parametrize("way", ["nginx-disk"], scope="module")
def test_only_our_proxy_is_handed_a_path(there: Site, sound: tuple[str, bytes], tmp_path: Path) -> None:
    says_so = {"X-Sendfile-Type": "X-Accel-Redirect"}
    handed = httpx.get(f"http://127.0.0.1:{there.port}{sound[0]}", headers=says_so, timeout=60)
    assert handed.headers["x-accel-redirect"].startswith("/_bubbles/disk/renditions/")
    there.house.settings.trusted_proxies = "192.0.2.1"
    try:
        kept = httpx.get(f"http://127.0.0.1:{there.port}{sound[0]}", headers=says_so, timeout=60)
    finally:
        there.house.settings.trusted_proxies = "127.0.0.1"
    assert kept.content == sound[1]
    assert "x-accel-redirect" not in kept.headers


def test_the_method_page_says_which_downloads_are_counted(there: Site, way: str) -> None:
    page = there.client.get("/method").text
    assert ("really sent" in page) == (way in {"bare", "app"})
    assert ("asked for" in page) == (way not in {"bare", "app"})
