"""While a release replaces another both let people in by tokens, each by those that it understands."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bubbles import accounts, upkeep
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db import tokens
from bubbles.db.engine import Database
from bubbles.http.asgi import create_app
from bubbles.model.times import utc_now
from bubbles.model.token import Scope
from tests.conftest import CHECKOUT

PATIENCE_S = 60
DOOR = Path(__file__).with_name("release_door.py")
ANSWER = "answer: "


@dataclass
class Door:
    """A process of the last release that serves."""

    process: subprocess.Popen[str]

    def answers(self, line: str) -> str:
        """What it says to a line; what it logs beside is passed over."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.next_answer()

    def next_answer(self) -> str:
        """The next thing it says; nothing once it has ended."""
        assert self.process.stdout
        said = (line.strip() for line in self.process.stdout)
        return next((line.removeprefix(ANSWER) for line in said if line.startswith(ANSWER)), "")


@pytest.fixture
def door(last_release: Path, released: Database, tmp_path: Path) -> Iterator[Door]:
    """The last release on the newest schema."""
    released.migrate()
    command = [str(DOOR), str(last_release), released.libpq_url, str(tmp_path / "door")]
    (tmp_path / "door").mkdir()
    with (tmp_path / "told").open("w") as told, subprocess.Popen(
        [sys.executable, *command, str(CHECKOUT / "web")],
        cwd=last_release, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, text=True,
    ) as process:  # fmt: skip
        opened = Door(process)
        assert opened.next_answer() == "serving", (tmp_path / "told").read_text()[-4000:]
        yield opened
        assert process.stdin
        process.stdin.close()
        process.wait(PATIENCE_S)


@pytest.fixture
def ours(released: Database, tmp_path: Path) -> Iterator[TestClient]:
    """This release on the same database."""
    blobs = open_store((tmp_path / "blobs").as_uri())
    house = House(Settings(data_dir=tmp_path), released, blobs, transcriber=None)  # type: ignore[arg-type] # nobody speaks
    with TestClient(create_app(house)) as client:
        yield client


def test_the_last_release_lets_in_the_tokens_that_it_knows_and_no_limited_one(
    door: Door, ours: TestClient, released: Database
) -> None:
    now, day = utc_now(), timedelta(days=1)
    with released.transaction() as session:
        account = accounts.create(session, "holder", now=now)
        limits: dict[str, dict[str, Any]] = {
            "everything": {},
            "limited": {"scopes": {Scope.PUBLISH}},
            "until tomorrow": {"valid_for": day},
            "limited until tomorrow": {"scopes": {Scope.EDIT}, "valid_for": day},
        }
        made = {name: accounts.new_token(session, account, now=now, **each) for name, each in limits.items()}
        ended = accounts.new_token(session, account, now=now - 2 * day, valid_for=day)
    for name, secret in made.items():
        assert let_in(ours, secret) == 200, name
        assert door.answers(secret) == ("200" if name == "everything" else "401"), name
    assert (let_in(ours, ended), door.answers(ended)) == (401, "401")
    assert door.answers("close holder") == "closed"
    assert {let_in(ours, secret) for secret in made.values()} == {401}
    upkeep.forget(released, now=utc_now(), idempotency_days=30)
    with released.transaction() as session:
        assert tokens.held(session, account.id) == []


def let_in(client: TestClient, secret: str) -> int:
    return int(client.get("/api/me", headers={"Authorization": f"Bearer {secret}"}).status_code)
