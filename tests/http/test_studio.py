"""The studio: everything of one's own and nothing of others', and how each bubble stands."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import Response
from starlette.testclient import TestClient

from bubbles.app import House
from bubbles.db import steps
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Membership, Role
from bubbles.model.step import StepName
from tests.http.conftest import MONDAY_22, Clock
from tests.http.pages_fixtures import BROWSER
from tests.http.studio_author import Author, about

SHELVES = {
    "prepared": {"playable_at": None},
    "on_air": {},
    "closed": {"visibility": "unlisted"},
    "held": {"held_at": MONDAY_22, "held_reason": "Somebody complained"},
    "refused": {"playable_at": None, "refused_at": MONDAY_22, "refused_reason": "silent"},
    "failed": {"playable_at": None, "failed_at": MONDAY_22},
    "withdrawn": {"withdrawn_at": MONDAY_22, "withdrawn_reason": "Too loud"},
}


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
        (SHELVES["failed"], {"name": "normalise", "error": "died"}, "was ended again and again"),
        ({"words": None}, {"error": "died"}, "was ended again and again"),
        ({"words": None}, {"error": "no_memory"}, "there was not enough memory for it"),
    ],
)
def test_what_was_given_up_for_spoiled_sound_says_so(author: Author, columns: Any, step: Any, says: str) -> None:
    author.bubble(**columns, step=step | {"gave_up_at": MONDAY_22})
    assert says in author.see().text


def second_in_line(author: Author, house: House, clock: Clock) -> Bubble:
    """The later of two whose words are to be written down."""
    first, second = (author.bubble(words=None) for _ in range(2))
    with house.database.transaction() as session:
        for bubble in (first, second):
            steps.enqueue(session, bubble.id, StepName.TRANSCRIBE, clock())
            clock.pass_s(1)
    return second


def test_who_is_ahead_is_not_told_of_what_waits_for_a_part(author: Author, house: House, clock: Clock) -> None:
    second = second_in_line(author, house, clock)
    with house.database.transaction() as session:
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
    step = {"name": "normalise", "gave_up_at": MONDAY_22, "error": error}
    failed = author.failed(recording_key="recordings/a/b", step=step)
    assert says in author.see(f"/studio/bubbles/{failed.code}").text


@pytest.mark.parametrize(("missing", "says"), [("disk", "A part of the service is away"), ("spoiled", "is damaged")])
def test_why_the_sound_is_not_made_playable_yet_is_told(author: Author, missing: str, says: str) -> None:
    author.bubble(words=None, playable_at=None, step={"name": "normalise", "waiting_for": missing})
    assert says in author.see().text


def test_a_bubble_that_waits_tells_how_many_are_ahead(author: Author, house: House, clock: Clock) -> None:
    second_in_line(author, house, clock)
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


def test_what_people_typed_is_escaped(author: Author) -> None:
    bubble = author.bubble(title="<script>alert(1)</script>", tags=['"><img src=x>'])
    for path in ("/studio", f"/studio/bubbles/{bubble.code}"):
        assert "<script>alert" not in author.see(path).text
        assert "<img" not in author.see(path).text
