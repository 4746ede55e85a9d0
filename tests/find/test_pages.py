"""Pages miss nothing and repeat nothing, whatever is published between them."""

import base64
import json
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


@pytest.mark.parametrize("cursor", ["x", "\x00", "\ud800", "é" * 50, "A" * 5_000_000, "=" * 60, "A" * 16, "A" * 18])
def test_what_is_no_cursor_is_refused(session, publish, cursor) -> None:
    assert refusal(session, cursor=cursor) is Code.BAD_REQUEST


@SHARED_SESSION
@given(data=st.data())
def test_a_cursor_that_was_meddled_with_is_refused(session, publish, data) -> None:
    cursor = cursor_of(session, publish, q="lemon")
    at = data.draw(st.integers(0, 1_000)) % len(cursor)
    letter = data.draw(st.characters())  # what is drawn depends on no cursor: each has a code of chance
    assert (
        letter == cursor[at]
        or refusal(session, q="lemon", cursor=cursor[:at] + letter + cursor[at + 1 :]) is Code.BAD_REQUEST
    )


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(LEAVES, lambda each: st.lists(each) | st.dictionaries(st.text(), each))
WORDS = st.dictionaries(st.text(), st.lists(st.sampled_from(["lemon", "é", "x" * 65, "y" * 3_000, "", "a b", "\x00"])))
MARKS = st.tuples(
    st.integers(-(10**18), 10**18),
    st.integers(-(10**18), 10**18),
    st.sampled_from(["A" * 16, "-_" * 8, "", "A" * 17, "A" * 18, "A" * 15 + "\n"]) | st.integers(),
    st.none() | st.integers(-(10**18), 10**18) | JSON,
    st.none() | WORDS | JSON,
)


@pytest.mark.parametrize("conditions", ORDERS, ids=repr)
@SHARED_SESSION
@given(content=JSON | MARKS)
def test_a_cursor_of_our_making_with_anything_in_it_never_breaks(session, publish, conditions, content) -> None:
    """Its digest is no secret: anybody can make one."""
    try:
        find.find(session, Query(**conditions, cursor=forged(conditions, content)))
    except Refused as refused:
        assert refused.code is Code.BAD_REQUEST


def forged(conditions: dict[str, Any], content: Any) -> str:
    body = find._encoded(content)
    return find._digest(Query(**conditions), body) + body


CODE = "A" * 16
NO_BOUNDS = [[], {}, False, True, "", "1", 1.5, 10**18]
NO_WORDS = [[], False, 0, "", {"lemno": "lemon"}, {"lemno": {"lemon": 1}}, {"lemno": ["x" * 3_000]}, {"lemno": [1]}]


@pytest.mark.parametrize("conditions", [{}, {"q": "lemno"}, {"q": "lemno", "order": Sort.NEWEST}], ids=repr)
@pytest.mark.parametrize(
    "content",
    [
        *([1, 1, CODE, bound, None] for bound in NO_BOUNDS),
        *([1, 1, CODE, 1, near] for near in NO_WORDS),
        *([1, 1, CODE, None, near] for near in NO_WORDS),
        *([1, when, CODE, 1, None] for when in (None, "1", 1.5, True, 10**18)),
        *([1, 1, code, 1, None] for code in (7, None, "", "A" * 15, "A" * 18, "\x00" * 16, [CODE])),
    ],
    ids=lambda content: repr(content)[:60],
)
def test_a_cursor_with_one_wrong_part_is_refused(session, publish, conditions, content) -> None:
    publish("lemon")
    assert refusal(session, **conditions, cursor=forged(conditions, content)) is Code.BAD_REQUEST


def test_no_cursor_makes_all_be_ranked(session, publish, monkeypatch) -> None:
    """A bound of 1970, which no page of ours would name, reaches no further back than a page may."""
    monkeypatch.setattr(search, "RANKED_LATER_MAX", 3)
    for number in range(6):
        publish(f"lemon {number}")
    first = [10**9, 1, "z" * 16, 0, None]
    page = find.find(session, Query(q="lemon", cursor=forged({"q": "lemon"}, first)))
    assert [item.whole.bubble.title for item in page.items] and len(page.items) == 3


@pytest.mark.parametrize("conditions", ORDERS, ids=repr)
def test_a_cursor_does_not_tell_how_many_bubbles_there_are(session, publish, conditions) -> None:
    """It holds times, distances and what is public: an id would count the private ones."""
    bubbles = [publish("lemon", where=NEAR) for _ in range(3)]
    cursor = find.find(session, Query(**conditions, limit=1)).next
    assert cursor is not None
    body = cursor[find.DIGEST_LETTERS :]
    told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert {bubble.id for bubble in bubbles}.isdisjoint(part for part in told if isinstance(part, int))
    assert told[2] in {bubble.code for bubble in bubbles}
