"""Pages miss nothing and repeat nothing, whatever is published between them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from bubbles import find
from bubbles.db import search
from bubbles.errors import Code, Refused
from bubbles.find import Found, Query, Sort

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
NEAR = (45.0, 13.0)
SHARED_SESSION = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
# Few different values, so that most are equal.
MINUTES = st.integers(0, 3)
PLACES = st.sampled_from([None, (45.0, 13.0), (45.0, 13.1), (45.0, 13.1), (-45.0, -167.0), (45.000001, 13.0)])
TITLES = st.sampled_from(["", "lemon", "lemons and lemons", "a lemon tree"])
SAID = st.sampled_from(["lemons", "lemons, lemons", "one lemon", "the lemon and the peach", "fish"])
BUBBLES = st.fixed_dictionaries({"minutes": MINUTES, "where": PLACES, "title": TITLES, "said": SAID})
ORDERS: list[dict[str, Any]] = [
    {},
    {"order": Sort.OLDEST},
    {"near": NEAR},
    {"near": NEAR, "radius_m": 50_000.0, "order": Sort.NEAREST},
    {"q": "lemon"},
    {"q": "lemon", "order": Sort.NEWEST},
    {"q": "lemon", "near": NEAR, "order": Sort.NEAREST},
    {"q": "lemno"},
]


def add(publish, minutes: int, title: str, said: str, where: Any) -> str:
    return publish(title, said, language="en", where=where, at=START + timedelta(minutes=minutes)).code


def walk(session: Session, conditions: dict[str, Any], limit: int, between=lambda: None) -> list[Found]:
    items: list[Found] = []
    cursor: str | None = None
    while True:
        page = find.find(session, Query(**conditions, limit=limit, cursor=cursor))
        assert len(page.items) == limit or page.next is None
        items += page.items
        assert len(items) <= 100
        cursor = page.next
        if cursor is None:
            return items
        between()


def codes(items: list[Found]) -> list[str]:
    return [item.whole.bubble.code for item in items]


@pytest.mark.parametrize("conditions", ORDERS, ids=repr)
@SHARED_SESSION
@given(before=st.lists(BUBBLES, max_size=12), later=st.lists(BUBBLES, max_size=4), limit=st.integers(1, 5))
def test_all_that_is_there_all_along_comes_once_and_in_order(
    session, publish, conditions, before, later, limit
) -> None:
    savepoint = session.begin_nested()
    for bubble in before:
        add(publish, **bubble)
    expected = codes(walk(session, conditions, 100))
    coming = iter(later)

    def publish_another() -> None:
        if bubble := next(coming, None):
            add(publish, **bubble)

    seen = codes(walk(session, conditions, limit, publish_another))
    savepoint.rollback()
    assert len(seen) == len(set(seen))
    assert [code for code in seen if code in set(expected)] == expected


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_orders_are_what_they_say(session, publish, limit) -> None:
    for minutes, where in enumerate([(45.0, 13.2), (45.0, 13.0), (45.0, 13.1)]):
        publish(str(minutes), where=where, at=START + timedelta(minutes=minutes))

    def order(sort: Sort) -> list[str]:
        return [item.whole.bubble.title for item in walk(session, {"near": NEAR, "order": sort}, limit)]

    assert order(Sort.NEWEST) == ["2", "1", "0"]
    assert order(Sort.OLDEST) == ["0", "1", "2"]
    assert order(Sort.NEAREST) == ["1", "2", "0"]


def test_what_has_left_the_list_between_two_pages_breaks_nothing(session, publish) -> None:
    bubbles = [publish(str(number)) for number in range(5)]
    first = find.find(session, Query(limit=2))
    bubbles[3].withdrawn_at = bubbles[2].withdrawn_at = START
    session.flush()
    assert [i.whole.bubble.title for i in find.find(session, Query(limit=2, cursor=first.next)).items] == ["1", "0"]


def test_by_relevance_the_newest_matches_are_all_there_are(session, publish, monkeypatch) -> None:
    monkeypatch.setattr(search, "RANKED_MAX", 3)
    for minutes in range(6):
        add(publish, minutes, f"{minutes}" if minutes else "lemons", "lemons " * (6 - minutes), None)
    seen = walk(session, {"q": "lemons"}, 1, lambda: add(publish, 9, "late", "lemons " * 9, None))
    assert [item.whole.bubble.title for item in seen if item.whole.bubble.title != "late"] == ["3", "4", "5"]


def cursor_of(session: Session, publish, **conditions: Any) -> str:
    for number in range(3):
        publish(f"lemon {number}", where=NEAR)
    cursor = find.find(session, Query(**conditions, limit=1)).next
    assert cursor is not None
    return cursor


def refusal(session: Session, **conditions: Any) -> Code:
    with pytest.raises(Refused) as caught:
        find.find(session, Query(**conditions))
    return caught.value.code


def test_a_cursor_is_short_and_may_stand_in_an_address(session, publish) -> None:
    cursor = cursor_of(session, publish, q="lemno")
    assert len(cursor) < 200
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("other", [{}, {"q": "lemons"}, {"q": "lemon", "near": NEAR}, {"q": "lemon", "language": "en"}])
def test_a_cursor_is_of_one_query(session, publish, other) -> None:
    cursor = cursor_of(session, publish, q="lemon")
    assert refusal(session, **other, cursor=cursor) is Code.BAD_REQUEST
    assert find.find(session, Query(q="lemon", limit=100, cursor=cursor)).items


@pytest.mark.parametrize("cursor", ["x", "\x00", "\ud800", "é" * 50, "A" * 5_000_000, "=" * 60, "A" * 16, "A" * 17])
def test_what_is_no_cursor_is_refused(session, publish, cursor) -> None:
    assert refusal(session, cursor=cursor) is Code.BAD_REQUEST


@SHARED_SESSION
@given(data=st.data())
def test_a_cursor_that_was_meddled_with_is_refused(session, publish, data) -> None:
    cursor = cursor_of(session, publish, q="lemon")
    at = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.characters().filter(lambda letter: letter != cursor[at]))
    assert refusal(session, q="lemon", cursor=cursor[:at] + letter + cursor[at + 1 :]) is Code.BAD_REQUEST


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(LEAVES, lambda each: st.lists(each) | st.dictionaries(st.text(), each))
MARKS = st.tuples(st.integers(-(10**18), 10**18), st.integers(-1, 2**64), st.none() | st.integers(), JSON)


@pytest.mark.parametrize("conditions", ORDERS, ids=repr)
@SHARED_SESSION
@given(content=JSON | MARKS)
def test_a_cursor_of_our_making_with_anything_in_it_never_breaks(session, publish, conditions, content) -> None:
    """Its digest is no secret: anybody can make one."""
    query = Query(**conditions)
    body = find._encoded(content)
    try:
        find.find(session, Query(**conditions, cursor=find._digest(query, body) + body))
    except Refused as refused:
        assert refused.code is Code.BAD_REQUEST
