"""What was erased after a backup stays erased, and who was signed in signs in again."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from bubbles import accounts, erasures, leave, sign_in
from bubbles.app import House
from bubbles.backup import back_up
from bubbles.db import tokens
from bubbles.model.account import Account
from bubbles.model.bubble import State
from bubbles.model.erasure import of_account
from bubbles.model.token import Scope
from bubbles.restore import restore
from tests.keeping.conftest import NewHouse, count, row, shelved, withdraw


def test_what_was_withdrawn_since_is_withdrawn_again(house: House, new_house: NewHouse, tmp_path: Path) -> None:
    gone, stays = shelved(house, title="Secret"), shelved(house)
    old = back_up(house, tmp_path / "backups", keep=7)
    withdraw(house, gone.code)
    back_up(house, tmp_path / "backups", keep=7)
    after = new_house(migrated=False)
    done = restore(after, tmp_path / "backups", name=old.name)
    assert (done.erased, done.absent) == (1, [])
    found = row(after, gone.code)
    assert (found.state, found.title) == (State.WITHDRAWN, "")
    assert row(after, stays.code).state is State.READY
    assert all(stays.code in key for key in after.blobs.keys("renditions/"))
    assert f"erasures/bubbles/{gone.code}" in after.blobs.keys("erasures/")


def test_the_former_store_still_tells_what_was_erased_after_the_last_backup(
    house: House, new_house: NewHouse, tmp_path: Path
) -> None:
    gone = shelved(house)
    back_up(house, tmp_path / "backups", keep=7)
    withdraw(house, gone.code)
    erasures.mark(house.database, house.blobs, now=house.now())
    unknowing, told = new_house(migrated=False), new_house(migrated=False)
    assert restore(unknowing, tmp_path / "backups").erased == 0
    assert restore(told, tmp_path / "backups", former=house.blobs).erased == 1
    assert row(told, gone.code).state is State.WITHDRAWN


def test_an_account_that_was_closed_since_is_closed_again_with_all_that_is_its(
    house: House, new_house: NewHouse, tmp_path: Path
) -> None:
    with house.database.transaction() as session:
        account = accounts.create(session, "leaver", now=house.now())
    theirs = shelved(house, handle="leaver")
    old = back_up(house, tmp_path / "backups", keep=7)
    with house.database.transaction() as session:
        leave.leave(session, session.merge(account), everywhere=False, now=house.now())
    erasures.mark(house.database, house.blobs, now=house.now())  # the worker died before it withdrew anything
    back_up(house, tmp_path / "backups", keep=7)
    after = new_house(migrated=False)
    assert restore(after, tmp_path / "backups", name=old.name).erased == 1
    assert row(after, theirs.code).state is State.WITHDRAWN
    with after.database.transaction() as session:
        assert session.get_one(Account, account.id).closed_at is not None


def test_another_account_of_the_same_number_is_not_closed(house: House, new_house: NewHouse, tmp_path: Path) -> None:
    with house.database.transaction() as session:
        account = accounts.create(session, "newcomer", now=house.now())
    earlier = of_account(account.id, account.created_at - timedelta(days=1))
    erasures.put(house.blobs, erasures.Mark(earlier, house.now(), everywhere=False))
    back_up(house, tmp_path / "backups", keep=7)
    after = new_house(migrated=False)
    restore(after, tmp_path / "backups")
    with after.database.transaction() as session:
        assert session.get_one(Account, account.id).closed_at is None


def test_no_session_no_link_and_no_key_of_a_day_comes_back(house: House, new_house: NewHouse, tmp_path: Path) -> None:
    with house.database.transaction() as session:
        account = accounts.create(session, "someone", now=house.now())
        sign_in.new_link(session, account, now=house.now(), valid_for=timedelta(days=1))
        accounts.new_token(session, account, now=house.now())
        accounts.new_token(session, account, now=house.now(), scopes={Scope.PUBLISH}, valid_for=timedelta(days=1))
        session.connection().execute(text("INSERT INTO day_key VALUES ('2026-01-01', 'x')"))
    back_up(house, tmp_path / "backups", keep=7)
    after = new_house(migrated=False)
    restore(after, tmp_path / "backups")
    assert [count(after, table) for table in ("sign_in_link", "web_session", "day_key")] == [0, 0, 0]
    assert (count(after, "token"), count(after, "scoped_token")) == (1, 1)
    with after.database.transaction() as session:
        accounts.new_token(session, accounts.require(session, "someone"), now=house.now(), scopes={Scope.EDIT})
        numbers = [token.id for token in tokens.held(session, account.id)]
    assert len(set(numbers)) == 3
    assert count(after, "procrastinate_jobs") == count(house, "procrastinate_jobs")
