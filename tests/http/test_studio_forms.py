"""The studio's forms: they change what was meant, and lose nothing that was typed."""

import re
from typing import Any

from starlette.testclient import TestClient

from bubbles.app import House
from bubbles.db import bubbles, steps
from bubbles.model.place import Precision
from bubbles.model.step import StepName
from tests.http.conftest import MONDAY_22
from tests.http.studio_author import Author, about, author_of


def test_a_form_changes_what_is_kept_and_leaves_the_rest(author: Author) -> None:
    bubble = author.bubble(tags=["one"], words=None)
    path = f"/studio/bubbles/{bubble.code}"
    changes = {"title": "Evening", "tags": "two, #Three", "visibility": "unlisted", "licence": "CC-BY-4.0"}
    answer = author.send(path, **about(bubble, **changes))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=saved")
    told = author.now(bubble)
    assert (told["title"], told["tags"], told["visibility"]) == ("Evening", ["two", "three"], "unlisted")
    assert (told["licence"], told["place"]["precision"]) == ("CC-BY-4.0", "neighbourhood")
    assert (bubble.latitude, bubble.longitude) == (told["place"]["latitude"], told["place"]["longitude"])
    assert "Saved." in author.see(answer.headers["location"]).text


def test_a_tag_with_a_comma_is_split_only_by_who_changes_the_tags(author: Author) -> None:
    bubble = author.bubble(tags=["paris, france"], words=None)
    path = f"/studio/bubbles/{bubble.code}"
    author.send(path, **about(bubble, title="Evening", tags="paris, france"))
    assert author.now(bubble)["tags"] == ["paris, france"]
    author.send(path, **about(bubble, tags="paris, france, seine", version=str(bubble.version + 1)))
    assert author.now(bubble)["tags"] == ["paris", "france", "seine"]


def test_a_coarser_place_needs_nothing_and_a_finer_one_a_point(author: Author) -> None:
    bubble = author.bubble()
    path = f"/studio/bubbles/{bubble.code}"
    refused = author.send(path, **about(bubble, precision="street", title="Typed"))
    assert refused.status_code == 422
    assert "needs a new point" in refused.text
    assert 'value="Typed"' in refused.text
    assert author.send(path, **about(bubble, precision="town")).status_code == 303
    assert author.now(bubble)["place"]["precision"] == Precision.TOWN
    point = {"latitude": "48.8566", "longitude": "2.3522", "precision": "exact"}
    assert author.send(path, **about(bubble, version="2", **point)).status_code == 303
    assert author.now(bubble)["place"]["latitude"] == 48.8566
    assert author.send(path, **about(bubble, version="3", precision="none")).status_code == 303
    assert author.now(bubble)["place"] is None


def test_a_bubble_without_a_place_stays_without_one_until_a_point_is_typed(author: Author) -> None:
    bubble = author.bubble(place=None)
    path = f"/studio/bubbles/{bubble.code}"
    chosen = {"precision": "neighbourhood", "role": "recorded"}
    assert author.send(path, **about(bubble, **chosen)).status_code == 303
    assert author.now(bubble)["place"] is None
    assert author.send(path, **about(bubble, version="2", latitude="1", longitude="x")).status_code == 422
    assert author.send(path, **about(bubble, version="2", latitude="1")).status_code == 422


def test_who_comes_second_is_told_and_finds_what_they_typed(author: Author) -> None:
    bubble = author.bubble()
    path = f"/studio/bubbles/{bubble.code}"
    assert author.send(path, **about(bubble, title="First")).status_code == 303
    second = author.send(path, **about(bubble, title="Second", tags="mine"))
    assert second.status_code == 409
    assert second.headers["cache-control"] == "no-store"
    for expected in ("Somebody changed this bubble", 'value="Second"', 'value="mine"', "<bdi>First</bdi>"):
        assert expected in second.text
    assert author.now(bubble)["title"] == "First"
    (version,) = set(re.findall(r'name="version" value="(\d+)"', second.text))
    assert author.send(path, **about(bubble, title="Second", version=version)).status_code == 303
    assert author.now(bubble)["title"] == "Second"


def test_nothing_is_withdrawn_until_that_is_confirmed(author: Author, house: House) -> None:
    bubble = author.bubble(title="Mine")
    path = f"/studio/bubbles/{bubble.code}/withdraw"
    asked = author.send(path, reason="Too loud")
    assert asked.status_code == 422
    assert "Tick the box" in asked.text
    assert author.now(bubble)["state"] == "ready"
    answer = author.send(path, reason="Too loud", sure="yes")
    assert (answer.status_code, answer.headers["location"]) == (303, "/studio?shelf=withdrawn")
    assert author.now(bubble)["withdrawn_reason"] == "Too loud"
    with house.database.transaction() as session:
        assert bubbles.transcript(session, bubble.id) is None
    gone = author.see(f"/studio/bubbles/{bubble.code}").text
    assert "Too loud" in gone
    assert "<textarea" not in gone


def test_no_other_site_changes_a_bubble(author: Author) -> None:
    bubble = author.bubble()
    headers = author.known | {"Sec-Fetch-Site": "cross-site"}
    path = f"/studio/bubbles/{bubble.code}"
    for target, fields in ((path, about(bubble, title="Taken")), (f"{path}/withdraw", {"sure": "yes"})):
        assert author.client.post(target, data=fields, headers=headers, follow_redirects=False).status_code == 403
    assert author.now(bubble)["title"] == "Market day"


def test_a_bubble_that_failed_is_tried_again_at_a_press(author: Author, house: House) -> None:
    failed = author.failed()
    with house.database.transaction() as session:
        bubbles.lock(session, failed.id).recording_key = "recordings/a/b"
        steps.enqueue(session, failed.id, StepName.NORMALISE, MONDAY_22)
        step = steps.begin(session, failed.id, StepName.NORMALISE, MONDAY_22)
        session.flush()
        steps.give_up(session, step, now=MONDAY_22, error="died_too_often")
    path = f"/studio/bubbles/{failed.code}"
    assert f'action="{path}/retry"' in author.see(path).text
    answer = author.send(f"{path}/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=again")
    told = author.see(f"{path}?done=again").text
    assert "It is being tried again." in told
    assert f'action="{path}/retry"' not in told
    assert author.now(failed)["state"] == "processing"
    assert author.send(f"{path}/retry").status_code == 409


def test_nobody_else_has_a_bubble_tried_again(author: Author, client: TestClient, world: Any, house: House) -> None:
    failed, other = author.failed(), author_of(client, world, house)
    assert other.send(f"/studio/bubbles/{failed.code}/retry").status_code == 404
