"""What must go goes: blobs that are doomed, recordings that nobody needs, uploads that died."""

import asyncio
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from bubbles import accounts, chores, ids, moderation, upkeep
from bubbles.app import House
from bubbles.blobs.disk import DiskStore
from bubbles.config import Settings
from bubbles.db import bubbles, discards
from bubbles.db import jobs as db_jobs
from bubbles.db.jobs import Workers
from bubbles.errors import Missing
from bubbles.model.bubble import Bubble
from bubbles.model.discard import Discard
from bubbles.model.step import StepName
from bubbles.model.times import utc_now
from bubbles.model.upload import Upload
from bubbles.pipeline import at_once as at_once_of
from bubbles.pipeline import jobs
from bubbles.shift import Shift

NOW = utc_now()
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
PATIENCE_S = 60
STEPS = set(StepName)
_number = count()


class Stuck(DiskStore):
    """A store that cannot delete some blobs."""

    def delete(self, key: str) -> None:
        if "stuck" in key:
            raise Missing("store", "something else lies in its place")
        super().delete(key)


@pytest.fixture
def house(database, tmp_path) -> House:
    with database.transaction() as session:
        discards.done(session, list(session.exec(select(Discard.blob_key))))
    return House(Settings(data_dir=tmp_path), database, Stuck(tmp_path / "blobs"), None, now=lambda: NOW)


@pytest.fixture
def session(house: House) -> Iterator[Session]:
    """A transaction in which a test looks at what has become of things."""
    with house.database.transaction() as session:
        yield session


def put(house: House, key: str) -> str:
    source = house.settings.data_dir / "source"
    source.write_bytes(b"sound")
    house.blobs.put(key, source, sha256=hashlib.sha256(b"sound").hexdigest(), content_type="audio/ogg")
    return key


def bubble(house: House, **columns: object) -> Bubble:
    """A bubble with a recording that is in the store."""
    code = ids.new_code()
    key = put(house, f"recordings/{code}/sound")
    with house.database.transaction() as session:
        account = accounts.create(session, f"somebody{next(_number)}", now=NOW)
        values = {"channel_id": account.id, "author_id": account.id, "duration_s": 1.0, "recorded_at": NOW}
        made = Bubble(code=code, recording_key=key, recording_sha256="0", recording_bytes=5, created_at=NOW, **values)
        for name, value in columns.items():
            setattr(made, name, value)
        session.add(made)
    return made


def doom(house: House, *keys: str, ago: timedelta = timedelta(0)) -> None:
    with house.database.transaction() as session:
        discards.doom(session, [put(house, key) for key in keys], NOW - ago)


def kept(house: House) -> set[str]:
    return set(house.blobs.keys(""))


def test_a_blob_that_cannot_be_deleted_holds_up_no_other(house):
    doom(house, "renditions/stuck/a", "renditions/stuck/b", ago=2 * DAY)
    doom(house, *(f"renditions/free/{number}" for number in range(150)), ago=DAY)
    with pytest.raises(Missing):
        upkeep.discard(house.database, house.blobs, now=NOW)
    assert kept(house) == {"renditions/stuck/a", "renditions/stuck/b"}
    with house.database.transaction() as session:
        assert sorted(discards.take(session, NOW + MINUTE, limit=10)) == ["renditions/stuck/a", "renditions/stuck/b"]


def test_a_store_that_is_away_is_not_asked_for_each_blob(house, monkeypatch):
    doom(house, *(f"renditions/stuck/{number}" for number in range(20)), ago=DAY)
    asked = []
    monkeypatch.setattr(house.blobs, "delete", lambda key: asked.append(key) or Stuck.delete(house.blobs, key))
    with pytest.raises(Missing):
        upkeep.discard(house.database, house.blobs, now=NOW)
    assert len(asked) == upkeep.FAILURES_MAX


def test_what_is_withdrawn_while_the_store_is_away_is_purged_within_a_minute_of_its_return(house, tmp_path):
    gone = bubble(house)
    (tmp_path / "blobs").rename(tmp_path / "unmounted")
    with house.database.transaction() as session:
        moderation.withdraw(session, bubbles.get(session, gone.id), by="", reason="", now=NOW)
    (every_minute,) = (job for job in jobs(house, Shift()) if job.name == "discard")
    assert every_minute.cron == "* * * * *"
    every_minute.run()
    (tmp_path / "unmounted").rename(tmp_path / "blobs")
    assert kept(house) == {f"recordings/{gone.code}/sound"}
    object.__setattr__(house, "now", lambda: NOW + MINUTE)
    every_minute.run()
    assert kept(house) == set()


class Endless(DiskStore):
    """A store that is so large that its names are still being read when the test has ended."""

    read = Event()

    def keys(self, prefix: str, *, before: datetime | None = None) -> Iterator[str]:
        self.read.wait(PATIENCE_S)
        return iter(())


def test_reading_the_names_of_a_large_store_holds_up_no_purge(house: House, tmp_path: Path):
    house = replace(house, blobs=Endless(tmp_path / "blobs"))
    put(house, "renditions/gone/a")
    with house.database.transaction() as session:
        session.connection().execute(text("TRUNCATE procrastinate_jobs CASCADE"))
        (orphans,) = [job for job in jobs(house, Shift()) if job.name == "orphans"]
        db_jobs.enqueue(session, "orphans", queue=orphans.queue)
    at_once = {queue: count for queue, count in at_once_of(house.settings).items() if queue not in STEPS}
    workers = Workers(
        house.database.libpq_url, jobs(house, Shift()), concurrency=at_once, stalled_after_s=30, on_stop=lambda: None
    )

    def withdraw_and_look() -> bool:
        with house.database.transaction() as session:
            discards.add(session, ["renditions/gone/a"], NOW)
        deadline_s = time.monotonic() + PATIENCE_S / 2
        while is_there(house, "renditions/gone/a") and time.monotonic() < deadline_s:
            time.sleep(0.05)
        return not is_there(house, "renditions/gone/a")

    async def work() -> bool:
        running = asyncio.create_task(workers.run())
        while not await asyncio.to_thread(begun, house, "orphans"):
            await asyncio.sleep(0.05)
        try:
            return await asyncio.to_thread(withdraw_and_look)
        finally:
            Endless.read.set()
            workers.stop()
            await running

    assert asyncio.run(asyncio.wait_for(work(), 2 * PATIENCE_S))


def begun(house: House, name: str) -> bool:
    """Whether a worker has taken a job."""
    with house.database.transaction() as session:
        doing = text("SELECT FROM procrastinate_jobs WHERE task_name = :name AND status = 'doing'")
        return session.connection().execute(doing, {"name": name}).first() is not None


def is_there(house: House, key: str) -> bool:
    try:
        house.blobs.size(key)
    except KeyError:
        return False
    return True


def test_of_many_bubbles_that_are_withdrawn_everything_goes_at_once(house: House, tmp_path: Path):
    gone = bubble(house)
    doom(house, *(f"renditions/{gone.code}/{number}" for number in range(150)))
    with house.database.transaction() as session:
        moderation.withdraw(session, bubbles.get(session, gone.id), by="", reason="", now=NOW)
    told = [upkeep.discard(house.database, house.blobs, now=NOW) for _ in range(2)]
    assert kept(house) == set()
    assert told == [1, 0]  # its recording; the others are counted once, when their dooms are due
    assert upkeep.discard(house.database, house.blobs, now=NOW + discards.GRACE) == 150


def test_what_a_step_had_stored_goes_with_the_bubble_and_its_doom_waits_for_the_step(house):
    gone, other = bubble(house, recording_key=None, withdrawn_at=NOW), bubble(house)
    doom(house, f"renditions/{gone.code}/late.ogg", f"renditions/{other.code}/new.ogg")
    upkeep.discard(house.database, house.blobs, now=NOW)
    assert f"renditions/{gone.code}/late.ogg" not in kept(house)
    assert f"renditions/{other.code}/new.ogg" in kept(house)
    put(house, f"renditions/{gone.code}/late.ogg")  # by a step that goes on storing
    upkeep.discard(house.database, house.blobs, now=NOW + discards.GRACE)
    assert not any(gone.code in key for key in kept(house) if key.startswith("renditions/"))


def test_a_recording_that_nothing_could_be_made_from_is_kept_for_some_time(house, session):
    def ended(before: timedelta, **columns: object) -> Bubble:
        return bubble(house, **columns | {"failed_at": NOW - before})

    old, young, asked = ended(31 * DAY), ended(29 * DAY), ended(31 * DAY, keep_recording=True)
    refused, playable = bubble(house, refused_at=NOW - 31 * DAY), bubble(house, playable_at=NOW - 99 * DAY)
    assert upkeep.drop_old_recordings(house.database, now=NOW, kept=30 * DAY) == 2
    assert upkeep.drop_old_recordings(house.database, now=NOW, kept=30 * DAY) == 0
    upkeep.discard(house.database, house.blobs, now=NOW)
    assert kept(house) == {str(each.recording_key) for each in (young, asked, playable)}
    rows = session.exec(select(Bubble.recording_key).where(col(Bubble.id).in_([old.id, refused.id])))
    assert list(rows) == [None, None]


def test_an_upload_that_died_is_ended_and_one_that_lives_is_not(house, session):
    def upload(started: timedelta, seen: timedelta | None) -> Upload:
        account = accounts.create(session, f"somebody{next(_number)}", now=NOW)
        seen_at = None if seen is None else NOW - seen
        session.add(made := Upload(account_id=account.id, started_at=NOW - started, seen_at=seen_at))
        return made

    dead, silent, alive = upload(3 * DAY, 2 * DAY), upload(2 * DAY, None), upload(2 * DAY, MINUTE)
    session.commit()
    upkeep.forget(house.database, now=NOW, idempotency_days=30)
    with house.database.transaction() as after:
        found = [after.get_one(Upload, each.id) for each in (dead, silent, alive)]
    assert [each.outcome for each in found] == ["abandoned", "abandoned", None]
    assert [each.ended_at for each in found] == [NOW - 2 * DAY, NOW - 2 * DAY, None]


def test_temporary_files_go_after_a_day(tmp_path: Path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "sound").write_bytes(b"x")
    later: datetime = utc_now() + DAY
    assert upkeep.sweep_files(tmp_path, now=later - MINUTE) == 0
    assert upkeep.sweep_files(tmp_path, now=later + MINUTE) == 2
    assert upkeep.sweep_files(tmp_path, now=later + MINUTE) == 0
    assert list(tmp_path.iterdir()) == []


def test_every_machine_sweeps_its_own_folders(house, tmp_path):
    left = tmp_path / "uploads" / "left.part"
    left.parent.mkdir()
    left.write_bytes(b"x")
    two_days_ago = time.time() - 2 * DAY.total_seconds()
    os.utime(left, (two_days_ago, two_days_ago))
    with chores.tidying(house):
        deadline_s = time.monotonic() + PATIENCE_S
        while left.exists():
            assert time.monotonic() < deadline_s
            time.sleep(0.01)


def test_a_blob_that_is_being_deleted_is_not_kept(house):
    with house.database.transaction() as session:
        discards.add(session, ["recordings/late"], NOW)
        assert "recordings/late" in discards.take(session, NOW, limit=100)
    with pytest.raises(discards.TooLate), house.database.transaction() as session:
        discards.keep(session, ["recordings/late"])
