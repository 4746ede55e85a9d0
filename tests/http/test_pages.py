"""What is on air, search, a channel, signing in, what went wrong: as people who browse get them."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from bubbles import find, ids
from bubbles.db import accounts
from bubbles.http import pages
from bubbles.http.auth import COOKIE
from bubbles.model.account import SignInLink, WebSession
from bubbles.model.cue import Cue
from tests.http.hostile import Page, parsed


def page_of(browser, path: str, *, status: int = 200, **kwargs) -> Page:
    response = browser.get(path, **kwargs)
    assert response.status_code == status, response.text
    return parsed(response.text)


def links(page: Page) -> list[str]:
    return page.all("a", "href")


@pytest.mark.parametrize("path", ["/", "/search", "/@{handle}", "/sign-in/x", "/nothing-here"])
def test_every_page_is_anonymous_and_guarded(browser, world, path):
    channel, _ = world.channel()
    response = browser.get(path.format(handle=channel.handle))
    assert "set-cookie" not in response.headers
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    public = response.status_code == 200
    assert response.headers["cache-control"] == ("no-cache" if public else "no-store")
    assert ("etag" in response.headers) is public


# On air


def test_the_newest_are_on_air_with_sound_and_words(browser, stage, clock):
    clock.pass_s(60)
    bubble = stage.bubble(playable_at=clock())
    hidden = [stage.bubble(visibility="unlisted"), stage.bubble(held_at=clock()), stage.bubble(playable_at=None)]
    page = page_of(browser, "/")
    assert f"/b/{bubble.code}" in links(page)
    assert f"/media/{bubble.code}.m4a" in page.all("source", "src")
    assert "Fresh lemons at the harbour." in page.text
    assert "Perhaps some zebras" not in page.text
    assert not {f"/b/{each.code}" for each in hidden} & set(links(page))


def test_nothing_on_air_invites_to_publish(browser, monkeypatch):
    monkeypatch.setattr(find, "find", lambda session, query: find.Page([], None))
    page = page_of(browser, "/")
    assert "The first voice could be yours" in page.text
    assert links(page).count("/record") >= 2


def test_a_page_that_stays_open_is_told_what_is_newer(browser, stage, clock):
    clock.pass_s(3600)
    first = stage.bubble(playable_at=clock())
    clock.pass_s(60)
    newer = stage.bubble(playable_at=clock())
    since = browser.get(f"/on-air?after={first.code}")
    assert [link for link in links(parsed(since.text)) if link.startswith("/b/")] == [f"/b/{newer.code}"]
    nothing = browser.get(f"/on-air?after={newer.code}")
    assert (nothing.status_code, nothing.text.strip()) == (200, "")
    assert (
        browser.get(f"/on-air?after={newer.code}", headers={"If-None-Match": nothing.headers["etag"]}).status_code
        == 304
    )
    assert f"/b/{first.code}" in browser.get("/on-air?after=unknown").text
    assert "<html" not in since.text


# Search


def test_a_search_shows_the_sentence_and_links_to_its_second(browser, stage):
    bubble = stage.bubble(words=(Cue(0, 3, "Nothing of note."), Cue(3.5, 6, "The quokka sleeps.")))
    page = page_of(browser, "/search?q=quokka&near=45.76,4.84")
    assert f"/b/{bubble.code}#t=3.5" in links(page)
    assert "The quokka sleeps." in page.text
    assert ("mark",) in page.skeleton
    assert "away" in page.text


def test_what_is_said_at_the_very_beginning_has_its_second_too(browser, stage):
    bubble = stage.bubble(words=(Cue(0, 3, "The wombat sleeps."), Cue(3.5, 6, "It wakes.")))
    assert links(page_of(browser, "/search?q=wombat")).count(f"/b/{bubble.code}#t=0") == 2


def test_a_title_that_matches_is_not_repeated_as_what_is_said(browser, stage):
    bubble = stage.bubble(title="Okapi hour", words=(Cue(0, 3, "It sleeps by day."), Cue(3.5, 6, "It wakes.")))
    page = page_of(browser, "/search?q=okapi")
    assert "It sleeps by day." in page.text
    assert f"/b/{bubble.code}#t=0" not in links(page)
    assert ("mark",) not in page.skeleton


def test_a_card_without_words_yet_says_that_they_follow(browser, stage, world):
    channel, _ = world.channel()
    stage.bubble(channel=channel, words=None, step={})
    stage.bubble(channel=channel, title="With words")
    assert page_of(browser, f"/@{channel.handle}").text.count("The words follow.") == 1


def test_the_page_of_no_connection_leads_to_the_recorder_and_tries_again(browser):
    assert {"/record", ""} <= set(links(page_of(browser, "/offline")))


def test_the_form_keeps_what_was_asked(browser, world):
    channel, _ = world.channel()
    asked = {"q": 'say "what"', "near": "45.76, 4.84", "radius_m": "5000", "tag": "été", "channel": channel.handle}
    page = page_of(browser, f"/search?{urlencode(asked)}")
    inputs = [dict(pairs) for pairs in fields(page)]
    assert {"id": "q", "value": 'say "what"'}.items() <= next(each for each in inputs if each["name"] == "q").items()
    assert next(each for each in inputs if each["name"] == "near")["value"] == "45.76, 4.84"
    kept = {each["name"]: each["value"] for each in inputs if each.get("type") == "hidden"}
    assert kept.items() >= {"tag": "été", "channel": channel.handle}.items()
    assert ("option", "value", "selected") in page.skeleton
    without_tag = {key: value for key, value in asked.items() if key != "tag"}
    assert f"/search?{urlencode(without_tag)}" in links(page)


def fields(page: Page) -> list[list[tuple[str, str]]]:
    """The attributes of each input."""
    values = iter(page.values)
    found = []
    for tag, *names in (entry for entry in page.skeleton if not entry[0].startswith(("/", "!"))):
        pairs = [next(values)[1:] for _ in names]
        found += [pairs] if tag == "input" else []
    return found


def test_a_search_without_results_says_so(browser, world):
    channel, _ = world.channel()
    assert "Nobody has said that" in page_of(browser, f"/search?q=xylophone&channel={channel.handle}").text


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("near=here", 503),
        ("near=91,0", 422),
        ("radius_m=-1", None),
        ("cursor=broken", 400),
        ("limit=0", 400),
        ("sort=loud", 400),
        ("q=a&q=b", 400),
        ("language=!", 422),
    ],
)
def test_a_bad_query_is_told_on_the_page_with_its_values(browser, asked, status):
    response = browser.get(f"/search?{asked}")
    page = parsed(response.text)
    assert response.status_code in ({status} if status else {400, 422})
    assert ("p", "class", "role") in page.skeleton
    assert response.headers["cache-control"] == "no-store"


def test_what_others_hang_on_a_shared_link_is_ignored(browser):
    assert browser.get("/search?q=lemons&utm_source=x&fbclid=y&near=").status_code == 200


def test_more_leads_through_all_results(browser, stage, world):
    channel, _ = world.channel()
    codes = {f"/b/{stage.bubble(channel=channel).code}" for _ in range(5)}
    seen: list[str] = []
    path: str | None = f"/search?channel={channel.handle}&limit=2"
    while path:
        page = page_of(browser, path)
        seen += [link for link in links(page) if link in codes]
        path = next((link for link in links(page) if "cursor=" in link), None)
    assert sorted(seen) == sorted(codes)


# A channel


def test_a_channel_shows_what_is_listed_and_its_team_everything(browser, stage, world, house):
    channel, owner = world.channel()
    public = stage.bubble(channel=channel)
    held = stage.bubble(channel=channel, held_at=house.now(), held_reason="three reports")
    path = f"/@{channel.handle}"
    stranger = browser.get(path)
    assert f"/b/{public.code}" in stranger.text
    assert held.code not in stranger.text
    assert "cookie" in stranger.headers["vary"].lower()
    team = browser.get(path, headers=owner)
    assert "three reports" in team.text
    assert f"/b/{held.code}" in team.text
    assert team.headers["cache-control"] == "no-store"


def test_a_signed_in_member_is_known_by_the_cookie(browser, stage, world, house):
    channel, _ = world.channel()
    private = stage.bubble(channel=channel, visibility="private")
    with house.database.transaction() as session:
        account = accounts.by_handle(session, channel.handle)
        expires_at = house.now() + timedelta(days=1)
        hashed = ids.hashed("secret")
        session.add(
            WebSession(account_id=account.id, secret_hash=hashed, created_at=house.now(), expires_at=expires_at)
        )
    assert private.code in browser.get(f"/@{channel.handle}", headers={"Cookie": f"{COOKIE}=secret"}).text


def test_older_bubbles_of_a_channel_are_a_page_away(browser, stage, world, monkeypatch, house):
    monkeypatch.setattr(pages, "PER_PAGE", 2)
    channel, _ = world.channel()
    made = [stage.bubble(channel=channel) for _ in range(3)]
    with house.database.transaction() as session:
        for number, bubble in enumerate(made):
            session.merge(bubble).created_at = house.now() + timedelta(seconds=number, microseconds=7)
    first = page_of(browser, f"/@{channel.handle}")
    (older,) = [link for link in links(first) if "before=" in link]
    second = page_of(browser, older)
    shown = [[link for link in links(page) if link.startswith("/b/")] for page in (first, second)]
    assert shown == [[f"/b/{made[2].code}", f"/b/{made[1].code}"], [f"/b/{made[0].code}"]]


def test_a_channel_without_bubbles_and_one_that_is_not_there(browser, world):
    channel, owner = world.channel()
    assert "Nothing on air" in page_of(browser, f"/@{channel.handle}").text
    assert "bubbles publish" in page_of(browser, f"/@{channel.handle}", headers=owner).text
    assert "There is nothing at this address" in page_of(browser, "/@nobody-at-all", status=404).text


# Signing in, and what went wrong


def test_a_sign_in_link_is_shown_and_not_used_up(browser, world, house):
    channel, _ = world.channel()
    with house.database.transaction() as session:
        account = accounts.by_handle(session, channel.handle)
        times = {"created_at": house.now(), "expires_at": house.now() + timedelta(hours=1)}
        session.add(SignInLink(account_id=account.id, secret_hash=ids.hashed(f"link{channel.handle}"), **times))
    for _ in range(2):
        response = browser.get(f"/sign-in/link{channel.handle}")
        page = parsed(response.text)
        assert page.all("form", "method") == ["post", "post"]
        assert page.all("form", "action") == ["/preferences"]  # the other posts to the link itself
        assert response.headers["cache-control"] == "no-store"


def test_a_link_that_is_used_up_says_how_to_get_another(browser):
    page = page_of(browser, "/sign-in/unknown", status=404)
    assert "bubbles account link" in page.text
    assert page.all("form", "action") == ["/preferences"]


def test_people_get_a_page_and_programs_a_problem(browser):
    assert "There is nothing at this address" in page_of(browser, "/nothing-here", status=404).text
    problem = browser.get("/nothing-here", headers={"Accept": "application/json"})
    assert problem.headers["content-type"] == "application/problem+json"


def test_no_page_links_to_what_is_not_there(browser, stage, world):
    channel, _ = world.channel()
    bubble = stage.bubble(channel=channel, tags=["market"])
    todo = ["/", "/search", f"/@{channel.handle}", f"/b/{bubble.code}", "/nothing-here"]
    values = [value for path in todo for value in parsed(browser.get(path).text).values]
    addresses = {address.partition("#")[0] for _, name, address in values if name in {"href", "src"}}
    ours = {address for address in addresses if address.startswith("/") and not address.startswith("/media/")}
    assert {path: browser.get(path).status_code for path in ours} == dict.fromkeys(ours, 200)
