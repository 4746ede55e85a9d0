"""The marks of what was erased: stored by upkeep, until it worked, with nothing of what it was."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bubbles import accounts, erasures, ids, leave, moderation, pipeline, upkeep
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db import channels
from bubbles.db.engine import Database
from bubbles.errors import Missing
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.erasure import of_account
from bubbles.shift import Shift

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    blobs = open_store((tmp_path / "blobs").as_uri())
    return House(Settings(data_dir=tmp_path), database, blobs, transcriber=None, now=lambda: NOON)  # type: ignore[arg-type]


@pytest.fixture
def account(house: House) -> Account:
    with house.database.transaction() as session:
        return accounts.create(session, f"a{ids.new_code().lower().strip('-_')}", now=NOON)


def bubble(house: House, account: Account) -> Bubble:
    with house.database.transaction() as session:
        channel = channels.by_handle(session, account.handle)
        assert channel
        made = Bubble(
            code=ids.new_code(), channel_id=channel.id, author_id=account.id, title="Secret", duration_s=1.0,
            recording_sha256="0", recording_bytes=1, recorded_at=NOON, created_at=NOON,
        )  # fmt: skip
        session.add(made)
        session.flush()
        return made


def withdraw(house: House, made: Bubble) -> None:
    with house.database.transaction() as session:
        moderation.withdraw(session, session.merge(made), by="someone", reason="asked", now=NOON)


def marks(house: House) -> dict[str, dict[str, object]]:
    return {key: json.loads(b"".join(house.blobs.open_range(key, 0, 1000))) for key in erasures.keys(house.blobs)}


def run_job(house: House, name: str) -> None:
    next(job for job in pipeline.jobs(house, Shift()) if job.name == name).run()


def test_a_withdrawn_bubble_leaves_its_code_and_when_it_went_and_nothing_else(house: House, account: Account) -> None:
    gone, _ = bubble(house, account), bubble(house, account)
    withdraw(house, gone)
    run_job(house, "erasures")
    told = marks(house)
    assert told[f"erasures/bubbles/{gone.code}"] == {"erased_at": NOON.isoformat(), "everywhere": False}
    assert "Secret" not in str(told) and "someone" not in str(told)
    assert len([key for key in told if "bubbles/" in key]) == 1
    assert erasures.mark(house.database, house.blobs, now=NOON) == 0


def test_a_closed_account_leaves_its_number_and_when_it_was_made(house: House, account: Account) -> None:
    with house.database.transaction() as session:
        leave.leave(session, session.merge(account), everywhere=True, now=NOON)
    run_job(house, "erasures")
    assert marks(house)[of_account(account.id, NOON)] == {"erased_at": NOON.isoformat(), "everywhere": True}
    assert account.handle not in str(marks(house))


def test_a_store_that_is_away_gets_the_mark_later(house: House, account: Account) -> None:
    gone = bubble(house, account)
    withdraw(house, gone)
    folder = house.settings.data_dir / "blobs"
    folder.rename(folder.with_name("unmounted"))
    run_job(house, "erasures")
    with pytest.raises(Missing):
        erasures.mark(house.database, house.blobs, now=NOON)
    folder.with_name("unmounted").rename(folder)
    run_job(house, "erasures")
    assert f"erasures/bubbles/{gone.code}" in marks(house)


def test_a_mark_that_is_there_already_is_no_error(house: House, account: Account) -> None:
    gone = bubble(house, account)
    erasures.put(house.blobs, erasures.Mark(f"erasures/bubbles/{gone.code}", NOON - timedelta(days=1), False))
    withdraw(house, gone)
    assert erasures.mark(house.database, house.blobs, now=NOON) >= 1


def test_what_an_older_release_withdrew_is_marked_too(house: House, account: Account) -> None:
    gone = bubble(house, account)
    with house.database.transaction() as session:
        session.connection().execute(text("UPDATE bubble SET withdrawn_at = now() WHERE id = :id"), {"id": gone.id})
    run_job(house, "forget")
    run_job(house, "erasures")
    assert f"erasures/bubbles/{gone.code}" in marks(house)


def test_a_purge_leaves_the_mark_alone(house: House, account: Account) -> None:
    gone = bubble(house, account)
    withdraw(house, gone)
    run_job(house, "erasures")
    upkeep.discard(house.database, house.blobs, now=NOON + timedelta(days=2))
    house.blobs.sweep(before=NOON + timedelta(days=2))
    assert f"erasures/bubbles/{gone.code}" in marks(house)


def test_a_flood_of_marks_leaves_room_for_other_upkeep(house: House, account: Account) -> None:
    gone = [bubble(house, account) for _ in range(3)]
    erasures.mark(house.database, house.blobs, now=NOON)
    for each in gone:
        withdraw(house, each)
    assert erasures.mark(house.database, house.blobs, now=NOON, at_most=2) == 2
    assert erasures.mark(house.database, house.blobs, now=NOON, at_most=2) == 1
    assert {f"erasures/bubbles/{each.code}" for each in gone} <= set(marks(house))
