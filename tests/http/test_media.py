"""The rendition over HTTP: exact statuses and headers, and who may hear it."""

import shutil
from typing import Any

import pytest
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session
from starlette.testclient import TestClient

from bubbles.errors import Missing
from bubbles.model.rendition import MEDIA_TYPES, Rendition

CHUNKS = 3 * 64 * 1024 + 17


def path_of(bubble: Any, kind: str = "m4a") -> str:
    return f"/media/{bubble.code}.{kind}"


def get(client: TestClient, path: str, **headers: str) -> Response:
    return client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("kind", MEDIA_TYPES)
def test_the_whole(client: TestClient, world: Any, kind: str) -> None:
    path = path_of(world.bubble(length_bytes=CHUNKS), kind)
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content == world.sounds[path]
    assert answer.headers["content-type"] == MEDIA_TYPES[kind]
    assert answer.headers["content-length"] == str(CHUNKS)
    assert "content-range" not in answer.headers


def test_every_answer_says_what_the_sound_may_do(client: TestClient, world: Any) -> None:
    path = path_of(world.bubble(length_bytes=100))
    etag = client.get(path).headers["etag"]
    answers = [client.get(path), client.head(path), get(client, path, range="bytes=0-1")]
    answers += [get(client, path, range="bytes=100-"), get(client, path, if_none_match=etag)]
    assert [answer.status_code for answer in answers] == [200, 200, 206, 416, 304]
    for answer in answers:
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["etag"] == etag
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25)
@given(first=st.integers(0, CHUNKS), last=st.integers(0, CHUNKS + 9))
def test_one_range(client: TestClient, world: Any, first: int, last: int) -> None:
    path = next(iter(world.sounds), None) or path_of(world.bubble(length_bytes=CHUNKS))
    answer = get(client, path, range=f"bytes={first}-{last}")
    if last < first:
        assert answer.status_code == 200
        assert len(answer.content) == CHUNKS
    elif first == CHUNKS:
        assert answer.status_code == 416
    else:
        part = world.sounds[path][first : last + 1]
        assert answer.status_code == 206
        assert answer.content == part
        assert answer.headers["content-length"] == str(len(part))
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{CHUNKS}"


def test_a_suffix_and_an_open_end(client: TestClient, world: Any) -> None:
    path = path_of(world.bubble(length_bytes=100))
    assert get(client, path, range="bytes=-3").content == world.sounds[path][-3:]
    assert get(client, path, range="bytes=97-").content == world.sounds[path][-3:]
    assert get(client, path, range="bytes=-1000").headers["content-range"] == "bytes 0-99/100"


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_that_is_not_there(client: TestClient, world: Any, wanted: str) -> None:
    answer = get(client, path_of(world.bubble(length_bytes=100)), range=wanted)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */100"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5", "bytes=5-2", "lines=1-2", "bytes=x"])
def test_a_range_that_is_ignored(client: TestClient, world: Any, wanted: str) -> None:
    path = path_of(world.bubble(length_bytes=100))
    answer = get(client, path, range=wanted)
    assert (answer.status_code, answer.content) == (200, world.sounds[path])


def test_what_has_not_changed_is_not_sent_again(client: TestClient, world: Any) -> None:
    path = path_of(world.bubble(length_bytes=100))
    etag = client.get(path).headers["etag"]
    for held in (etag, "*", f"W/{etag}", f'"other", {etag}'):
        answer = get(client, path, if_none_match=held, range="bytes=0-1")
        assert (answer.status_code, answer.content) == (304, b"")
        assert "content-length" not in answer.headers
    assert get(client, path, if_none_match='"other"').status_code == 200


def test_the_tags_of_two_renditions_differ(client: TestClient, world: Any) -> None:
    bubble = world.bubble(length_bytes=100)
    assert len({client.get(path_of(bubble, kind)).headers["etag"] for kind in MEDIA_TYPES}) == len(MEDIA_TYPES)


def test_if_range(client: TestClient, world: Any) -> None:
    path = path_of(world.bubble(length_bytes=100))
    etag = client.get(path).headers["etag"]
    assert get(client, path, if_range=etag, range="bytes=0-1").status_code == 206
    for changed in ('"other"', f"W/{etag}", "Sun, 22 Nov 2026 10:00:00 GMT"):
        assert get(client, path, if_range=changed, range="bytes=0-1").status_code == 200
        assert get(client, path, if_range=changed, range="bytes=900-").status_code == 200


def test_if_match(client: TestClient, world: Any) -> None:
    path = path_of(world.bubble(length_bytes=100))
    etag = client.get(path).headers["etag"]
    assert get(client, path, if_match=etag).status_code == 200
    assert get(client, path, if_match="*").status_code == 200
    assert get(client, path, if_match=f'"other", W/{etag}').status_code == 412


def test_head_tells_of_the_whole_and_sends_nothing(client: TestClient, world: Any) -> None:
    path = path_of(world.bubble(length_bytes=100))
    whole = client.get(path)
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    for told in (answer, client.head(path, headers={"Range": "bytes=0-1"})):
        assert dict(told.headers) | {"x-request-id": ""} == dict(whole.headers) | {"x-request-id": ""}
    assert client.head(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


def test_other_methods_are_refused(client: TestClient, world: Any) -> None:
    assert client.post(path_of(world.bubble(length_bytes=100))).status_code == 405


# Who may hear it


@pytest.mark.parametrize(
    ("columns", "stranger", "team", "caching"),
    [
        ({}, 200, 200, "no-cache"),
        ({"visibility": "unlisted"}, 200, 200, "no-store"),
        ({"visibility": "private"}, 404, 200, "no-store"),
        ({"held_at": "now", "held_reason": "r"}, 404, 200, "no-store"),
        ({"refused_at": "now"}, 404, 200, "no-store"),
        ({"withdrawn_at": "now"}, 404, 200, "no-store"),
        ({"playable_at": None}, 404, 404, "no-store"),
    ],
)
def test_who_may_hear(
    client: TestClient, world: Any, clock: Any, *, columns: dict[str, Any], stranger: int, team: int, caching: str
) -> None:
    channel, owner = world.channel()
    values = {name: clock() if value == "now" else value for name, value in columns.items()}
    path = path_of(world.bubble(channel, length_bytes=100, **values))
    _, somebody = world.channel()
    assert client.get(path).status_code == client.head(path).status_code == stranger
    assert client.get(path, headers=somebody).status_code == stranger
    heard = client.get(path, headers=owner)
    assert heard.status_code == team
    assert heard.headers["cache-control"] == caching


def test_a_wrong_token_is_no_stranger(client: TestClient, world: Any) -> None:
    assert get(client, path_of(world.bubble()), authorization="Bearer wrong").status_code == 401


@pytest.mark.parametrize("name", ["{code}.wav", "{code}.flac", "AAAAAAAAAAAAAAAA.m4a", "..%2f{code}.m4a"])
def test_what_is_no_rendition_is_not_there(client: TestClient, world: Any, name: str) -> None:
    answer = client.get("/media/" + name.format(code=world.bubble(length_bytes=100).code))
    assert answer.status_code == 404


# A store that fails


def test_a_blob_that_is_absent_is_unavailable_and_no_broken_answer(client: TestClient, world: Any, house: Any) -> None:
    bubble = world.bubble(length_bytes=100)
    house.blobs.delete(f"renditions/{bubble.code}.m4a")
    for answer in (client.get(path_of(bubble)), client.head(path_of(bubble))):
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    assert client.get(path_of(bubble)).json()["code"] == "unavailable"


def test_a_store_that_is_away_is_unavailable(client: TestClient, world: Any, house: Any, tmp_path: Any) -> None:
    path = path_of(world.bubble(length_bytes=100))
    shutil.rmtree(tmp_path / "blobs")
    (tmp_path / "blobs").write_text("no folder")
    with pytest.raises(Missing):
        house.blobs.size("renditions/x")
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_a_blob_that_is_shorter_than_its_row_is_unavailable(client: TestClient, world: Any, house: Any) -> None:
    bubble = world.bubble(length_bytes=100)
    with house.database.transaction() as session:
        grow(session, bubble.id, 1000)
    assert get(client, path_of(bubble), range="bytes=500-").status_code == 503


def grow(session: Session, bubble_id: int, length_bytes: int) -> None:
    session.get_one(Rendition, (bubble_id, "m4a")).length_bytes = length_bytes
