"""Tokens that are limited: each opens its own routes and no other, until it ends, and it is seen when it was used."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, combinations
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select
from starlette.testclient import TestClient

from bubbles import accounts, channels, leave, upkeep
from bubbles.app import House
from bubbles.db import tokens
from bubbles.http.routes import OPERATIONS, Operation
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Role
from bubbles.model.listening import Play
from bubbles.model.token import Scope, ScopedToken
from bubbles.policy import SCOPE_OF, Action
from tests.http.conftest import Clock
from tests.http.pages_fixtures import Stage
from tests.http.people import People
from tests.http.test_export import channel_of
from tests.http.test_leaving import team
from tests.http.test_members import BODIES
from tests.http.uploading import post, tone

SUBSETS = [frozenset(each) for each in chain.from_iterable(combinations(Scope, size) for size in range(4))]
"""No scope at all is what is left of one that only a later release knows."""

STUDIO = {"", "/transcript", "/withdraw", "/retry"}
OPENED: dict[Scope, set[str]] = {
    Scope.PUBLISH: {"POST /api/bubbles"},
    Scope.EDIT: {
        "PATCH /api/bubbles/{code}",
        "DELETE /api/bubbles/{code}",
        "PUT /api/bubbles/{code}/transcript",
        "GET /studio",
        "GET /studio/bubbles/{code}",
        *(f"POST /studio/bubbles/{{code}}{form}" for form in STUDIO),
    },
    Scope.STATISTICS: {"GET /api/bubbles/{code}/stats", "GET /api/channels/{handle}/stats"},
}
FOR_EVERYTHING = {
    "GET /api/channels/{handle}/members",
    "PUT /api/channels/{handle}/members/{account}",
    "DELETE /api/channels/{handle}/members/{account}",
}
KEPT_BY_SESSION = {f"{row.method} {row.path}" for row in OPERATIONS if row.action is Action.KEEP_ACCOUNT}
LIMITED = set().union(*OPENED.values()) | FOR_EVERYTHING


def limited(house: House, account: Account, scopes: Any, *, days: int | None = None, name: str = "") -> dict[str, str]:
    """The headers of a program that holds a token so limited."""
    with house.database.transaction() as session:
        secret = accounts.new_token(
            session, account, now=house.now(), name=name, scopes=scopes, valid_for=days and timedelta(days=days)
        )
    return {"Authorization": f"Bearer {secret}"}


def asked(client: TestClient, row: Operation, bubble: Bubble, handle: str, headers: dict[str, str]) -> Any:
    if row.takes == "Upload":
        return post(client, headers, tone(0.4))
    path = row.path.format(code=bubble.code, handle=handle, account="nobody", kind="m4a", format="txt", secret="x")
    body = {"json": {"credential": {}}} if "passkey" in path else BODIES.get(row.takes, {})
    if row.takes == "Heard":
        body = {"json": body["json"] | {"code": bubble.code}}
    return client.request(row.method, path, headers=headers, follow_redirects=False, **body)


def test_each_scope_opens_its_routes_and_no_other(
    client: TestClient, people: People, house: House, stage: Stage
) -> None:
    """Every route by every set of scopes, those that open it last, since what they change is changed then."""
    account = people.account(password=False)
    channel, programs = channel_of(house, account), programs_of(house, account)
    for row in OPERATIONS:
        bubble = stage.bubble(channel=channel, author_id=account.id)
        for scopes in sorted(SUBSETS, key=lambda scopes: is_opened(row, scopes)):
            answer = asked(client, row, bubble, channel.handle, programs[scopes])
            problem = refused_wrongly(row, scopes, answer)
            assert not problem, (
                f"{row.method} {row.path} with {set(scopes)}: {problem} {answer.status_code} {answer.text}"
            )
            assert is_opened(row, scopes) or kept(house, bubble) == ("Market day", None)


def is_opened(row: Operation, scopes: frozenset[Scope]) -> bool:
    return any(f"{row.method} {row.path}" in OPENED[scope] for scope in scopes)


def refused_wrongly(row: Operation, scopes: frozenset[Scope], answer: Any) -> str:
    """What is wrong with an answer to who holds these scopes; empty when nothing is."""
    name, told = f"{row.method} {row.path}", answer.headers.get("www-authenticate", "")
    if name in KEPT_BY_SESSION:
        to_sign_in = answer.headers.get("location", "").startswith("/sign-in") or answer.status_code == 401
        return "" if to_sign_in else "A token opens the account."
    if is_opened(row, scopes):
        return "It is to be opened." if answer.status_code in {401, 403} else ""
    if name not in LIMITED:
        return "It is open to everybody." if "error" in told else ""
    needed = next((scope for scope in Scope if name in OPENED[scope]), "")
    challenge = 'Bearer error="insufficient_scope"' + (f', scope="{needed}"' if needed else "")
    is_named = needed in answer.text
    return "" if (answer.status_code, told) == (403, challenge) and is_named else "It is to be refused."


def programs_of(house: House, account: Account) -> dict[frozenset[Scope], dict[str, str]]:
    """The headers of a program for each set of scopes."""
    return {scopes: limited_even_to_nothing(house, account, scopes) for scopes in SUBSETS}


def limited_even_to_nothing(house: House, account: Account, scopes: frozenset[Scope]) -> dict[str, str]:
    headers = limited(house, account, scopes or {Scope.PUBLISH})
    if not scopes:
        with house.database.transaction() as session:
            tokens.held(session, account.id)[-1].scopes = ["of a later release"]  # type: ignore[union-attr,misc]
    return headers


def kept(house: House, bubble: Bubble) -> tuple[Any, ...]:
    with house.database.transaction() as session:
        row = session.get_one(Bubble, bubble.id)
        return row.title, row.withdrawn_at


def test_the_table_says_the_same_of_every_action() -> None:
    opened = {f"{row.method} {row.path}": SCOPE_OF.get(row.action) for row in OPERATIONS}
    for scope in Scope:
        assert {name for name, each in opened.items() if each is scope} == OPENED[scope]


def test_a_token_for_everything_opens_all_but_the_account(
    client: TestClient, people: People, house: House, stage: Stage
) -> None:
    account = people.account(password=False)
    channel = channel_of(house, account)
    for headers in (limited(house, account, None), limited(house, account, None, days=1)):
        bubble = stage.bubble(channel=channel, author_id=account.id)
        for row in OPERATIONS:
            if f"{row.method} {row.path}" in LIMITED:
                answer = asked(client, row, bubble, channel.handle, headers)
                assert answer.status_code not in {401, 403}, row


# What it looks at


@pytest.mark.parametrize("whose", ["own", "a colleague's"])
@pytest.mark.parametrize("visibility", ["private", "public"])
def test_a_limited_token_looks_and_hears_as_the_team_does_only_where_its_scope_asks_for_it(
    client: TestClient, people: People, house: House, stage: Stage, whose: str, visibility: str
) -> None:
    account, colleague = people.account(password=False), people.account(password=False)
    channel = team(house, (account, Role.OWNER), (colleague, Role.OWNER))
    author = account if whose == "own" else colleague
    bubble = stage.bubble(channel=channel, author_id=author.id, visibility=visibility)
    paths = ["/api/bubbles/{}", "/b/{}", "/b/{}.txt", "/b/{}/share", "/media/{}.m4a"]
    for scopes, headers in programs_of(house, account).items():
        as_team = Scope.EDIT in scopes or (Scope.PUBLISH in scopes and whose == "own")
        statuses = {client.get(path.format(bubble.code), headers=headers).status_code for path in paths}
        assert statuses == {200 if as_team or visibility == "public" else 404}, scopes
        told = client.get(f"/api/bubbles/{bubble.code}", headers=headers).json()
        assert ("held_reason" in told) == as_team
        profile = client.get(f"/@{channel.handle}", headers=headers).text
        assert (bubble.code in profile) == (visibility == "public" or Scope.EDIT in scopes)
        me = client.get("/api/me", headers=headers).json()
        assert (me["handle"], bool(me["channels"])) == (account.handle, Scope.PUBLISH in scopes)


def test_statistics_of_what_is_private_are_opened_by_their_scope(
    client: TestClient, people: People, house: House, stage: Stage
) -> None:
    account = people.account(password=False)
    bubble = stage.bubble(channel=channel_of(house, account), author_id=account.id, visibility="private")
    assert client.get(f"/api/bubbles/{bubble.code}/stats", headers=limited(house, account, {Scope.STATISTICS})).json()


def test_the_studio_tells_how_often_it_was_heard_only_with_the_scope_for_that(
    client: TestClient, people: People, house: House, stage: Stage
) -> None:
    account = people.account(password=False)
    stage.bubble(channel=channel_of(house, account), author_id=account.id)
    seen = {
        scopes: client.get("/studio", headers=limited(house, account, scopes)).text
        for scopes in (frozenset({Scope.EDIT}), frozenset({Scope.EDIT, Scope.STATISTICS}))
    }
    counts = [page.count("listens") for page in seen.values()]
    assert counts[0] < counts[1]


def test_plays_of_the_team_stay_the_teams_whatever_the_token_opens(
    client: TestClient, people: People, house: House, stage: Stage
) -> None:
    account = people.account(password=False)
    bubble = stage.bubble(channel=channel_of(house, account), author_id=account.id)
    for scopes in SUBSETS[1:]:
        told = {"code": bubble.code, "play": f"play-{'-'.join(sorted(scopes))}", "heard": []}
        assert client.post("/api/listens", json=told, headers=limited(house, account, scopes)).status_code == 204
    with house.database.transaction() as session:
        plays = session.exec(select(Play.audience).where(Play.bubble_id == bubble.id)).all()
    assert set(plays) == {"team"}


# Its end


def test_a_token_ends_to_the_second_and_says_so(client: TestClient, people: People, house: House, clock: Clock) -> None:
    account = people.account(password=False)
    for scopes in (None, {Scope.PUBLISH}):
        headers = limited(house, account, scopes, days=1)
        clock.pass_s(24 * 3600 - 1)
        assert client.get("/api/me", headers=headers).status_code == 200
        clock.pass_s(1)
        answer = client.get("/api/me", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorised")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert post(client, headers).status_code == 401


def test_an_unknown_token_is_told_apart_from_none(client: TestClient) -> None:
    for value in ("Bearer x", "Bearer ", "Basic x"):
        answer = client.get("/api/me", headers={"Authorization": value})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert client.post("/api/bubbles").headers["www-authenticate"] == "Bearer"


def test_tokens_that_have_ended_are_forgotten_and_hold_no_place(
    people: People, house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "TOKENS_MAX", 1)
    account = people.account(password=False)
    limited(house, account, {Scope.EDIT}, days=1)
    clock.pass_s(24 * 3600)
    limited(house, account, {Scope.EDIT})
    assert len(held(house, account)) == 2
    clock.pass_s(31 * 24 * 3600)
    upkeep.forget(house.database, now=clock(), idempotency_days=30)
    assert len(held(house, account)) == 1


def held(house: House, account: Account) -> list[Any]:
    with house.database.transaction() as session:
        return tokens.held(session, account.id)


def test_numbers_name_one_token_of_either_kind(people: People, house: House) -> None:
    account = people.account(password=False)
    for scopes in (None, {Scope.EDIT}, None, {Scope.PUBLISH}):
        limited(house, account, scopes)
    numbers = [token.id for token in held(house, account)]
    assert len(set(numbers)) == 4
    with house.database.transaction() as session:
        accounts.revoke_token(session, account, numbers[1], now=house.now())
    assert [token.id for token in held(house, account)] == [numbers[0], *numbers[2:]]


def test_whoever_leaves_leaves_no_limited_token_behind_whichever_release_closes_the_account(
    client: TestClient, people: People, house: House
) -> None:
    first, second = people.account(password=False), people.account(password=False)
    programs = [limited(house, each, {Scope.PUBLISH}, name="their name") for each in (first, second)]
    with house.database.transaction() as session:
        leave.leave(session, session.merge(first), everywhere=False, now=house.now())
        session.get_one(Account, second.id).closed_at = house.now()  # as a process of the release before does
    assert {client.get("/api/me", headers=each).status_code for each in programs} == {401}
    assert count(house, first) == 0
    upkeep.forget(house.database, now=house.now(), idempotency_days=30)
    assert count(house, second) == 0


def count(house: House, account: Account) -> int:
    with house.database.transaction() as session:
        return len(session.exec(select(ScopedToken).where(ScopedToken.account_id == account.id)).all())


# Its last use


@pytest.fixture
def writes(house: House) -> Iterator[list[str]]:
    """The statements that wrote when a token was used."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith("UPDATE") and "last_used_at" in statement:
            seen.append(statement)

    engine = house.database._engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("scopes", [None, {Scope.EDIT}], ids=["for everything", "limited"])
def test_the_hour_of_the_last_use_is_kept_by_one_write_an_hour(
    client: TestClient, people: People, house: House, clock: Clock, writes: list[str], scopes: Any
) -> None:
    account = people.account(password=False)
    headers = limited(house, account, scopes)
    assert held(house, account)[0].last_used_at is None
    clock.pass_s(1500)
    for _ in range(5):
        client.get("/api/me", headers=headers)
        clock.pass_s(60)
    assert len(writes) == 1
    used = held(house, account)[0].last_used_at
    assert used == clock().replace(minute=0, second=0, microsecond=0)
    clock.pass_s(3600)
    client.get("/api/me", headers=headers)
    assert len(writes) == 2
    assert held(house, account)[0].last_used_at == used + timedelta(hours=1)


def test_a_refused_use_is_not_noted(client: TestClient, people: People, house: House, writes: list[str]) -> None:
    account = people.account(password=False)
    assert client.get("/studio", headers=limited(house, account, {Scope.PUBLISH})).status_code == 403
    assert writes == []


def test_nobody_waits_for_a_token_that_another_request_is_noting(
    client: TestClient, people: People, house: House
) -> None:
    account = people.account(password=False)
    headers = limited(house, account, {Scope.EDIT})
    with house.database.transaction() as session:
        tokens.note_use(session, tokens.held(session, account.id)[0], house.now())
        assert client.get("/api/me", headers=headers).status_code == 200


# What it does for a team


def test_a_limited_token_is_out_of_a_team_with_its_holder(client: TestClient, people: People, house: House) -> None:
    owner, author = people.account(password=False), people.account(password=False)
    channel = team(house, (owner, Role.OWNER), (author, Role.AUTHOR))
    headers = limited(house, author, {Scope.PUBLISH})
    assert post(client, headers, channel=channel.handle).status_code == 202
    with house.database.transaction() as session:
        channels.remove_member(session, channel, author)
    assert post(client, headers, channel=channel.handle).status_code == 403
