"""Restoring: only into an empty place, only what is whole, and never what was erased."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bubbles import accounts, erasures, leave, sign_in
from bubbles.app import House
from bubbles.archive import Archive
from bubbles.backup import back_up
from bubbles.blobs.store import put_bytes
from bubbles.db import dump
from bubbles.errors import Code, Missing, Refused
from bubbles.model.account import Account
from bubbles.model.bubble import State
from bubbles.model.erasure import of_account
from bubbles.restore import restore
from tests.keeping.conftest import NewHouse, count, kept, row, shelved, withdraw


@pytest.fixture
def backups(house: House, tmp_path: Path) -> Path:
    """A backup of one bubble."""
    shelved(house)
    back_up(house, tmp_path / "backups", keep=7)
    return tmp_path / "backups"


def assert_untouched(house: House) -> None:
    assert list(house.blobs.keys("")) == []
    assert count(house, "pg_namespace WHERE nspname LIKE 'bubbles%'") == 0
    assert count(house, "pg_tables WHERE schemaname = 'public'") == 0


def refusal(house: House, folder: Path, **options) -> Refused:
    with pytest.raises(Refused) as refused:
        restore(house, folder, **options)
    return refused.value


# Refused, with nothing written


def test_a_database_that_is_not_empty_is_refused(new_house: NewHouse, backups: Path) -> None:
    after = new_house()
    assert "not empty" in refusal(after, backups).detail
    assert list(after.blobs.keys("")) == []


def test_a_store_that_is_not_empty_is_refused(new_house: NewHouse, backups: Path) -> None:
    after = new_house(migrated=False)
    put_bytes(after.blobs, "recordings/other/1", b"theirs")
    assert "recordings/other/1" in refusal(after, backups).detail
    after.blobs.delete("recordings/other/1")
    assert_untouched(after)


def spoil_dump(archive: Archive) -> None:
    file = archive.choose("").dump
    file.write_bytes(file.read_bytes()[:-1] + b"x")


def spoil_list(archive: Archive) -> None:
    archive.choose("").list.write_bytes(b"")


def lose_blob(archive: Archive) -> None:
    archive.blobs.delete(next(archive.choose("").named()).key)


def cut_blob(archive: Archive) -> None:
    archive.path(next(archive.choose("").named())).write_bytes(b"short")


@pytest.mark.parametrize("harm", [spoil_dump, spoil_list, lose_blob, cut_blob])
def test_a_damaged_backup_is_refused(new_house: NewHouse, backups: Path, harm: Callable[[Archive], None]) -> None:
    with Archive.held(backups) as archive:
        harm(archive)
    after = new_house(migrated=False)
    assert "damaged" in refusal(after, backups).detail
    assert_untouched(after)


def test_a_newer_backup_is_refused(new_house: NewHouse, backups: Path) -> None:
    with Archive.held(backups) as archive:
        manifest = archive.choose("").folder / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"revision": "', '"revision": "9'))
    after = new_house(migrated=False)
    assert "newer release" in refusal(after, backups).detail
    assert_untouched(after)


def test_no_backup_is_no_backup(new_house: NewHouse, backups: Path, tmp_path: Path) -> None:
    after = new_house(migrated=False)
    assert refusal(after, tmp_path / "elsewhere").code is Code.NOT_FOUND
    assert refusal(after, backups, name="20200101T000000.000000Z").code is Code.NOT_FOUND
    assert not (tmp_path / "elsewhere").exists()


def test_a_blob_that_rotted_in_the_backup_is_told_and_never_served(new_house: NewHouse, backups: Path) -> None:
    with Archive.held(backups) as archive:
        rotten = next(archive.choose("").named())
        archive.path(rotten).write_bytes(b"x" * rotten.length_bytes)
    after = new_house(migrated=False)
    assert restore(after, backups).absent == [rotten.key]
    assert len(list(after.blobs.keys("renditions/"))) == 1


def test_an_older_server_is_spared_what_it_does_not_know(
    new_house: NewHouse, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump, "KNOWS_ALL_SETTINGS", 999_999)
    after = new_house(migrated=False)
    assert restore(after, backups).absent == []
    assert count(after, "bubble") == 1
    assert [path.name for path in Archive(backups).choose("").folder.iterdir() if "part" in path.name] == []


def test_a_script_that_fails_loads_nothing(new_house: NewHouse, backups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump, "KNOWS_ALL_SETTINGS", 999_999)
    monkeypatch.setattr(dump, "LOAD_OPTIONS", ("--section=pre-data", "--section=nonsense"))
    after = new_house(migrated=False)
    with pytest.raises(Missing):
        restore(after, backups)
    assert count(after, "pg_tables WHERE schemaname = 'public'") == 0


# Half-way


def test_a_house_that_is_half_restored_opens_to_nobody(
    new_house: NewHouse, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = new_house(migrated=False)
    monkeypatch.setattr("bubbles.db.restored.end", lambda database: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        restore(after, backups)
    monkeypatch.undo()
    with pytest.raises(Missing, match="broken off"):
        after.database.migrate()
    restore(after, backups)
    after.database.migrate()
    assert "not empty" in refusal(after, backups).detail


def test_another_backup_is_not_mixed_in(
    house: House, new_house: NewHouse, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = new_house(migrated=False)
    first = Archive(backups).choose("").folder.name
    monkeypatch.setattr("bubbles.db.dump.load", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        restore(after, backups)
    monkeypatch.undo()
    shelved(house)
    back_up(house, backups, keep=7)
    assert "Another backup" in refusal(after, backups).detail
    restore(after, backups, name=first)
    assert count(after, "bubble") == 1


# The store as it is


def test_a_lost_database_comes_back_beside_a_store_that_was_not_lost(
    house: House, new_house: NewHouse, tmp_path: Path
) -> None:
    lost, whole = shelved(house), shelved(house)
    back_up(house, tmp_path / "backups", keep=7, with_blobs=False)
    house.blobs.delete(kept(house, lost)[0])
    after = new_house(migrated=False, blobs=house.blobs)
    assert "without blobs" in refusal(after, tmp_path / "backups").detail
    assert restore(after, tmp_path / "backups", with_blobs=False).absent == [kept(house, lost)[0]]
    assert row(after, whole.code).state is State.READY


# Erased since


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
        account = accounts.create(session, "owner", now=house.now())
        sign_in.new_link(session, account, now=house.now(), valid_for=timedelta(days=1))
        accounts.new_token(session, account, now=house.now())
        session.connection().execute(text("INSERT INTO day_key VALUES ('2026-01-01', 'x')"))
    back_up(house, tmp_path / "backups", keep=7)
    after = new_house(migrated=False)
    restore(after, tmp_path / "backups")
    assert [count(after, table) for table in ("sign_in_link", "web_session", "day_key")] == [0, 0, 0]
    assert count(after, "token") == 1
    assert count(after, "procrastinate_jobs") == count(house, "procrastinate_jobs")
