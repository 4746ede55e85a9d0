"""Restoring: only into an empty place, only what is whole, and never what was erased."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from bubbles import upkeep
from bubbles.app import House
from bubbles.archive import Archive, Manifest, digest
from bubbles.backup import back_up
from bubbles.blobs.store import put_bytes
from bubbles.db import discards, dump, named
from bubbles.db.engine import MIGRATIONS, Database, revisions
from bubbles.errors import Code, Missing, Refused
from bubbles.model.bubble import State
from bubbles.restore import restore
from tests.keeping.conftest import NewHouse, count, journey, kept, published, row, shelved, until_gone, work_off


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


@pytest.mark.parametrize("all_settings_known", [True, False])
def test_a_load_that_breaks_off_at_its_end_leaves_nothing(
    new_house: NewHouse, backups: Path, monkeypatch: pytest.MonkeyPatch, all_settings_known: bool
) -> None:
    monkeypatch.setattr(dump, "KNOWS_ALL_SETTINGS", 0 if all_settings_known else 999_999)
    after = new_house(migrated=False)
    with after.database.transaction() as session:  # has the name of an index, which comes last
        session.connection().exec_driver_sql("CREATE SEQUENCE bubble_newest")
    with pytest.raises(Missing, match="bubble_newest"):
        restore(after, backups)
    assert count(after, "pg_tables WHERE schemaname = 'public'") == 0
    with after.database.transaction() as session:
        session.connection().exec_driver_sql("DROP SEQUENCE bubble_newest")
    assert restore(after, backups).absent == []


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


def test_a_load_that_outlived_its_command_is_waited_for(new_house: NewHouse, backups: Path) -> None:
    after = new_house(migrated=False)
    with psycopg.connect(after.database.libpq_url, application_name=dump.CLIENT):
        assert "still loading" in refusal(after, backups).detail
    assert_untouched(after)
    until_gone(after)
    assert restore(after, backups).absent == []


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


def test_a_voice_that_was_in_hand_is_heard_from_what_was_made_of_it_since(
    house: House, new_house: NewHouse, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discards, "GRACE", timedelta(0))
    bubble = published(house, sound)
    with house.database.transaction() as session:  # normalise had just begun
        renditions = [f"renditions/{bubble.code}/{kind}" for kind in "ab"]
        discards.doom(session, renditions, house.now())
    back_up(house, tmp_path / "backups", keep=7, with_blobs=False)
    journey(house, bubble)
    after = new_house(migrated=False, blobs=house.blobs)
    assert restore(after, tmp_path / "backups", with_blobs=False).absent == []
    upkeep.discard(after.database, after.blobs, now=after.now() + timedelta(hours=2))
    work_off(after)
    assert row(after, bubble.code).state is State.READY


def test_a_backup_of_the_release_before_comes_to_the_newest_schema(
    new_house: NewHouse, new_database: Callable[[bool], Database], tmp_path: Path
) -> None:
    before = new_database(False)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with before._engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0009")
        connection.exec_driver_sql("INSERT INTO account (handle, created_at) VALUES ('someone', now())")
        connection.commit()
    with Archive.held(tmp_path / "backups", make=True) as archive:
        part = archive.begin()
        with dump.snapshot(before) as held:
            part.write_list(named.blobs(held.session))
            dump.dump(before, held, part.dump)
        told = Manifest(
            made_at="2026-01-01T00:00:00+00:00", revision=held.revision, server_version=held.server_version, bubbles=0,
            blobs=0, blobs_bytes=0, holds_blobs=True, gone=[], lost=[], dump_sha256=digest(part.dump),
            list_sha256=digest(part.list),
        )  # fmt: skip
        archive.finish(part, told)
    after = new_house(migrated=False)
    restore(after, tmp_path / "backups")
    assert count(after, "account WHERE handle = 'someone'") == 1
    assert count(after, f"alembic_version WHERE version_num = '{revisions()[0]}'") == 1
