"""New visitors of one network, bounded on a real PostgreSQL, however many come at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlmodel import Session, select

from bubbles.db import listening, networks
from bubbles.db.engine import Database
from bubbles.db.listening import Audience, Sent
from bubbles.db.networks import Ask, Visit
from bubbles.model.bubble import Bubble
from bubbles.model.listening import Crowd, NetworkDay
from tests.db.test_listening import LENGTH_BYTES, MINUTE_BYTES, NOW, add_bubble


@pytest.fixture
def bubble(database: Database) -> Bubble:
    with database.transaction() as session:
        return add_bubble(session)


def visit(bubble: Bubble, who: str, *, network: str = "net", audience: Audience = Audience.LISTENER) -> Visit:
    return Visit(bubble.id, NOW.date(), network.encode(), audience, who.encode())


def come(session: Session, *visits: Visit, visitors_max: int = 3) -> set[str]:
    """Who of some visitors is admitted; a row is kept of each of those, as whoever counts them keeps one."""
    admitted = networks.admitted(session, dict.fromkeys(visits, visitors_max))
    rows = [
        Sent(each.bubble_id, "m4a", each.day, each.visitor, each.audience, each.network, 2, 0, 1) for each in admitted
    ]
    listening.add_sent(session, rows, now=NOW)
    return {each.visitor.decode() for each in admitted}


def test_new_visitors_are_admitted_up_to_the_bound_and_known_ones_always(session: Session, bubble: Bubble) -> None:
    ann, bob, cid, dan = (visit(bubble, who) for who in ("ann", "bob", "cid", "dan"))
    assert come(session, ann, bob) == {"ann", "bob"}
    assert come(session, cid, dan) == {"cid"}
    assert come(session, ann, bob, cid, dan) == {"ann", "bob", "cid"}
    assert come(session, dan, visitors_max=4) == {"dan"}


def test_each_bubble_day_network_and_audience_has_a_bound_of_its_own(session: Session, bubble: Bubble) -> None:
    ann = visit(bubble, "ann")
    others = [
        replace(ann, bubble_id=add_bubble(session).id),
        replace(ann, day=ann.day + timedelta(days=1)),
        replace(ann, visitor=b"bob", network=b"other"),
        replace(ann, visitor=b"bot", audience=Audience.BOT),
    ]
    assert len(networks.admitted(session, dict.fromkeys([ann, *others], 1))) == 5
    assert not networks.admitted(session, {replace(ann, visitor=b"new", audience=Audience.BOT): 1})


def test_however_many_come_at_once_no_more_are_admitted(database: Database, bubble: Bubble) -> None:
    barrier = Barrier(8)

    def arrive(number: int) -> int:
        barrier.wait()
        with database.transaction() as session:
            return len(come(session, visit(bubble, f"{number}a"), visit(bubble, f"{number}b"), visitors_max=5))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(arrive, range(8))) == 5


def test_one_visitor_who_comes_by_many_requests_at_once_takes_one_place(database: Database, bubble: Bubble) -> None:
    barrier = Barrier(8)

    def arrive(_: int) -> set[str]:
        barrier.wait()
        with database.transaction() as session:
            return come(session, visit(bubble, "ann"))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(arrive, range(8))) == [{"ann"}] * 8
    with database.transaction() as session:
        assert session.exec(select(NetworkDay.visitors).where(NetworkDay.bubble_id == bubble.id)).one() == 1


def test_a_crowd_is_one_row_an_hour(session: Session, bubble: Bubble) -> None:
    for minutes in (0, 1, 59, 61):
        networks.add_start(session, bubble.id, now=NOW + timedelta(minutes=minutes))
    parts = [(0, MINUTE_BYTES), (0, LENGTH_BYTES), (1, LENGTH_BYTES), (0, 2)]
    asks = [Ask(bubble.id, "m4a", *part) for part in parts] + [Ask(10**9, "m4a", 0, LENGTH_BYTES)]
    networks.add_downloads(session, asks, now=NOW)
    rows = session.exec(select(Crowd).where(Crowd.bubble_id == bubble.id).order_by(Crowd.hour)).all()
    assert [(row.hour, row.starts, row.downloads) for row in rows] == [(NOW, 3, 2), (NOW + timedelta(hours=1), 1, 0)]


def test_what_is_known_of_networks_goes_with_the_key_of_the_day(session: Session) -> None:
    bubble = add_bubble(session)
    come(session, visit(bubble, "ann"))
    midnight = datetime.combine(NOW, datetime.min.time(), UTC)
    for hours, left in ((46, 1), (47, 0)):
        listening.forget_day_keys(session, midnight + timedelta(hours=hours))
        assert len(session.exec(select(NetworkDay).where(NetworkDay.bubble_id == bubble.id)).all()) == left
