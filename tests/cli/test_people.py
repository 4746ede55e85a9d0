"""Commands about people: accounts and their ways in, tokens, channels."""

from datetime import timedelta

import pytest

from bubbles import accounts, channels, ids, invitations, known_browsers, sign_in
from bubbles.app import House
from bubbles.db import accounts as account_rows
from bubbles.db import tokens as token_rows
from bubbles.db.channels import membership
from bubbles.errors import Refused
from bubbles.model.account import Device, Way
from bubbles.model.channel import Role
from bubbles.model.times import utc_now
from tests.cli.conftest import BASE, Ran, Run


def test_an_account_is_made_once(run: Run) -> None:
    assert run("account", "create", "@Anna") == Ran(0, "@anna\n", "")
    again = run("account", "create", "anna")
    assert again == Ran(1, "", "bubbles: @anna is taken. (conflict)\n")
    assert run("account", "create", "no spaces").err.endswith("(bad_text)\n")


def test_a_token_is_printed_alone_and_lets_its_account_in(run: Run, house: House) -> None:
    run("account", "create", "tess")
    secret = run("token", "create", "tess").out
    assert secret.endswith("\n")
    with house.database.transaction() as session:
        found = token_rows.of_secret(session, ids.hashed(secret.strip()))
        assert found is not None
        assert found[0] == accounts.require(session, "tess")
    assert run("token", "create", "nobody").err.endswith("(not_found)\n")


def test_a_sign_in_link_is_printed_and_good(run: Run, house: House) -> None:
    run("account", "create", "lena")
    secret = run("account", "link", "lena").out.strip().removeprefix(f"{BASE}/sign-in/")
    with house.database.transaction() as session:
        assert account_rows.of_link(session, ids.hashed(secret), utc_now())


def test_a_channel_has_an_owner_and_members(run: Run, house: House) -> None:
    for handle in ("olga", "milo"):
        run("account", "create", handle)
    assert run("channel", "create", "bakery", "--owner", "olga") == Ran(0, f"{BASE}/@bakery\n", "")
    assert run("channel", "member", "bakery", "milo", "author").out == "@milo is author of @bakery\n"
    assert run("channel", "member", "bakery", "milo", "editor").status == 0
    assert run("channel", "member", "bakery", "olga", "author").err.endswith("(conflict)\n")
    assert run("channel", "create", "bakery").err.endswith("(conflict)\n")
    with house.database.transaction() as session:
        bakery, milo = channels.require(session, "bakery"), accounts.require(session, "milo")
        member = membership(session, bakery.id, milo.id)
    assert member
    assert member.role == Role.EDITOR


def test_a_member_is_listed_and_taken_out_and_the_last_owner_is_not(run: Run) -> None:
    for handle in ("rita", "saul"):
        run("account", "create", handle)
    run("channel", "create", "museum", "--owner", "rita")
    run("channel", "member", "museum", "saul", "author")
    listed = run("channel", "members", "museum").out.splitlines()
    assert [line.partition(" since 20")[0] for line in listed] == ["@rita is owner", "@saul is author"]
    assert run("channel", "remove", "museum", "@Saul") == Ran(0, "@saul is no longer in the team of @museum\n", "")
    assert run("channel", "remove", "museum", "saul").err.endswith("(not_found)\n")
    assert run("channel", "remove", "museum", "rita").err.endswith("(conflict)\n")
    assert run("channel", "remove", "rita", "rita").err.endswith("(conflict)\n")
    assert len(run("channel", "members", "museum").out.splitlines()) == 1


def test_an_invitation_is_printed_and_good_once(run: Run, house: House) -> None:
    code = run("account", "invite").out.strip().removeprefix(f"{BASE}/sign-up?invitation=")
    run("account", "create", "inga")
    with house.database.transaction() as session:
        inga = accounts.require(session, "inga")
        invitations.use(session, code, inga, now=utc_now())
        with pytest.raises(Refused):
            invitations.use(session, code, inga, now=utc_now())


def test_nobody_is_invited_where_nobody_may_sign_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUBBLES_REGISTRATION", "closed")
    assert run("account", "invite").err.endswith("(conflict)\n")


def test_tokens_are_listed_by_the_number_that_revokes_them(run: Run, house: House) -> None:
    run("account", "create", "tara")
    run("account", "create", "theo")
    secret = run("token", "create", "tara").out.strip()
    number, made_on, *_ = run("token", "list", "tara").out.split()
    assert made_on.startswith("20")
    assert secret not in run("token", "list", "tara").out
    assert run("token", "revoke", "theo", number).err.endswith("(not_found)\n")
    assert run("token", "revoke", "tara", number) == Ran(0, "", "")
    assert run("token", "list", "tara").out == ""
    with house.database.transaction() as session:
        assert token_rows.of_secret(session, ids.hashed(secret)) is None


def test_a_token_without_limits_is_shown_as_what_it_is(run: Run) -> None:
    run("account", "create", "tina")
    run("token", "create", "tina")
    assert run("token", "list", "tina").out.rstrip().endswith("  everything, no end")


def test_a_token_is_limited_ended_named_and_listed_so(run: Run, house: House) -> None:
    run("account", "create", "toni")
    made = {
        "publish, edit, no end": run("token", "create", "toni", "--scope", "edit,publish"),
        "statistics, until 20": run("token", "create", "toni", "--scope=statistics", "--days=3", "--name", "Weekly"),
        "everything, until 20": run("token", "create", "toni", "--days", "1"),
    }
    for ran, limits in zip(made.values(), ({"publish", "edit"}, {"statistics"}, None), strict=True):
        with house.database.transaction() as session:
            found = token_rows.of_secret(session, ids.hashed(ran.out.strip()))
        assert found is not None
        assert found[1].limits == limits
    lines = run("token", "list", "toni").out.splitlines()
    for line, told in zip(lines, made, strict=True):
        assert told in line
    assert lines[1].endswith("  Weekly")
    assert run("token", "revoke", "toni", "Weekly") == Ran(0, "", "")
    assert run("token", "revoke", "toni", "Weekly").err.endswith("(not_found)\n")
    for line in (lines[0], lines[2]):
        assert run("token", "revoke", "toni", line.split()[0]).status == 0
    assert run("token", "list", "toni").out == ""


def test_a_name_that_several_tokens_bear_revokes_none(run: Run) -> None:
    run("account", "create", "twin")
    for limits in ([], ["--scope", "edit"]):
        run("token", "create", "twin", "--name", "same", *limits)
    assert run("token", "revoke", "twin", "same").err.endswith("(conflict)\n")
    assert len(run("token", "list", "twin").out.splitlines()) == 2


def test_a_scope_or_an_end_that_is_none_makes_no_token(run: Run) -> None:
    run("account", "create", "tom")
    for scope in ("", "all", "publish;edit", ","):
        assert run("token", "create", "tom", "--scope", scope).err.endswith("(bad_request)\n")
    for days in ("0", "-1", "9999999", "x"):
        assert run("token", "create", "tom", "--days", days).status == 2
    assert run("token", "list", "tom").out == ""


def test_tokens_end_with_the_sessions_if_asked(run: Run) -> None:
    run("account", "create", "tea")
    for limits in ([], ["--scope", "publish"]):
        run("token", "create", "tea", *limits)
    assert run("account", "sessions", "tea", "--tokens").status == 2
    run("account", "sessions", "tea", "--end")
    assert len(run("token", "list", "tea").out.splitlines()) == 2
    assert run("account", "sessions", "tea", "--end", "--tokens").status == 0
    assert run("token", "list", "tea").out == ""


def test_sessions_are_listed_and_ended(run: Run, house: House) -> None:
    run("account", "create", "sara")
    with house.database.transaction() as session:
        sara = accounts.require(session, "sara")
        for device in (Device("Firefox", "Android"), Device()):
            sign_in.begin_session(
                session, sara, Way.PASSWORD, device=device, now=utc_now(), valid_for=timedelta(days=1)
            )
    listed = run("account", "sessions", "sara").out
    assert "by password, Firefox on Android, last seen never" in listed
    assert len(listed.splitlines()) == 2
    assert run("account", "sessions", "sara", "--end").status == 0
    assert run("account", "sessions", "sara").out == ""


def test_known_browsers_are_listed_and_forgotten_by_themselves_and_with_the_sessions(run: Run, house: House) -> None:
    run("account", "create", "bela")
    for ends in (("browsers", "bela", "--forget"), ("sessions", "bela", "--end")):
        with house.database.transaction() as session:
            bela = accounts.require(session, "bela")
            known_browsers.know(session, bela, "", device=Device("Firefox", "Android"), now=utc_now())
            known_browsers.know(session, bela, "", device=Device(), now=utc_now())
        listed = run("account", "browsers", "bela").out
        assert "Firefox on Android, last signed in 20" in listed
        assert len(listed.splitlines()) == 2
        assert run("account", *ends).status == 0
        assert run("account", "browsers", "bela").out == ""


def test_an_account_is_closed_once_its_teams_are_in_other_hands(run: Run, house: House) -> None:
    for handle in ("vera", "wim"):
        run("account", "create", handle)
    run("channel", "create", "choir", "--owner", "vera")
    run("channel", "member", "choir", "wim", "editor")
    refused = run("account", "close", "vera")
    assert (refused.status, refused.err.endswith("(conflict)\n")) == (1, True)
    run("channel", "member", "choir", "wim", "owner")
    assert run("account", "close", "@vera").out == "@vera is closed; what was its alone is withdrawn.\n"
    assert run("account", "link", "vera").err.endswith("(not_found)\n")
    assert run("account", "create", "vera").err.endswith("(conflict)\n")
