"""Pages miss nothing and repeat nothing, whatever is published between them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from bubbles import find
from bubbles.db import search
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


@pytest.mark.parametrize("conditions", [{"q": "lemon"}, {"near": NEAR}, {"q": "lemno"}], ids=repr)
def test_equals_stand_newest_first(session, publish, conditions) -> None:
    published = [publish("lemon", where=NEAR).code for _ in range(5)]
    assert codes(walk(session, conditions, 2)) == published[::-1]


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
