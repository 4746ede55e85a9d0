"""The query string as the question it asks, or what is wrong with it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from bubbles.errors import Code, Refused
from bubbles.find import Box, Query, Sort
from bubbles.http.query import READERS, parse

LIMITS = ("0", "101", "-1", "1.5", "ten", "1e1", "９", "9" * 9)
POINTS = ("1", "1,2,3", "a,b", ",", "nan,1", "1,inf", "1 2", "1,2,")
BOXES = ("1,2,3", "1,2,3,x", "1,2,3,nan", "1,2,3,4,5", "0,10,1,9")
RADII = ("0", "-5", "0.5", "nan", "inf", "1e9", "x", "1,2")


def test_every_parameter_is_read() -> None:
    asked = (
        "q=old+harbour&near=45.5283,13.5683&radius_m=500.5&bbox=170,-20,-170,10&channel=@Radio&language=PT-BR"
        "&tag=Sea&tag=%23food&since=2026-11-22T10:00:00Z&until=2026-11-23T01:00:00%2B01:00&sort=newest&limit=100&cursor=x"
    )
    assert repr(parse(QueryParams(asked))) == repr(
        Query(
            q="old harbour",
            near=(45.5283, 13.5683),
            radius_m=500.5,
            bbox=Box(170.0, -20.0, -170.0, 10.0),
            channel="radio",
            language="pt-BR",
            tags=("food", "sea"),
            since=datetime(2026, 11, 22, 10, tzinfo=UTC),
            until=datetime(2026, 11, 23, tzinfo=UTC),
            order=Sort.NEWEST,
            limit=100,
            cursor="x",
        )
    )


def test_what_is_left_empty_is_not_asked() -> None:
    assert repr(parse(QueryParams("q=&near=&tag=&limit=&cursor="))) == repr(Query())
    assert repr(parse(QueryParams(""))) == repr(Query())


@pytest.mark.parametrize(
    ("asked", "sort"),
    [
        ("", Sort.NEWEST),
        ("q=a", Sort.RELEVANCE),
        ("near=1,2", Sort.NEAREST),
        ("near=1,2&radius_m=5", Sort.NEWEST),
        ("near=1,2&q=a", Sort.NEAREST),
        ("near=1,2&q=a&radius_m=5", Sort.RELEVANCE),
        ("near=1,2&q=a&sort=oldest", Sort.OLDEST),
    ],
)
def test_the_order_in_force(asked, sort) -> None:
    assert parse(QueryParams(asked)).sort is sort


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        ("Q=a&zoom=3&q=b", Code.BAD_REQUEST, "Q, zoom"),
        ("\ud800=a", Code.BAD_REQUEST, "Unknown"),
        ("q=a&q=b", Code.BAD_REQUEST, "q is there more than once"),
        ("limit=1&limit=2", Code.BAD_REQUEST, "limit is there more than once"),
        ("q=" + "a" * 201, Code.BAD_REQUEST, "201"),
        *((f"limit={bad}", Code.BAD_REQUEST, "1 to 100") for bad in LIMITS),
        *((f"near={bad}", Code.BAD_PLACE, "near") for bad in POINTS),
        *((f"near={bad}", Code.BAD_PLACE, "Latitude") for bad in ("91,0", "0,181", "-90.1,0")),
        *((f"bbox={bad}", Code.BAD_PLACE, "bbox") for bad in BOXES),
        *((f"bbox={bad}", Code.BAD_PLACE, "Latitude") for bad in ("0,-91,1,1", "0,0,181,1")),
        *((f"near=1,2&radius_m={bad}", Code.BAD_PLACE, "radius_m") for bad in RADII),
        ("radius_m=5", Code.BAD_REQUEST, "needs near"),
        ("sort=nearest", Code.BAD_REQUEST, "needs near"),
        ("sort=relevance", Code.BAD_REQUEST, "needs words"),
        ("sort=best", Code.BAD_REQUEST, "newest, oldest, nearest, relevance"),
        ("since=yesterday", Code.BAD_REQUEST, "since"),
        ("until=2026-13-01T00:00:00Z", Code.BAD_REQUEST, "until"),
        ("language=english_please", Code.BAD_TEXT, "BCP 47"),
        ("channel=a%20b", Code.BAD_TEXT, "handle"),
        ("tag=" + "a" * 201, Code.BAD_TEXT, "tag"),
        ("tag=%00", Code.BAD_TEXT, "control"),
        ("&".join(f"tag={n}" for n in range(51)), Code.BAD_TEXT, "51"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(asked, code, told) -> None:
    with pytest.raises(Refused, match=told) as caught:
        parse(QueryParams(asked))
    assert caught.value.code is code
    assert caught.value.detail.encode()


@given(st.lists(st.tuples(st.sampled_from([*READERS, "tag"]), st.text() | st.from_regex(r"[-+.e0-9naif,]*"))))
def test_anything_is_read_or_refused(pairs) -> None:
    try:
        parse(QueryParams(pairs))
    except Refused as refused:
        assert refused.code in {Code.BAD_REQUEST, Code.BAD_PLACE, Code.BAD_TEXT}
