"""Towns: loaded once, found by name whatever was mistyped, and giving names to places no finer than these are."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import func, select

from bubbles.config import Settings
from bubbles.db import towns
from bubbles.db.towns import Town
from bubbles.errors import Missing
from bubbles.model.place import Place, PlaceRole, Precision, snap
from tests.towns import ROWS, write

LYON, PARIS_TEXAS = (45.76, 4.84), (33.7, -95.5)


@pytest.fixture(scope="module")
def listed(database, tmp_path_factory):
    towns.load(database, write(tmp_path_factory.mktemp("places") / "places.tsv"))
    return database


@pytest.fixture
def session(listed):
    with listed.transaction() as session:
        yield session


def called(session, name, **more):
    return [(each.name, each.region or each.country) for each in towns.called(session, name, **{"limit": 8, **more})]


def count(session):
    return session.exec(select(func.count()).select_from(Town)).one()


def named(session, latitude, longitude, precision=Precision.EXACT):
    (found,) = towns.names(session, [snap(latitude, longitude, precision, PlaceRole.RECORDED)])
    return found and ("near " * found.is_near + found.name)


# Loading


def test_a_list_is_loaded_once_however_many_ask(database, tmp_path) -> None:
    path = write(tmp_path / "places.tsv")
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: towns.load(database, path), range(4)))
    assert loaded.count(True) <= 1
    assert towns.load(database, path) is False
    with database.transaction() as session:
        assert count(session) == len(ROWS)


def test_another_list_takes_the_place_of_the_old_one(database, tmp_path) -> None:
    assert towns.load(database, write(tmp_path / "places.tsv", ROWS[:2]))
    with database.transaction() as session:
        assert count(session) == 2
    assert towns.load(database, write(tmp_path / "places.tsv"))
    with database.transaction() as session:
        assert called(session, "zur") == [("Zürich", "CH")]


def test_a_list_that_breaks_off_leaves_the_old_one(database, tmp_path) -> None:
    towns.load(database, write(tmp_path / "places.tsv"))
    (tmp_path / "broken.tsv").write_text("1\tLyon\tFR\n")
    with pytest.raises(DBAPIError, match="missing data"):
        towns.load(database, tmp_path / "broken.tsv")
    with database.transaction() as session:
        assert count(session) == len(ROWS)


def test_without_a_list_it_is_said_what_to_do(database, tmp_path) -> None:
    with pytest.raises(Missing, match="make run"):
        towns.load(database, tmp_path / "no.tsv")


# By name


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("lyo", "Lyon"), ("LYON", "Lyon"), ("saint-e", "Saint-Étienne"), ("sao p", "São Paulo"), ("são", "São Paulo"),
        ("zurich", "Zürich"), ("marsielle", "Marseille"), ("vileurbanne", "Villeurbanne"),
        ("new yrok", "New York City"),
    ],
)  # fmt: skip
def test_a_town_is_found_by_how_it_begins_without_accents_and_with_a_typo(session, typed, first) -> None:
    assert called(session, typed)[0][0] == first


def test_the_larger_town_of_a_name_comes_first_and_the_nearer_before_it(session) -> None:
    assert called(session, "paris") == [("Paris", "FR"), ("Paris", "TX"), ("Paris", "CA")]
    assert called(session, "paris", near=PARIS_TEXAS)[0] == ("Paris", "TX")
    (texan, *_) = towns.called(session, "paris", near=PARIS_TEXAS, limit=1)
    assert texan.distance_m == pytest.approx(6_700, abs=200)


def test_a_country_or_a_state_is_kept_to(session) -> None:
    assert called(session, "paris", countries=["CA"]) == [("Paris", "CA")]
    assert called(session, "paris", countries=["CA"], region="TX") == [("Paris", "TX"), ("Paris", "CA")]


def test_a_name_is_no_pattern(session) -> None:
    assert called(session, "%") == called(session, "_") == called(session, "\\") == called(session, "  ") == []
    assert called(session, "100%") == [("100% Town_", "FR")]


def test_what_is_like_nothing_is_not_found(session) -> None:
    assert called(session, "xqzwvk") == []


# Names for places


def test_a_place_is_named_after_the_town_that_reaches_it(session) -> None:
    assert named(session, 45.7640, 4.8357) == "Lyon"
    assert named(session, 45.7700, 4.8810) == "Villeurbanne"
    assert named(session, 48.8854, 2.3164) == "Paris"  # not after a quarter of it
    assert named(session, 45.85, 4.95, Precision.NEIGHBOURHOOD) == "near Lyon"  # and not a hamlet of no reach


@pytest.mark.parametrize("point", [(43.0, -30.0), (90.0, 0.0), (-90.0, 180.0), (0.0, 180.0)])
def test_far_from_every_town_a_place_has_no_name(session, point) -> None:
    assert named(session, *point) is None


def test_a_place_told_to_a_towns_size_is_named_after_the_largest_around(session) -> None:
    assert named(session, 45.7912, 4.8823, Precision.EXACT) == "Le Mas"
    assert named(session, 45.7912, 4.8823, Precision.TOWN) == "Lyon"


def test_all_that_share_a_stored_point_share_its_name(session) -> None:
    cell = [(45.7912, 4.8823), (45.73, 4.78), (45.80, 4.90)]
    assert {snap(*point, Precision.TOWN, PlaceRole.RECORDED) for point in cell} == {
        snap(*cell[0], Precision.TOWN, PlaceRole.RECORDED)
    }
    assert {named(session, *point, Precision.TOWN) for point in cell} == {"Lyon"}


def test_a_page_of_places_is_named_in_order(session) -> None:
    lyon, paris = (Place(*at, 0.0, Precision.EXACT, PlaceRole.ABOUT) for at in (LYON, (48.85, 2.35)))
    found = towns.names(session, [paris, None, lyon])
    assert [each and each.name for each in found] == ["Paris", None, "Lyon"]
    assert towns.names(session, []) == []


REAL = Settings().places_file


def test_the_list_that_make_builds_is_read(database) -> None:
    assert REAL.is_file(), "`make .cache/basemap/.built` builds it"
    assert towns.load(database, REAL)
    with database.transaction() as session:
        assert count(session) > 100_000
        assert called(session, "Lyon")[0] == ("Lyon", "FR")
        assert named(session, 45.7640, 4.8357) == "Lyon"
