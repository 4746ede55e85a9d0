"""The queue: who comes first, and what becomes of the jobs of workers that died. The order is Procrastinate's own."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bubbles.db import jobs
from bubbles.db.engine import Database
from bubbles.db.jobs import Workers
from bubbles.errors import Missing
from bubbles.model.step import BEHIND, Urgency, turn_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FETCH = text("SELECT (procrastinate_fetch_job_v2(ARRAY[:queue], :worker)).args ->> 'what'")


@pytest.fixture(autouse=True)
def _empty(database: Database) -> None:
    with database.transaction() as session:
        session.connection().execute(text("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE"))


def add(database: Database, name: str, *, lock: str | None = None, **when: datetime | timedelta | None) -> None:
    with database.transaction() as session:
        jobs.enqueue(session, "normalise", queue="normalise", lock=lock, what=name, **when)


def worker(database: Database, *, silent_s: float = 0) -> int:
    new = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => :s)) RETURNING id"
    with database.transaction() as session:
        return int(session.connection().execute(text(new), {"s": silent_s}).scalar_one())


def fetch(database: Database, by: int | None = None) -> str | None:
    """The name of the job that a worker is given next."""
    by = worker(database) if by is None else by
    with database.transaction() as session:
        return session.connection().execute(FETCH, {"queue": "normalise", "worker": by}).scalar_one()


def recover(database: Database) -> list[str]:
    with database.transaction() as session:
        return jobs.recover(session, stalled_after_s=30)


def statuses(database: Database) -> list[str]:
    with database.transaction() as session:
        return list(session.connection().execute(text("SELECT status FROM procrastinate_jobs ORDER BY id")).scalars())


def test_the_earliest_turn_runs_first_whenever_it_was_added(database: Database) -> None:
    minute = timedelta(minutes=1)
    for name, turn_at in (("third", NOON + minute), ("first", NOON - minute), ("second", NOON)):
        add(database, name, turn_at=turn_at)
    assert [fetch(database) for _ in range(4)] == ["first", "second", "third", None]


def test_short_comes_before_long_and_a_person_before_the_many() -> None:
    turns = {
        "short": turn_of(NOON, 5),
        "long": turn_of(NOON, 120),
        "one of many": turn_of(NOON, 5, Urgency.LATER),
        "one of many more": turn_of(NOON, 5, Urgency.LATER, others=3),
        "again": turn_of(NOON, 5, Urgency.AGAIN),
    }
    assert sorted(turns, key=turns.__getitem__) == [
        "short",
        "long",
        "one of many",
        "one of many more",
        "again",
    ]


@pytest.mark.parametrize("urgency", Urgency)
def test_who_waits_long_enough_is_passed_by_nobody(urgency: Urgency) -> None:
    waits = turn_of(NOON, 120, urgency)
    assert waits > turn_of(NOON, 1)
    assert waits < turn_of(NOON + BEHIND[urgency] + timedelta(seconds=121), 0.3)


def test_a_job_that_another_of_its_lock_holds_up_holds_up_no_other(database: Database) -> None:
    add(database, "hangs", lock="one", turn_at=NOON)
    assert fetch(database) == "hangs"
    add(database, "the same again", lock="one", turn_at=NOON)
    add(database, "another", lock="two", turn_at=NOON + timedelta(hours=1))
    assert [fetch(database), fetch(database)] == ["another", None]


def test_a_job_takes_the_place_of_the_one_that_was_put_off(database: Database) -> None:
    add(database, "later", lock="one", run_in=timedelta(hours=1))
    add(database, "now", lock="one")
    assert [fetch(database), fetch(database)] == ["now", None]


BACKLOG = text("""
    INSERT INTO procrastinate_jobs (queue_name, task_name, lock, priority, args)
    SELECT 'normalise', 'normalise', 'step ' || n, -n, json_build_object('what', n) FROM generate_series(1, 2000) n
""")


def test_handing_out_a_job_reads_little_however_many_came_at_once(database: Database) -> None:
    by = worker(database)
    with database.transaction() as session:
        connection = session.connection()
        for statement in (BACKLOG, text("DELETE FROM procrastinate_jobs"), BACKLOG):
            connection.execute(statement)
        told = text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {FETCH}")
        [explained] = connection.execute(told, {"queue": "normalise", "worker": by}).scalar_one()
        assert explained["Plan"]["Shared Hit Blocks"] < 1000  # 60; 6,000 and more when all that wait are sorted
    assert fetch(database) == "2"  # for "1" has been handed out


def test_the_jobs_of_a_dead_worker_are_handed_over_in_their_turn(database: Database) -> None:
    add(database, "dead", turn_at=NOON)
    assert fetch(database, worker(database, silent_s=31)) == "dead"
    add(database, "came later", turn_at=NOON + timedelta(minutes=1))
    assert recover(database) == ["normalise"]
    assert [fetch(database), fetch(database)] == ["dead", "came later"]


def test_the_jobs_of_a_living_worker_are_left_to_it(database: Database) -> None:
    add(database, "lives")
    assert fetch(database, worker(database, silent_s=20)) == "lives"
    assert recover(database) == []


def test_a_job_whose_worker_has_no_row_is_handed_over(database: Database) -> None:
    add(database, "abandoned")
    gone = worker(database)
    assert fetch(database, gone) == "abandoned"
    with database.transaction() as session:
        session.connection().execute(text("DELETE FROM procrastinate_workers WHERE id = :id"), {"id": gone})
    assert recover(database) == ["normalise"]
    assert fetch(database) == "abandoned"


def test_what_runs_by_itself_and_died_does_not_stop_the_recovery_of_others(database: Database) -> None:
    def discard() -> None:
        with database.transaction() as session:
            jobs.enqueue(session, "discard", queue="normalise", once=True, what="discard")

    dead = worker(database, silent_s=31)
    add(database, "step")
    discard()
    assert [fetch(database, dead), fetch(database, dead)] == ["step", "discard"]
    discard()  # one waits already: that of the dead worker must not wait beside it
    assert sorted(recover(database)) == ["discard", "normalise"]
    assert statuses(database) == ["todo", "todo"]


def test_a_job_that_died_and_whose_next_waits_already_does_not_wait_beside_it(database: Database) -> None:
    add(database, "died", lock="one")
    fetch(database, worker(database, silent_s=31))
    add(database, "put off", lock="one", run_in=timedelta(hours=1))
    assert recover(database) == ["normalise"]
    assert statuses(database) == ["todo"]
    assert fetch(database) is None  # not before its time


def test_a_job_that_began_too_long_ago_holds_up_its_next_no_more(database: Database) -> None:
    for lock in ("hangs", "runs"):
        add(database, lock, lock=lock)
        fetch(database)
        add(database, f"{lock}, next", lock=lock)
    with database.transaction() as session:
        hangs = """
            UPDATE procrastinate_events SET at = at - interval '21 minutes'
            WHERE job_id = (SELECT id FROM procrastinate_jobs WHERE args ->> 'what' = 'hangs')
        """
        session.connection().execute(text(hangs))
        jobs.let_go_overdue(session, overdue_after=timedelta(minutes=20))
    assert [fetch(database), fetch(database)] == ["hangs, next", None]


def test_two_that_recover_at_once_take_nothing_from_each_other(database: Database) -> None:
    add(database, "dead")
    fetch(database, worker(database, silent_s=31))
    with database.transaction() as session:
        assert jobs.recover(session, stalled_after_s=30) == ["normalise"]
        assert recover(database) == []


def test_jobs_that_failed_are_forgotten_after_a_day(database: Database) -> None:
    add(database, "old")
    add(database, "new")
    with database.transaction() as session:
        session.connection().execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))
        session.connection().execute(
            text(
                "UPDATE procrastinate_events SET at = now() - interval '25 hours' WHERE job_id ="
                " (SELECT min(id) FROM procrastinate_jobs)"
            )
        )
        jobs.forget(session)
    assert statuses(database) == ["failed"]


# Workers


def test_when_one_queue_is_no_longer_served_all_workers_leave(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[bool] = []
    workers = Workers(
        database.libpq_url, [], concurrency={"a": 1, "b": 1}, stalled_after_s=30, on_stop=lambda: left.append(True)
    )

    async def broken() -> None:
        """As Procrastinate's: its listener fails, and it returns as if it had been asked to."""

    monkeypatch.setattr(workers._workers[0], "run", broken)
    with pytest.raises(Missing, match="no longer served"):
        asyncio.run(asyncio.wait_for(workers.run(), timeout=30))
    assert left == [True] and workers.lost_database


def test_a_queue_that_fails_waits_for_what_the_others_have_under_way(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = Workers(database.libpq_url, [], concurrency={"a": 1, "b": 1}, stalled_after_s=30, on_stop=lambda: None)
    ended: list[bool] = []

    async def broken() -> None:
        raise ConnectionError("broken")

    async def draining() -> None:
        await workers._workers[1]._stop_event.wait()
        await asyncio.sleep(0.1)
        ended.append(True)

    for worker, run in zip(workers._workers, (broken, draining), strict=True):
        monkeypatch.setattr(worker, "run", run)
    with pytest.raises(ConnectionError, match="broken"):
        asyncio.run(asyncio.wait_for(workers.run(), timeout=30))
    assert ended == [True]


def test_workers_that_are_told_to_stop_before_they_run_stop(database: Database) -> None:
    workers = Workers(database.libpq_url, [], concurrency={"a": 1, "b": 1}, stalled_after_s=30, on_stop=lambda: None)

    async def run() -> None:
        workers.stop()
        await workers.run()

    asyncio.run(asyncio.wait_for(run(), timeout=30))
