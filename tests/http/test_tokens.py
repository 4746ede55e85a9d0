"""A token's end, its number, its last use, and what becomes of it with its holder."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select
from starlette.testclient import TestClient

from bubbles import accounts, channels, leave, upkeep
from bubbles.app import House
from bubbles.db import tokens
from bubbles.model.account import Account
from bubbles.model.channel import Role
from bubbles.model.token import Scope, ScopedToken
from tests.http.conftest import Clock
from tests.http.people import People
from tests.http.test_leaving import team
from tests.http.test_scopes import limited
from tests.http.uploading import post

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
