"""Who the first account is: the operator's own, and nobody after it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from bubbles import accounts
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db.engine import Database
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.times import utc_now
from bubbles.serve import announce
from tests.test_at_once import is_waiting


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    blobs = open_store((tmp_path / "blobs").as_uri())
    return House(Settings(data_dir=tmp_path), database, blobs, transcriber=None)  # type: ignore[arg-type]


def announced(house: House) -> str:
    said: list[str] = []
    announce(house, said.append)
    return "\n".join(said)


def test_processes_that_start_at_once_make_one_first_account(house: House) -> None:
    def first() -> int | None:
        with house.database.transaction() as session:
            account = accounts.first(session, now=utc_now())
            return account.id if account else None

    with ThreadPoolExecutor(1) as pool, house.database.transaction() as session:
        mine = accounts.first(session, now=utc_now())
        other = pool.submit(first)
        while not is_waiting(house.database):
            assert not other.done()
        session.commit()
        assert mine is not None
        assert other.result(60) == mine.id


def test_the_first_owner_is_let_in_and_nobody_inherits_that(house: House) -> None:
    assert "Sign in as @owner, once: http://localhost:8000/sign-in/" in announced(house)
    with house.database.transaction() as session:
        owner = accounts.require_first(session, now=utc_now())
        assert owner.handle == "owner"
        accounts.close(session, owner, now=utc_now())
    assert "bubbles account create" in announced(house)
    with house.database.transaction() as session:
        accounts.create(session, "stranger", now=utc_now())
    told = announced(house)
    assert "bubbles account create" in told
    assert "/sign-in/" not in told and "stranger" not in told
    with house.database.transaction() as session:
        assert [each.handle for each in session.exec(select(Account))] == ["owner", "stranger"]
        with pytest.raises(Refused) as refused:
            accounts.require_first(session, now=utc_now())
    assert refused.value.code is Code.NOT_FOUND


def test_behind_a_proxy_that_is_not_named_serving_warns(house: House) -> None:
    settings = house.settings.model_copy(update={"base_url": "https://bubbles.example"})
    for changed, warned in ((settings, True), (settings.model_copy(update={"trusted_proxies": "127.0.0.1"}), False)):
        with capture_logs() as logged:
            announced(replace(house, settings=changed))
        assert any(each["event"] == "no_trusted_proxies" for each in logged) is warned
