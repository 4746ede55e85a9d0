"""`If-Match` and `ETag` of a bubble: nobody's change is lost, and strangers learn nothing of edits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from bubbles.db import bubbles, steps
from bubbles.model.step import StepName

Change = Callable[[TestClient, str, dict[str, str]], Response]
CHANGES: dict[str, Change] = {
    "patch": lambda client, path, headers: client.patch(path, json={"title": "Two"}, headers=headers),
    "correct": lambda client, path, headers: client.put(f"{path}/transcript", json={"cues": []}, headers=headers),
    "withdraw": lambda client, path, headers: client.delete(path, headers=headers),
}
each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


@dataclass
class Posted:
    """A bubble, its owner's headers, and the tag it had before and has since its last edit."""

    path: str
    owner: dict[str, str]
    stale: str
    current: str


@pytest.fixture
def posted(client: TestClient, world: Any) -> Posted:
    channel, owner = world.channel()
    path = f"/api/bubbles/{world.bubble(channel, length_bytes=9).code}"
    stale = client.get(path, headers=owner).headers["etag"]
    current = client.patch(path, json={"title": "One"}, headers=owner).headers["etag"]
    return Posted(path, owner, stale, current)


@each_change
def test_a_stale_tag_is_a_conflict_and_changes_nothing(client: TestClient, posted: Posted, change: Change) -> None:
    before = client.get(posted.path, headers=posted.owner).json()
    for tags in (posted.stale, f'{posted.stale}, "x"', f"W/{posted.current}", "v2", '"v99999999999"', ""):
        answer = change(client, posted.path, posted.owner | {"If-Match": tags})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict"), tags
    assert client.get(posted.path, headers=posted.owner).json() == before


@each_change
def test_a_list_that_holds_the_current_tag_passes(client: TestClient, posted: Posted, change: Change) -> None:
    answer = change(client, posted.path, posted.owner | {"If-Match": f'{posted.stale} ,"x",{posted.current}'})
    assert answer.status_code in {200, 204}


@each_change
def test_a_star_passes(client: TestClient, posted: Posted, change: Change) -> None:
    assert change(client, posted.path, posted.owner | {"If-Match": "*"}).status_code in {200, 204}


def test_a_strangers_tag_names_what_they_read_and_no_edit(client: TestClient, posted: Posted, world: Any) -> None:
    _, somebody = world.channel()
    tag = client.get(posted.path).headers["etag"]
    assert tag.startswith('W/"')
    for _ in range(2):  # there and back again
        client.patch(posted.path, json={"title": "Other"}, headers=posted.owner)
        assert client.get(posted.path).headers["etag"] != tag
        client.patch(posted.path, json={"title": "One"}, headers=posted.owner)
        assert client.get(posted.path, headers=somebody).headers["etag"] == tag
    again = client.get(posted.path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["access-control-allow-origin"]) == (304, b"", "*")


def test_a_strangers_tag_follows_the_words_that_come(
    client: TestClient, posted: Posted, house: Any, clock: Any
) -> None:
    tag = client.get(posted.path).headers["etag"]
    with house.database.transaction() as session:
        row, _ = bubbles.by_code(session, posted.path.rpartition("/")[2], account_id=None) or (None, None)
        assert row
        steps.enqueue(session, row.id, StepName.TRANSCRIBE, clock())
    assert client.get(posted.path).headers["etag"] != tag
