"""Refusals on the wire: what any request may meet, and what is a bug and is told as one."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlmodel import Session, select
from starlette.testclient import TestClient

from bubbles.http import bubbles as handlers
from bubbles.http.asgi import create_app
from bubbles.model.upload import Upload
from tests.http.uploading import post


@pytest.fixture
def client(house: Any) -> Iterator[TestClient]:
    with TestClient(create_app(house), raise_server_exceptions=False) as client:
        yield client


def test_half_a_surrogate_pair_is_told_and_breaks_nothing(client: TestClient, world: Any) -> None:
    channel, owner = world.channel()
    path = f"/api/bubbles/{world.bubble(channel, length_bytes=9).code}"
    answer = client.patch(path, content=b'{"\\ud800": 1}', headers=owner)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


# The database

TOO_SLOW = "SET LOCAL statement_timeout = 20; SELECT pg_sleep(10)"
DIES = "SELECT pg_terminate_backend(pg_backend_pid())"
TOO_MANY_WORDS = "SELECT to_tsvector(string_agg(md5(n::text), ' ')) FROM generate_series(1, 50000) AS n"


@pytest.mark.parametrize(
    ("statement", "status", "said"),
    [(TOO_SLOW, 503, "took too long"), (DIES, 503, "away"), (TOO_MANY_WORDS, 500, "went wrong")],
    ids=["too slow", "dies", "a limit of ours"],
)
def test_only_a_database_that_is_away_or_slow_is_unavailable(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, *, statement: str, status: int, said: str
) -> None:
    def find(session: Session, query: Any) -> None:
        session.connection().execute(text(statement))

    monkeypatch.setattr(handlers.find, "find", find)
    answer = client.get("/api/bubbles")
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert ("retry-after" in answer.headers) == (status == 503)
    assert client.get("/readyz").status_code == 200


def test_when_no_connection_comes_free_it_is_unavailable(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(session: Session, query: Any) -> None:
        raise NoConnectionFree

    monkeypatch.setattr(handlers.find, "find", find)
    answer = client.get("/api/bubbles")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


@dataclass
class Slow:
    """A store so slow that another upload gets the key of the one that it keeps."""

    house: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.house.blobs, name)

    def put(self, *arguments: Any, **named: Any) -> Any:
        with self.house.database.transaction() as session:
            upload = session.exec(select(Upload).where(Upload.idempotency_key == "late")).one()
            upload.ended_at = upload.started_at
            session.flush()
            session.add(Upload(account_id=upload.account_id, idempotency_key="late", started_at=upload.started_at))
        return self.house.blobs.put(*arguments, **named)


def test_a_key_that_went_to_another_upload_is_a_conflict(house: Any, world: Any) -> None:
    _, author = world.channel()
    with TestClient(create_app(replace(house, blobs=Slow(house))), raise_server_exceptions=False) as client:
        answer = post(client, author, key="late")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


# The machine


@pytest.mark.parametrize("lacking", [errno.ENOSPC, errno.EMFILE])
def test_whoever_uploads_to_a_machine_without_room_is_told_to_come_again(
    client: TestClient, world: Any, house: Any, monkeypatch: pytest.MonkeyPatch, lacking: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(lacking, os.strerror(lacking))

    monkeypatch.setattr("bubbles.http.multipart._Reader.feed", full)
    _, author = world.channel()
    answer = post(client, author, key="full")
    assert (answer.status_code, answer.json()["code"], "retry-after" in answer.headers) == (503, "unavailable", True)
    assert list(house.settings.uploads_dir.iterdir()) == []
    monkeypatch.undo()
    assert post(client, author, key="full").status_code == 202


def test_another_trouble_with_a_file_is_a_bug(client: TestClient, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("bubbles.http.multipart._Reader.feed", broken)
    assert post(client, world.channel()[1]).status_code == 500


# Methods, sign-in, and the Host header


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/bubbles", "GET, HEAD, POST"),
        ("/api/bubbles/AAAAAAAAAAAAAAAA", "DELETE, GET, HEAD, PATCH"),
        ("/api/bubbles/AAAAAAAAAAAAAAAA/transcript", "PUT"),
        ("/sign-in/secret", "GET, HEAD, POST"),
        ("/media/AAAAAAAAAAAAAAAA.m4a", "GET, HEAD"),
        ("/assets/main.js", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_every_right_one(client: TestClient, path: str, allowed: str) -> None:
    for method in ("OPTIONS", "BREW"):
        answer = client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "Bearer"),
        ({"Accept": "text/html"}, "Bearer"),
        ({"Authorization": "Bearer wrong"}, 'Bearer error="invalid_token"'),
    ],
)
def test_who_must_sign_in_is_told_how(client: TestClient, headers: dict[str, str], told: str) -> None:
    answer = client.post("/api/bubbles", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, told)


@pytest.mark.parametrize("path", ["/search/", "/api/bubbles/", "/b/AAAAAAAAAAAAAAAA/"])
def test_the_host_header_leads_nobody_away(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Host": "evil.example"}, follow_redirects=False)
    assert answer.status_code == 404
    assert "evil.example" not in answer.text
