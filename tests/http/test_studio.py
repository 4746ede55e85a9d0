"""The studio: everything of one's own and nothing of others', and forms that lose nothing that was typed."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import Response
from starlette.testclient import TestClient

from bubbles.app import House
from bubbles.db import bubbles, steps
from bubbles.model.channel import Membership, Role
from bubbles.model.place import Precision
from bubbles.model.step import StepName
from tests.http.conftest import MONDAY_22
from tests.http.pages_fixtures import BROWSER
from tests.http.studio_author import Author, about, author_of

SHELVES = {
    "prepared": {"playable_at": None},
    "on_air": {},
    "closed": {"visibility": "unlisted"},
    "held": {"held_at": MONDAY_22, "held_reason": "Somebody complained"},
    "refused": {"playable_at": None, "refused_at": MONDAY_22, "refused_reason": "silent"},
    "failed": {"playable_at": None, "failed_at": MONDAY_22},
    "withdrawn": {"withdrawn_at": MONDAY_22, "withdrawn_reason": "Too loud"},
}


@pytest.fixture
def author(client: TestClient, world: Any, house: House) -> Author:
    return author_of(client, world, house)


def codes(page: Response) -> list[str]:
    return re.findall(r'<bubble-player code="([^"]+)"', page.text)


def test_a_stranger_is_led_to_sign_in_and_back(client: TestClient, author: Author) -> None:
    path = f"/studio/bubbles/{author.bubble().code}"
    for asked in ("/studio", "/studio?shelf=held&channel=a", path):
        answer = client.get(asked, headers=BROWSER, follow_redirects=False)
        to = urlsplit(answer.headers["location"])
        assert (answer.status_code, to.path, parse_qs(to.query)) == (303, "/sign-in", {"next": [asked]})
        assert answer.headers["cache-control"] == "no-store"


def test_who_has_nothing_yet_is_led_to_the_recorder(author: Author) -> None:
    page = author.see()
    assert page.headers["cache-control"] == "no-store"
    assert 'href="/record"' in page.text
    assert "shelf" not in page.text


@pytest.mark.parametrize("shelf", SHELVES)
def test_each_bubble_lies_on_the_shelf_of_its_state(author: Author, shelf: str) -> None:
    made = {name: author.bubble(title=f"Lying {name}", **columns) for name, columns in SHELVES.items()}
    told = author.see(f"/studio?shelf={shelf}").text
    for name in made:
        assert (f"Lying {name}" in told) == (name == shelf)
        assert re.search(rf'class="shelf-{name}".*?<span class="count">1</span>', told)
    assert re.search(r'class="shelf-all".*?<span class="count">6</span>', told)


@pytest.mark.parametrize(
    ("shelf", "reason"),
    [
        ("held", "Somebody complained"),
        ("refused", "Nothing can be heard"),
        ("failed", "Record it again"),
        ("withdrawn", "Too loud"),
    ],
)
def test_why_a_bubble_is_not_heard_is_told(author: Author, shelf: str, reason: str) -> None:
    author.bubble(**SHELVES[shelf])
    assert reason in author.see(f"/studio?shelf={shelf}").text


def test_what_words_wait_for_is_told(author: Author) -> None:
    author.bubble(words=None, step={"waiting_for": "model"})
    assert "speech model is missing" in author.see().text


@pytest.mark.parametrize(
    ("columns", "step", "says"),
    [
        (SHELVES["failed"], {"name": "normalise", "error": "spoiled"}, "what the store keeps of it is damaged"),
        (SHELVES["failed"], {"name": "normalise", "error": "ValueError"}, "nothing playable could be made of it"),
        ({"words": None}, {"error": "spoiled"}, "the sound that is kept is damaged"),
    ],
)
def test_what_was_given_up_for_spoiled_sound_says_so(author: Author, columns: Any, step: Any, says: str) -> None:
    author.bubble(**columns, step=step | {"gave_up_at": MONDAY_22})
    assert says in author.see().text


def test_who_is_ahead_is_not_told_of_what_waits_for_a_part(author: Author, house: House, clock: Any) -> None:
    first, second = (author.bubble(words=None) for _ in range(2))
    with house.database.transaction() as session:
        for bubble in (first, second):
            steps.enqueue(session, bubble.id, StepName.TRANSCRIBE, clock())
            clock.pass_s(1)
        step = steps.begin(session, second.id, StepName.TRANSCRIBE, clock())
        session.flush()
        steps.put_off(session, step, wait=timedelta(hours=1), waiting_for="model", error=None, counted=False)
    told = author.see().text
    assert "speech model is missing" in told
    assert "ahead of it" not in told


@pytest.mark.parametrize(
    ("error", "says"), [("spoiled", "may have a whole copy"), ("TimeoutError", "from the sound that is kept")]
)
def test_who_may_try_again_is_told_what_for(author: Author, error: str, says: str) -> None:
    failed = author.bubble(
        **SHELVES["failed"], recording_key="recordings/a/b",
        step={"name": "normalise", "gave_up_at": MONDAY_22, "error": error},
    )  # fmt: skip
    assert says in author.see(f"/studio/bubbles/{failed.code}").text


@pytest.mark.parametrize(("missing", "says"), [("disk", "A part of the service is away"), ("spoiled", "is damaged")])
def test_why_the_sound_is_not_made_playable_yet_is_told(author: Author, missing: str, says: str) -> None:
    author.bubble(words=None, playable_at=None, step={"name": "normalise", "waiting_for": missing})
    assert says in author.see().text


def test_a_bubble_that_waits_tells_how_many_are_ahead(author: Author, house: House, clock: Any) -> None:
    first, second = (author.bubble(words=None) for _ in range(2))
    with house.database.transaction() as session:
        for bubble in (first, second):
            steps.enqueue(session, bubble.id, StepName.TRANSCRIBE, clock())
            clock.pass_s(1)
    assert "One is ahead of it." in author.see().text


def test_the_studio_of_a_team_shows_all_its_channels_and_one_when_asked(
    author: Author, world: Any, house: House
) -> None:
    brand, _ = world.channel()
    with house.database.transaction() as session:
        session.add(
            Membership(channel_id=brand.id, account_id=author.channel.id, role=Role.AUTHOR, since=MONDAY_22)
        )  # fmt: skip
    theirs = author.stage.bubble(channel=brand)
    mine = author.bubble()
    page = author.see()
    assert set(codes(page)) == {theirs.code, mine.code}
    assert f'href="/studio/bubbles/{mine.code}"' in page.text
    assert f'href="/studio/bubbles/{theirs.code}"' not in page.text
    assert codes(author.see(f"/studio?channel={brand.handle}")) == [theirs.code]
    assert author.see(f"/studio/bubbles/{theirs.code}").status_code == 403


def test_nobody_sees_what_is_of_another_channel(author: Author, world: Any) -> None:
    others = author.stage.bubble()
    assert codes(author.see()) == []
    assert author.see(f"/studio/bubbles/{others.code}").status_code == 403
    hidden = author.stage.bubble(visibility="private")
    assert author.see(f"/studio/bubbles/{hidden.code}").status_code == 404
    for end in ("", "/transcript", "/withdraw"):
        answer = author.send(f"/studio/bubbles/{others.code}{end}", **about(others, sure="yes"))
        assert answer.status_code == 403


def test_pages_follow_each_other_without_gap_or_repeat(author: Author) -> None:
    made = [author.bubble(words=None).code for _ in range(45)]
    seen, path = [], "/studio"
    while path:
        page = author.see(path)
        seen += codes(page)
        found = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == made[::-1]


def test_addresses_made_up_break_nothing(author: Author) -> None:
    author.bubble()
    for query in ("shelf=x", "channel=%00", "after=x", "after=%00", "shelf=on_air&after=AAAAAAAAAAAAAAAA"):
        assert author.see(f"/studio?{query}").status_code == 200, query


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


def test_what_people_typed_is_escaped(author: Author) -> None:
    bubble = author.bubble(title="<script>alert(1)</script>", tags=['"><img src=x>'])
    for path in ("/studio", f"/studio/bubbles/{bubble.code}"):
        assert "<script>alert" not in author.see(path).text
        assert "<img" not in author.see(path).text


def test_a_bubble_that_failed_is_tried_again_at_a_press(author: Author, house: House) -> None:
    failed = author.bubble(**SHELVES["failed"])
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
    failed, other = author.bubble(**SHELVES["failed"]), author_of(client, world, house)
    assert other.send(f"/studio/bubbles/{failed.code}/retry").status_code == 404
