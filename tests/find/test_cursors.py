"""A cursor is ours, of one query, and bounded whatever it holds."""

import base64
import hashlib
import json
from dataclasses import fields, replace
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session

from bubbles import find
from bubbles.db import cursors, house_keys, search, terms
from bubbles.db.engine import Database
from bubbles.errors import Code, Missing, Refused
from bubbles.find import Query, Sort
from tests.find.test_pages import NEAR, ORDERS, SHARED_SESSION


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
    """A key may leak: what is read is bounded all the same."""
    try:
        find.find(session, Query(**conditions, cursor=signed(session, conditions, content)))
    except Refused as refused:
        assert refused.code is Code.BAD_REQUEST


def signed(session: Session, conditions: dict[str, Any], content: Any) -> str:
    body = cursors.encoded(content)
    return cursors.signature(session, Query(**conditions), body) + body


CODE = "A" * 16
NO_BOUNDS = [[], {}, False, True, "", "1", 1.5, 10**18]
NO_WORDS = [[], False, 0, "", {"lemno": "lemon"}, {"lemno": {"lemon": 1}}, {"lemno": ["x" * 3_000]}, {"lemno": [1]}]
UNLIKELY_WORDS = [
    {},
    {"lemno": ["peach"]},
    {"lemno": ["lemno"]},
    {"lemno": ["lemon"], "peach": ["peaches"]},
    {"lemno": ["lemon", "lemon"]},
    {"lemno": [f"lemn{letter}" for letter in "abcdefg"]},
]
"""Words, but none that stand for the one that was asked for, or more than there can be."""


@pytest.mark.parametrize("conditions", [{}, {"q": "lemno"}, {"q": "lemno", "order": Sort.NEWEST}], ids=repr)
@pytest.mark.parametrize(
    "content",
    [
        *([1, 1, CODE, bound, None] for bound in NO_BOUNDS),
        *([1, 1, CODE, 1, near] for near in NO_WORDS + UNLIKELY_WORDS),
        *([1, 1, CODE, None, near] for near in NO_WORDS),
        *([1, when, CODE, 1, None] for when in (None, "1", 1.5, True, 10**18)),
        *([1, 1, code, 1, None] for code in (7, None, "", "A" * 15, "A" * 18, "\x00" * 16, [CODE])),
    ],
    ids=lambda content: repr(content)[:60],
)
def test_a_cursor_with_one_wrong_part_is_refused(session, publish, conditions, content) -> None:
    publish("lemon")
    assert refusal(session, **conditions, cursor=signed(session, conditions, content)) is Code.BAD_REQUEST


# As they were made before there was a key, and by whoever read the source: a digest that everybody can work out.


def unsigned(query: Query, content: Any) -> str:
    asked = [getattr(query, field.name) for field in fields(query) if field.compare]
    body = cursors.encoded(content)
    digest = hashlib.sha256(f"{asked!r} {query.sort} {body!r}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:16] + body


@pytest.mark.parametrize("conditions", ORDERS, ids=repr)
def test_a_cursor_that_anybody_can_make_is_refused_in_words(session, publish, conditions) -> None:
    publish("lemon", where=NEAR)
    query = Query(**conditions)
    oldest = 1 if query.sort is Sort.RELEVANCE else None
    with pytest.raises(Refused, match="begin again") as caught:
        find.find(session, replace(query, cursor=unsigned(query, [1, 1, CODE, oldest, None])))
    assert caught.value.code is Code.BAD_REQUEST


def test_a_list_of_near_words_that_nobody_signed_reaches_no_database(session, publish, monkeypatch) -> None:
    query = Query(q="aaaa " * 40)
    words = {"aaaa": [f"{number:03}a" for number in range(600)]}
    monkeypatch.setattr(terms, "ask_near", lambda *_: pytest.fail("the words were taken"))
    monkeypatch.setattr(cursors, "LENGTH_MAX", 10**6)
    with pytest.raises(Refused):
        find.find(session, replace(query, cursor=unsigned(query, [1, 1, CODE, 1, words])))


def test_all_machines_share_the_key(database, session, publish) -> None:
    cursor = cursor_of(session, publish, q="lemon")
    other = Database(database.libpq_url)
    with other.transaction() as elsewhere:
        find.find(elsewhere, Query(q="lemon", cursor=cursor))
    other.close()


def test_a_restored_key_is_found_within_a_minute(database, session, publish, monkeypatch) -> None:
    monkeypatch.setattr(house_keys, "_known", WeakKeyDictionary())
    cursor = cursor_of(session, publish, q="lemon")
    session.connection().execute(text("UPDATE house_key SET secret = '\\x00'"))
    assert find.find(session, Query(q="lemon", cursor=cursor)).items
    monkeypatch.setattr(house_keys.time, "monotonic", lambda: monotonic() + house_keys.KNOWN_FOR_S)
    assert refusal(session, q="lemon", cursor=cursor) is Code.BAD_REQUEST


def test_a_key_that_was_taken_away_is_told_as_a_part_that_is_away(session, publish, monkeypatch) -> None:
    cursor = cursor_of(session, publish, q="lemon")
    session.connection().execute(text("DELETE FROM house_key"))
    monkeypatch.setattr(house_keys, "_known", WeakKeyDictionary())
    with pytest.raises(Missing, match="house_key"):
        find.find(session, Query(q="lemon", cursor=cursor))


def test_no_cursor_makes_all_be_ranked(session, publish, monkeypatch) -> None:
    """A bound of 1970, which no page of ours would name, reaches no further back than a page may."""
    monkeypatch.setattr(search, "RANKED_LATER_MAX", 3)
    for number in range(6):
        publish(f"lemon {number}")
    first = [10**9, 1, "z" * 16, 0, None]
    page = find.find(session, Query(q="lemon", cursor=signed(session, {"q": "lemon"}, first)))
    assert [item.whole.bubble.title for item in page.items] and len(page.items) == 3


@pytest.mark.parametrize("conditions", ORDERS, ids=repr)
def test_a_cursor_does_not_tell_how_many_bubbles_there_are(session, publish, conditions) -> None:
    """It holds times, distances and what is public: an id would count the private ones."""
    bubbles = [publish("lemon", where=NEAR) for _ in range(3)]
    cursor = find.find(session, Query(**conditions, limit=1)).next
    assert cursor is not None
    body = cursor[cursors.SIGNATURE_LETTERS :]
    told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert {bubble.id for bubble in bubbles}.isdisjoint(part for part in told if isinstance(part, int))
    assert told[2] in {bubble.code for bubble in bubbles}
