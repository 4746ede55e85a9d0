"""Who is told to the recorder."""

from typing import Any

from bubbles import channels as verbs
from bubbles import ids, legal
from bubbles.db import accounts, channels
from bubbles.http.auth import COOKIE
from bubbles.model.account import WebSession
from bubbles.model.channel import Role


def test_a_stranger_is_nobody_and_that_is_no_error(client: Any) -> None:
    answer = client.get("/api/me")
    assert (answer.status_code, answer.json()) == (200, {"handle": None, "channels": []})
    assert answer.headers["cache-control"] == "no-store"


def test_one_is_told_the_channels_one_may_publish_in_ones_own_first(client: Any, world: Any, clock: Any) -> None:
    own, owner = world.channel()
    with world.house.database.transaction() as session:
        ours = accounts.by_handle(session, own.handle)
        theirs = accounts.by_handle(session, world.channel()[0].handle)
        for handle, role in (("alpha", Role.AUTHOR), ("beta", Role.EDITOR), ("gamma", None)):
            made = verbs.create(session, handle, owner=theirs, now=clock())
            if role:
                verbs.set_member(session, made, ours, role, now=clock())
    told = client.get("/api/me", headers=owner).json()
    assert told["handle"] == own.handle
    assert [(each["handle"], each["role"]) for each in told["channels"]] == [
        (own.handle, "owner"), ("alpha", "author"), ("beta", "editor"),
    ]  # fmt: skip
    assert told["channels"][1]["url"].endswith("/@alpha")


def test_a_browser_is_known_by_its_cookie_until_the_session_ends(client: Any, world: Any, clock: Any) -> None:
    own, _ = world.channel()
    cookie = ids.new_secret()
    with world.house.database.transaction() as session:
        account = accounts.by_handle(session, own.handle)
        assert account and channels.membership(session, own.id, account.id)
        until = clock().replace(year=clock().year + 1)
        row = WebSession(
            account_id=account.id, secret_hash=ids.hashed(cookie), created_at=clock(), expires_at=until
        )  # fmt: skip
        session.add(row)
    client.cookies.set(COOKIE, cookie)
    assert client.get("/api/me").json()["handle"] == own.handle
    with world.house.database.transaction() as session:
        row = accounts.web_session(session, ids.hashed(cookie))
        assert row
        row.ended_at = clock()
    assert client.get("/api/me").json()["handle"] is None


def test_a_wrong_token_is_refused_not_taken_for_a_stranger(client: Any) -> None:
    assert client.get("/api/me", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_the_recorder_may_ask_for_microphone_and_position_and_no_other_page_may(client: Any) -> None:
    recorder, home = client.get("/record"), client.get("/")
    assert recorder.status_code == 200
    assert "microphone=(self)" in recorder.headers["permissions-policy"]
    assert "geolocation=(self)" in recorder.headers["permissions-policy"]
    assert "microphone=()" in home.headers["permissions-policy"]
    assert "script-src 'self';" in recorder.headers["content-security-policy"]
    assert "connect-src 'self';" in recorder.headers["content-security-policy"]


def test_the_recorder_is_the_same_for_everyone_and_kept(client: Any, world: Any) -> None:
    _, owner = world.channel()
    stranger, known = client.get("/record"), client.get("/record", headers=owner)
    assert stranger.content == known.content
    again = client.get("/record", headers={"If-None-Match": stranger.headers["etag"]})
    assert again.status_code == 304


def test_the_recorder_knows_the_limits_in_force(client: Any) -> None:
    page = client.get("/record").text
    assert 'data-limit-s="120.0"' in page
    assert 'data-silence-dbfs="-60.0"' in page
    assert 'data-max-bytes="50331648"' in page


def test_the_recorder_says_under_which_licence_and_terms_it_publishes(client: Any, house: Any) -> None:
    before = client.get("/record").text
    assert 'data-usual="all-rights-reserved"' in before
    assert 'data-field="consent_version" value="none"' in before
    assert 'By publishing you agree to the <a href="/terms"' not in before
    house.settings.licence = "CC-BY-4.0"
    house.settings.legal.mkdir()
    (house.settings.legal / "terms.md").write_text("Be kind.")
    page = client.get("/record").text
    assert '<option value="CC-BY-4.0" selected>CC BY 4.0' in page
    assert f'value="{legal.terms_version(house.settings.legal)}"' in page
    assert 'By publishing you agree to the <a href="/terms"' in page
