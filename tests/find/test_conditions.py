"""All conditions hold together, and what is not listed is never found."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlmodel import Session

from bubbles import find
from bubbles.find import Box, Query, Sort
from bubbles.model.bubble import Visibility

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
PIRAN = (45.5283, 13.5683)


def titles(session: Session, **conditions: object) -> list[str]:
    return [found.whole.bubble.title for found in find.find(session, Query(**{"limit": 100, **conditions})).items]


CONDITIONS = {
    "q": ("lemons", {"said": "we sell lemons"}, {"said": "we sell fish"}),
    "near": (PIRAN, {}, {}),
    "radius_m": (500.0, {"where": PIRAN}, {"where": (45.6, 13.5683)}),
    "bbox": (Box(13, 45, 14, 45.55), {}, {}),
    "language": ("en", {"language": "en-GB"}, {"language": "enm"}),
    "tags": (("food", "sea"), {"tags": ["sea", "town", "food"]}, {"tags": ["sea"]}),
    "channel": ("radio", {"channel": "radio"}, {"channel": "ann"}),
    "since": (START, {"at": START}, {"at": START - timedelta(microseconds=1)}),
    "until": (START + timedelta(days=1), {}, {"at": START + timedelta(days=1)}),
}
RIGHT = {name: value for _, right, _ in CONDITIONS.values() for name, value in right.items()}
ASKED = {name: value for name, (value, _, _) in CONDITIONS.items()}


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("wrong", [name for name, (_, _, wrong) in CONDITIONS.items() if wrong])
def test_a_bubble_must_meet_every_condition(session, publish, sort, wrong) -> None:
    publish("right", **RIGHT)
    publish("wrong", **(RIGHT | CONDITIONS[wrong][2]))
    assert titles(session, **ASKED, order=sort) == ["right"]


@pytest.mark.parametrize("name", [name for name in CONDITIONS if name not in {"near", "radius_m"}])
def test_each_condition_works_alone(session, publish, name) -> None:
    publish("right", **RIGHT)
    assert titles(session, **{name: ASKED[name]}) == ["right"]


@pytest.mark.parametrize(
    ("asked", "found"), [("pt", ["pt", "pt-BR"]), ("pt-BR", ["pt-BR"]), ("pt-br", ["pt-BR"]), ("p%", []), ("en", [])]
)
def test_a_language_holds_its_varieties(session, publish, asked, found) -> None:
    for language in ("pt", "pt-BR"):
        publish(language, language=language)
    assert titles(session, language=asked, order=Sort.OLDEST) == found


@pytest.mark.parametrize(
    "columns",
    [
        {"visibility": Visibility.PRIVATE},
        {"visibility": Visibility.UNLISTED},
        {"held_at": START},
        {"refused_at": START},
        {"withdrawn_at": START},
        {"playable_at": None},
    ],
)
def test_what_is_not_listed_is_never_found(session, publish, columns) -> None:
    publish("hidden", **(RIGHT | columns))
    for sort, name in product([None, Sort.NEWEST, Sort.OLDEST], CONDITIONS):
        if name != "radius_m":
            assert titles(session, **{name: ASKED[name]}, order=sort) == []
    assert titles(session, q="lemosn") == titles(session) == titles(session, near=PIRAN, radius_m=10) == []


def test_what_comes_first_without_a_wish(session, publish) -> None:
    publish("lemons, far", where=(10.0, 10.0))
    publish("far", "lemons", where=(11.0, 10.0))
    publish("near", "lemons", where=PIRAN)
    assert titles(session) == ["near", "far", "lemons, far"]
    assert titles(session, near=PIRAN) == ["near", "far", "lemons, far"]
    assert titles(session, near=(10.0, 10.0)) == ["lemons, far", "far", "near"]
    assert titles(session, near=(10.0, 10.0), radius_m=20_000_000) == ["near", "far", "lemons, far"]
    assert titles(session, near=PIRAN, q="lemons")[0] == "near"
    assert (
        titles(session, near=PIRAN, radius_m=20_000_000, q="lemons")[0]
        == titles(session, q="lemons")[0]
        == "lemons, far"
    )


def test_a_bubble_comes_whole(session, publish) -> None:
    publish("it", "lemons", channel="radio", where=PIRAN)
    (found,) = find.find(session, Query(q="lemons", near=PIRAN)).items
    assert (found.whole.channel.handle, found.distance_m) == ("radio", 0.0)
    assert found.whole.transcript is not None
    assert find.find(session, Query()).items[0].match is None
