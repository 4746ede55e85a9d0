"""Tokens that are limited: each opens its own routes and no other, until it ends, and it is seen when it was used."""

from datetime import timedelta
from itertools import chain, combinations
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from bubbles import accounts
from bubbles.app import House
from bubbles.db import tokens
from bubbles.http.routes import OPERATIONS, Operation
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Role
from bubbles.model.listening import Play
from bubbles.model.token import Scope
from bubbles.policy import SCOPE_OF, Action
from tests.http.pages_fixtures import Stage
from tests.http.people import People
from tests.http.test_export import channel_of
from tests.http.test_leaving import team
from tests.http.test_out_of_a_team import BODIES
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
    named = {"code": bubble.code, "handle": handle, "account": "nobody", "secret": "x", "number": 1}
    path = row.path.format(kind="m4a", format="txt", **named)
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
