"""The rules of counting, on a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import count
from threading import Barrier

from sqlalchemy import text
from sqlmodel import Session

from bubbles import ids
from bubbles.db import heard, listening
from bubbles.db.engine import Database
from bubbles.db.listening import Audience, Sent
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from bubbles.model.listening import DayKey, Play
from bubbles.model.rendition import Rendition

NOW = datetime(2026, 11, 23, 22, tzinfo=UTC)  # a Monday
MINUTE_BYTES = 480_000
LENGTH_BYTES = 900_000
_number = count()


def add_bubble(session: Session, *, channel_id: int | None = None, duration_s: float = 100.0) -> Bubble:
    """A bubble of two renditions; of its own channel unless one is given."""
    handle = f"h{next(_number)}"
    account = Account(handle=handle, created_at=NOW)
    channel = Channel(handle=handle, title=handle, created_at=NOW)
    session.add_all([account, channel])
    session.flush()
    bubble = Bubble(
        code=ids.new_code(), channel_id=channel_id or channel.id, author_id=account.id, duration_s=duration_s,
        recording_sha256="0", recording_bytes=1, recorded_at=NOW, created_at=NOW, playable_at=NOW,
    )  # fmt: skip
    session.add(bubble)
    session.flush()
    for kind in ("m4a", "ogg"):
        session.add(
            Rendition(
                bubble_id=bubble.id, kind=kind, blob_key=f"{bubble.code}.{kind}", length_bytes=LENGTH_BYTES,
                sha256="0", minute_bytes=MINUTE_BYTES, created_at=NOW,
            )
        )  # fmt: skip
    session.flush()
    return bubble


def sent(bubble: Bubble, start: int, stop: int, *, who: str = "ann", at: datetime = NOW, kind: str = "m4a") -> Sent:
    assert bubble.id
    return Sent(bubble.id, kind, at.date(), who.encode(), Audience.LISTENER, who.encode(), 2, start, stop)


def of(session: Session, bubble: Bubble) -> dict[str, float]:
    """The exact figures of a bubble's listeners, at a time when all is over."""
    told = heard.of_bubbles(session, [bubble.id], as_of=NOW + timedelta(days=9))[bubble.id]
    return {name: told.figures[Audience.LISTENER][name].exact for name in heard.FIGURES}


def downloads(session: Session, bubble: Bubble) -> float:
    return of(session, bubble)["downloads"]


def play(session: Session, bubble: Bubble, heard_s: float, *, who: str = "ann", audience: str = "listener") -> None:
    listening.begin_play(
        session,
        Play(
            bubble_id=bubble.id, play=ids.new_code(), visitor=who.encode(), audience=audience, heard=[],
            heard_s=heard_s, started_at=NOW, last_at=NOW, network=b"net", network_people=2, closed=False,
        ),
    )  # fmt: skip


# Downloads


def test_the_header_and_one_minute_are_a_download(session: Session) -> None:
    bubble = add_bubble(session)
    listening.add_sent(session, [sent(bubble, 0, MINUTE_BYTES - 1)], now=NOW)
    assert downloads(session, bubble) == 0
    listening.add_sent(session, [sent(bubble, MINUTE_BYTES - 1, MINUTE_BYTES)], now=NOW)
    assert downloads(session, bubble) == 1
    listening.add_sent(session, [sent(bubble, 0, LENGTH_BYTES)], now=NOW)
    assert downloads(session, bubble) == 1


def test_a_gap_in_the_first_minute_is_no_download(session: Session) -> None:
    bubble = add_bubble(session)
    listening.add_sent(session, [sent(bubble, 0, 1000), sent(bubble, 1001, LENGTH_BYTES)], now=NOW)
    assert downloads(session, bubble) == 0


def test_a_file_that_is_shorter_than_a_minute_must_be_whole(session: Session) -> None:
    bubble = add_bubble(session)
    session.connection().execute(
        text("UPDATE rendition SET length_bytes = 1000, minute_bytes = 5000 WHERE bubble_id = :id"), {"id": bubble.id}
    )
    listening.add_sent(session, [sent(bubble, 0, 999)], now=NOW)
    assert downloads(session, bubble) == 0
    listening.add_sent(session, [sent(bubble, 999, 1000)], now=NOW)
    assert downloads(session, bubble) == 1


def test_a_probe_of_two_bytes_is_kept_and_no_download(session: Session) -> None:
    bubble = add_bubble(session)
    listening.add_sent(session, [sent(bubble, 0, 2), sent(bubble, 0, 2)], now=NOW)
    kept = session.connection().execute(
        text("SELECT requests, ranges::text FROM served WHERE bubble_id = :id"), {"id": bubble.id}
    )
    assert kept.one() == (2, "{[0,2)}")
    assert downloads(session, bubble) == 0


def test_two_visitors_cannot_make_one_download_together(session: Session) -> None:
    bubble = add_bubble(session)
    listening.add_sent(
        session, [sent(bubble, 0, 300_000, who="ann"), sent(bubble, 300_000, LENGTH_BYTES, who="bob")], now=NOW
    )
    assert downloads(session, bubble) == 0


def test_both_renditions_are_one_download(session: Session) -> None:
    bubble = add_bubble(session)
    listening.add_sent(session, [sent(bubble, 0, LENGTH_BYTES, kind=kind) for kind in ("m4a", "ogg")], now=NOW)
    assert downloads(session, bubble) == 1


def test_who_asks_for_every_second_byte_makes_no_row_grow(session: Session) -> None:
    bubble = add_bubble(session)
    kept = text("SELECT ranges::text, complete_at FROM served WHERE bubble_id = :id")
    for first in (0, 600):
        shreds = [sent(bubble, start, start + 1) for start in range(first, first + 600, 2)]
        listening.add_sent(session, [*shreds, sent(bubble, 50_000, 60_000)], now=NOW)
    ranges, complete_at = session.connection().execute(kept, {"id": bubble.id}).one()
    assert "[50000,60000)" in ranges
    assert ranges.count("[") == listening.RANGES_MAX
    assert complete_at is None


def test_when_a_download_is_complete_is_kept(session: Session) -> None:
    bubble = add_bubble(session)
    kept = text("SELECT complete_at FROM served WHERE bubble_id = :id")
    for hours, part in enumerate(((0, 1000), (1000, MINUTE_BYTES), (MINUTE_BYTES, LENGTH_BYTES))):
        listening.add_sent(session, [sent(bubble, *part)], now=NOW + timedelta(hours=hours))
    assert session.connection().execute(kept, {"id": bubble.id}).scalar_one() == NOW + timedelta(hours=1)


def test_half_of_each_rendition_is_none(session: Session) -> None:
    bubble = add_bubble(session)
    halves = [sent(bubble, 0, 300_000, kind="m4a"), sent(bubble, 300_000, LENGTH_BYTES, kind="ogg")]
    listening.add_sent(session, halves, now=NOW)
    assert downloads(session, bubble) == 0


def test_days_are_those_of_the_calendar(session: Session) -> None:
    """The vector: the same key at Mon 22:00, Tue 03:00, Tue 22:15, Wed 23:15 counts 1, 1, 0, 1."""
    bubble = add_bubble(session)
    added = []
    for after in (timedelta(), timedelta(hours=5), timedelta(hours=24, minutes=15), timedelta(hours=49, minutes=15)):
        before = downloads(session, bubble)
        listening.add_sent(session, [sent(bubble, 0, LENGTH_BYTES, at=NOW + after)], now=NOW)
        added.append(downloads(session, bubble) - before)
    assert added == [1, 1, 0, 1]


def test_a_bubble_that_is_gone_does_not_stop_the_count(session: Session) -> None:
    bubble = add_bubble(session)
    gone = Sent(10**9, "m4a", NOW.date(), b"ann", Audience.LISTENER, b"net", 2, 0, 10)
    listening.add_sent(session, [gone, sent(bubble, 0, LENGTH_BYTES)], now=NOW)
    assert downloads(session, bubble) == 1


def test_counts_written_at_once_all_add_up(database: Database) -> None:
    with database.transaction() as session:
        bubbles = [add_bubble(session) for _ in range(3)]
    barrier = Barrier(4)

    def write(part: int) -> None:
        barrier.wait()
        for bubble in bubbles if part % 2 else reversed(bubbles):
            with database.transaction() as session:
                rows = [sent(each, part * 225_000, (part + 1) * 225_000) for each in (bubble, *bubbles)]
                listening.add_sent(session, rows, now=NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    with database.transaction() as session:
        assert [downloads(session, bubble) for bubble in bubbles] == [1, 1, 1]
        requests = session.connection().execute(
            text("SELECT requests FROM served WHERE bubble_id = ANY(:ids)"), {"ids": [bubble.id for bubble in bubbles]}
        )
        assert set(requests.scalars()) == {4 * 4}


# Plays


def test_start_listen_and_completion(session: Session) -> None:
    bubble = add_bubble(session, duration_s=100)
    for heard_s in (0.0, 0.999, 1.0, 4.999, 5.0, 89.999, 90.0):
        play(session, bubble, heard_s)
    figures = of(session, bubble)
    assert (figures["starts"], figures["listens"], figures["completions"]) == (5, 3, 1)
    assert figures["heard_s"] == 90 + 90 + 10  # each play is rounded to a tenth of the bubble


def test_half_of_a_short_bubble_is_a_listen(session: Session) -> None:
    bubble = add_bubble(session, duration_s=6)
    play(session, bubble, 2.999)
    play(session, bubble, 3)
    assert of(session, bubble)["listens"] == 1


# Keys of the day


def test_the_key_of_a_day_is_one_for_all_who_ask_at_once(database: Database) -> None:
    barrier = Barrier(8)

    def ask(_: int) -> bytes:
        with database.transaction() as session:
            barrier.wait()
            return listening.key_of(session, date(2001, 1, 1))

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(ask, range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) == listening.DAY_KEY_BYTES


def test_each_day_has_another_key(session: Session) -> None:
    assert listening.key_of(session, date(2001, 2, 1)) != listening.key_of(session, date(2001, 2, 2))


def test_a_key_is_gone_before_it_is_48_hours_old(session: Session) -> None:
    day = datetime(2001, 3, 1, tzinfo=UTC)
    key = listening.key_of(session, day.date())
    listening.forget_day_keys(session, day + timedelta(hours=46, minutes=59))
    assert session.get_one(DayKey, day.date()).secret == key
    session.expire_all()
    assert listening.forget_day_keys(session, day + timedelta(hours=47)) >= 1
    assert session.get(DayKey, day.date()) is None
