"""Seconds heard and bytes sent, as the verbs take them."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlmodel import Session, select

from bubbles import ids, listen
from bubbles.db import listening
from bubbles.db.engine import Database
from bubbles.db.listening import Audience, Part
from bubbles.errors import Code, Refused
from bubbles.listen import Delivery, Network, Visitor, clipped, length_s, merged
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from bubbles.model.listening import Play, Served

NOW = datetime(2026, 11, 23, 22, tzinfo=UTC)


def visitor(address: str, agent: str = "Firefox", *, visitors_max: int = 50) -> Visitor:
    return Visitor(address, agent, Audience.LISTENER, Network(address, visitors_max=visitors_max, people_max=2))


ANN, BOB = visitor("192.0.2.1"), visitor("192.0.2.2")
PLAY = "play-0001"
PARTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(sorted), max_size=12)
SECONDS = st.floats(-1e9, 1e9)
_number = itertools.count()


@pytest.fixture
def bubble(session: Session) -> Bubble:
    return add_bubble(session)


def add_bubble(session: Session) -> Bubble:
    """A bubble of 100 seconds."""
    handle = f"h{next(_number)}"
    account = Account(handle=handle, created_at=NOW)
    channel = Channel(handle=handle, title="Ann", created_at=NOW)
    session.add_all([account, channel])
    session.flush()
    bubble = Bubble(
        code=ids.new_code(), channel_id=channel.id, author_id=account.id, duration_s=100, recording_sha256="0",
        recording_bytes=1, recorded_at=NOW, created_at=NOW, playable_at=NOW,
    )  # fmt: skip
    session.add(bubble)
    session.flush()
    return bubble


def tell(session: Session, bubble: Bubble, after_s: float, *heard: tuple[float, float], by: Visitor = ANN) -> Play:
    told = listen.tell(session, bubble, by, play=PLAY, heard=list(heard), now=NOW + timedelta(seconds=after_s))
    session.flush()
    assert told
    return told


# Unions


@given(PARTS)
def test_a_union_holds_what_its_parts_hold(parts: list[list[int]]) -> None:
    given_parts: list[Part] = [(Decimal(start), Decimal(end)) for start, end in parts if start < end]
    union = merged(given_parts)
    seconds = {second for start, end in parts for second in range(start, end)}
    assert seconds == {second for start, end in union for second in range(int(start), int(end))}
    assert length_s(union) == len(seconds)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(union))


@given(st.lists(st.tuples(SECONDS, SECONDS)), st.floats(0.3, 120.5))
@example([(0, 2)], 1.3655)
def test_no_part_leaves_the_bubble(heard: list[tuple[float, float]], duration_s: float) -> None:
    for start, end in clipped(heard, duration_s):
        assert 0 <= start < end
        assert end <= Decimal(duration_s) + Decimal("0.000501")  # half a millisecond, and what a float may lack
        assert start == round(start, 3)


# Credit


def test_beacons_of_one_play_are_a_union(session: Session, bubble: Bubble) -> None:
    tell(session, bubble, 0)
    tell(session, bubble, 10, (0, 10))
    tell(session, bubble, 20, (5, 15), (30, 35))
    assert tell(session, bubble, 20, (0, 10)).heard_s == 20
    kept = session.exec(select(Play).where(Play.play == PLAY).execution_options(populate_existing=True)).one()
    assert listening.heard_of(kept) == [(0, 15), (30, 35)]


def test_nobody_hears_more_than_time_allows(session: Session, bubble: Bubble) -> None:
    tell(session, bubble, 0)
    assert tell(session, bubble, 10, (0, 100)).heard_s == 10 * 2 + 2
    assert tell(session, bubble, 11, (0, 100)).heard_s == 24
    assert tell(session, bubble, 1000, (0, 100)).heard_s == 100


def test_a_play_that_tells_all_at_once_is_credited_with_two_seconds(session: Session, bubble: Bubble) -> None:
    assert tell(session, bubble, 0, (0, 90)).heard_s == 2


def heard_s(session: Session, bubble: Bubble, play: str, *, now: datetime, by: Visitor = ANN) -> float:
    """What a play is credited with that claims to have heard all."""
    told = listen.tell(session, bubble, by, play=play, heard=[(0, 100)], now=now)
    assert told
    return told.heard_s


def begin_many(session: Session, bubble: Bubble, count: int) -> list[str]:
    names = [f"play-{number}" for number in range(count)]
    for name in names:
        listen.tell(session, bubble, ANN, play=name, heard=[], now=NOW)
    return names


def test_plays_side_by_side_share_the_time_that_passed(session: Session, bubble: Bubble) -> None:
    """Forty plays begun at once and told of ten seconds later: nobody has forty ears."""
    now = NOW + timedelta(seconds=10)

    def told(play: str, by: Visitor = ANN, after_s: float = 0) -> float:
        return heard_s(session, bubble, play, by=by, now=now + timedelta(seconds=after_s))

    assert sum(told(name) for name in begin_many(session, bubble, 40)) == 10 * 2 + 2
    assert told("play-bob", BOB) == 2
    assert told("play-39", after_s=5) == 5 * 2


def test_one_play_after_the_other_is_all_heard(session: Session, bubble: Bubble) -> None:
    for number in range(4):
        name, began = f"play-{number}", NOW + timedelta(seconds=100 * number)
        listen.tell(session, bubble, ANN, play=name, heard=[], now=began)
        assert heard_s(session, bubble, name, now=began + timedelta(seconds=100)) == 100


def test_plays_told_of_at_the_same_moment_share_the_time_too(database: Database) -> None:
    with database.transaction() as session:
        bubble_id = add_bubble(session).id
        names = begin_many(session, session.get_one(Bubble, bubble_id), 8)
    barrier = Barrier(8)

    def tell_of(name: str) -> float:
        with database.transaction() as session:
            bubble = session.get_one(Bubble, bubble_id)
            barrier.wait()
            return heard_s(session, bubble, name, now=NOW + timedelta(seconds=10))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(tell_of, names)) == 10 * 2 + 2


def test_credit_never_shrinks_when_the_clock_steps_back(session: Session, bubble: Bubble) -> None:
    tell(session, bubble, 0)
    tell(session, bubble, 30, (0, 30))
    told = tell(session, bubble, -60, (0, 30))
    assert told.heard_s == 30
    assert told.last_at == NOW + timedelta(seconds=30)


def test_who_did_not_begin_a_play_cannot_add_to_it(session: Session, bubble: Bubble) -> None:
    tell(session, bubble, 0)
    with pytest.raises(Refused) as refused:
        tell(session, bubble, 30, (0, 30), by=BOB)
    assert refused.value.code is Code.CONFLICT
    assert tell(session, bubble, 30).heard_s == 0


def test_a_play_may_run_past_midnight(session: Session, bubble: Bubble) -> None:
    tell(session, bubble, 0)
    assert tell(session, bubble, 3 * 3600, (0, 100)).heard_s == 100


def test_a_play_of_a_thousand_shreds_is_kept_small_and_credited_whole(session: Session, bubble: Bubble) -> None:
    shreds = [(number / 2, number / 2 + (0.4 if number % 10 else 0.45)) for number in range(200)]
    tell(session, bubble, 0)
    told = tell(session, bubble, 100, *shreds)
    assert told.heard_s == pytest.approx(180 * 0.4 + 20 * 0.45)
    assert len(told.heard) == listen.PARTS_KEPT
    assert {part for part in listening.heard_of(told) if part[1] - part[0] > Decimal("0.4")} == {
        (Decimal(number) / 2, Decimal(number) / 2 + Decimal("0.45")) for number in range(0, 200, 10)
    }
    assert tell(session, bubble, 200, (0, 0.4)).heard_s == told.heard_s


def test_a_visitor_begins_so_many_plays_a_day(
    session: Session, bubble: Bubble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "PLAYS_A_DAY_MAX", 2)

    def begin(name: str, by: Visitor, now: datetime) -> None:
        listen.tell(session, bubble, by, play=name, heard=[], now=now)

    for name in ("play-a", "play-b", "play-a"):
        begin(name, ANN, NOW)
    with pytest.raises(Refused) as refused:
        begin("play-c", ANN, NOW)
    assert refused.value.code is Code.RATE_LIMITED
    assert refused.value.retry_after_s == 2 * 3600
    begin("play-d", BOB, NOW)
    begin("play-e", ANN, NOW + timedelta(hours=2))


# Visitors


def test_a_pseudonym_tells_visitors_apart_and_days_too() -> None:
    other_agent = visitor(ANN.address, "Chromium")
    names = {visitor.pseudonym(key) for visitor in (ANN, BOB, other_agent) for key in (b"monday", b"tuesday")}
    assert len(names) == 6
    assert {len(name) for name in names} == {listen.PSEUDONYM_BYTES}
    assert ANN.pseudonym(b"monday") == ANN.pseudonym(b"monday")


def test_no_address_is_stored(session: Session, bubble: Bubble) -> None:
    """The same visitor on two days: two rows that nothing ties together, and no address in them."""
    assert bubble.id
    days = [NOW, NOW + timedelta(days=1)]
    listen.count(session, [Delivery(bubble.id, "m4a", ANN, 0, 100, at=day) for day in days], now=days[-1])
    rows = session.exec(select(Served).where(Served.bubble_id == bubble.id)).all()
    assert len({row.visitor for row in rows}) == 2
    assert {row.day for row in rows} == {day.date() for day in days}
    assert ANN.address not in repr(rows) + repr(ANN)
    assert ANN.address.encode() not in b"".join(row.visitor for row in rows)
