"""The towns of the world, from the list that `make` builds: found by name, and as names for places."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import ARRAY, BigInteger, Column, Double, Integer, Text, TextClause, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Field, Session, SQLModel, col

from bubbles.config import REBUILD
from bubbles.db.engine import Database
from bubbles.errors import Missing
from bubbles.model.columns import instant
from bubbles.model.place import EARTH_RADIUS_M, Place, Precision

FORMAT = "1"
"""Part of the list's version: another one when the rows are read in another way."""

LOAD_LOCK = 0x746F776E  # "town": one process loads, the others wait and find it done.
QUARTER = "PPLX"
LARGE_MIN = 50_000
"""Inhabitants of a town that gives its name to places beyond the villages around it."""

NEAR_MAX_M = 30_000.0
"""Farther than this from every town a place has no name."""

TYPO_LETTERS_MIN = 4
"""Shorter beginnings are too like too many names."""

WORD_SIMILARITY_MIN = 0.4
"""Share of what was typed that a name has in common with it: two letters changed in a word of nine leave that."""


class Town(SQLModel, table=True):
    """A place where people live. `country` is ISO 3166, `region` a state's letters where people say them (TX).

    `kind` is GeoNames' feature code; `folded` is the name without case and accents. `population` 0 is unknown.
    """

    id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    name: str
    country: str
    region: str | None = None
    kind: str
    population: int = Field(sa_column=Column(BigInteger, nullable=False))
    latitude: float
    longitude: float
    folded: str


class TownList(SQLModel, table=True):
    """Which list the towns are from."""

    __tablename__ = "town_list"

    version: str = Field(primary_key=True)
    loaded_at: datetime = instant()


@dataclass(frozen=True)
class Named:
    """The town that gives a place its name; `is_near` when it does not reach so far."""

    name: str
    region: str | None
    country: str
    is_near: bool


@dataclass(frozen=True)
class Called:
    """A town that is called so; `distance_m` from the point that was given, if one was."""

    name: str
    region: str | None
    country: str
    population: int
    latitude: float
    longitude: float
    distance_m: float | None


def require(session: Session) -> None:
    """Raises `Missing("places")` before the list is loaded."""
    if session.connection().execute(select(col(Town.id)).limit(1)).first() is None:
        raise missing()


def missing() -> Missing:
    """What to say where there is no list."""
    return Missing("places", f"The list of places is not there: {REBUILD}, and `bubbles serve` loads it.")


def load(database: Database, path: Path) -> bool:
    """Takes in the list where it is another than the one that is there; whether it did. Raises `Missing("places")`,
    and SQLAlchemy's errors for a damaged list.

    Several processes may call it at once. Who looks for a town meanwhile finds the old list.
    """
    try:
        rows = path.read_bytes()
    except OSError:
        raise missing() from None
    version = hashlib.sha256(FORMAT.encode() + rows).hexdigest()
    with database.transaction() as session:
        if session.get(TownList, version):
            return False
    with database.transaction() as session:
        session.connection().execute(text("SET LOCAL statement_timeout = 0"))
        session.connection().execute(select(func.pg_advisory_xact_lock(LOAD_LOCK)))
        if session.get(TownList, version):
            return False
        _replace(session, rows)
        session.connection().execute(text("DELETE FROM town_list"))
        session.connection().execute(text("INSERT INTO town_list VALUES (:version, now())"), {"version": version})
    return True


def _replace(session: Session, rows: bytes) -> None:
    """A table beside, whose indexes are made once it is full, takes the place of the old one in a moment."""
    connection = session.connection()
    connection.execute(text(f"CREATE TEMPORARY TABLE town_row ({_ROW}) ON COMMIT DROP"))
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.write(rows)
    except psycopg.Error as error:  # the driver's own: past SQLAlchemy, which would have made it one of its
        raise DBAPIError(_COPY, None, error) from error
    for statement in _REPLACE:
        connection.execute(text(statement))


_COPY = "COPY town_row FROM STDIN WITH (NULL '')"
_ROW = """
    id bigint, name varchar, country varchar, region varchar, kind varchar, population bigint,
    latitude double precision, longitude double precision
"""
_REPLACE = (
    "CREATE UNLOGGED TABLE town_loading (LIKE town)",
    "INSERT INTO town_loading SELECT *, lower(unaccent(name)) FROM town_row",
    "ALTER TABLE town_loading ADD PRIMARY KEY (id)",
    "CREATE INDEX ON town_loading USING gist (point(longitude, latitude)) WHERE kind <> 'PPLX'",
    "CREATE INDEX ON town_loading USING gist (point(longitude, latitude)) WHERE population >= 50000",
    "CREATE INDEX ON town_loading (folded text_pattern_ops)",
    "CREATE INDEX ON town_loading USING gin (folded gin_trgm_ops) WITH (fastupdate = off)",
    "ANALYZE town_loading",
    "DROP TABLE town",
    "ALTER TABLE town_loading RENAME TO town",
)


def names(session: Session, places: Sequence[Place | None]) -> list[Named | None]:
    """For each place the town that it is in or near; None for no place, and far from everywhere.

    Of the towns around, the one whose reach the place is deepest in: larger towns reach farther. A place that is told
    to a town's size is named after the largest town in its reach, since it may lie anywhere there. Nothing but the
    stored point is asked for, so that no name tells more than the point does.
    """
    asked = [(number, place) for number, place in enumerate(places) if place is not None]
    found: list[Named | None] = [None] * len(places)
    if not asked:
        return found
    values = {
        "numbers": [number for number, _ in asked],
        "latitudes": [place.latitude for _, place in asked],
        "longitudes": [place.longitude for _, place in asked],
        "reaches_m": [place.radius_m if place.precision is Precision.TOWN else 0.0 for _, place in asked],
    }
    for number, name, region, country, is_near in session.connection().execute(_NAMES, values):
        found[number] = Named(name, region, country, is_near)
    return found


def _haversine(latitude: str, longitude: str, other_latitude: str, other_longitude: str) -> str:
    """Metres between two points in SQL, as `bubbles.model.place` has them."""
    up, across = f"({latitude} - {other_latitude})", f"({longitude} - {other_longitude})"
    return f"""(2 * {EARTH_RADIUS_M} * asin(least(1, sqrt(sin(radians({up}) / 2) ^ 2
        + cos(radians({latitude})) * cos(radians({other_latitude})) * sin(radians({across}) / 2) ^ 2))))"""


# A town reaches as far as its people live at 4,000 a square kilometre, and a kilometre more.
_NAMES = text(
    f"""
    SELECT place.number, town.name, town.region, town.country, town.distance_m > greatest(town.reach_m, place.reach_m)
    FROM unnest(:numbers, :latitudes, :longitudes, :reaches_m) AS place (number, latitude, longitude, reach_m)
    CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT *, {_haversine("around.latitude", "around.longitude", "place.latitude", "place.longitude")}
                AS distance_m, 1000 + 8.9 * sqrt(population) AS reach_m
            FROM (
                (SELECT * FROM town WHERE kind <> '{QUARTER}'
                ORDER BY point(longitude, latitude) <-> point(place.longitude, place.latitude) LIMIT 12)
                UNION ALL
                (SELECT * FROM town WHERE kind <> '{QUARTER}' AND population >= {LARGE_MIN}
                ORDER BY point(longitude, latitude) <-> point(place.longitude, place.latitude) LIMIT 4)
            ) AS around
        ) AS measured
        WHERE distance_m <= {NEAR_MAX_M}
        ORDER BY CASE WHEN distance_m <= place.reach_m THEN -1 - population ELSE distance_m / reach_m END
        LIMIT 1
    ) AS town
    """  # noqa: S608 - constants of ours
).bindparams(
    bindparam("numbers", type_=ARRAY(Integer)),
    *(bindparam(name, type_=ARRAY(Double)) for name in ("latitudes", "longitudes", "reaches_m")),
)


def called(
    session: Session,
    name: str,
    *,
    limit: int,
    near: tuple[float, float] | None = None,
    countries: Sequence[str] = (),
    region: str | None = None,
    similarity_min: float = WORD_SIMILARITY_MIN,
) -> list[Called]:
    """Towns whose name begins so, or is like it where few do: the best match first, larger and nearer ones before.

    `countries` are codes to keep to, if any, beside a `region`. `near` is a latitude and a longitude.
    """
    if not name.strip():
        return []
    values: dict[str, Any] = {"name": name, "countries": list(countries), "region": region, "limit": limit}
    values |= {"latitude": near[0], "longitude": near[1]} if near else {"latitude": None, "longitude": None}
    connection = session.connection()
    rows = list(connection.execute(_BEGINNING, values))
    if len(rows) < limit and len(name) >= TYPO_LETTERS_MIN:
        connection.execute(_SET_SIMILARITY, {"least": str(similarity_min)})
        rows += connection.execute(_ALIKE, values | {"known": [row.id for row in rows], "limit": limit - len(rows)})
    return [Called(*row[1:]) for row in rows]


_SET_SIMILARITY = text("SELECT set_config('pg_trgm.word_similarity_threshold', :least, true)")


def _found(condition: str, match: str) -> TextClause:
    """Towns that meet a condition, by how well they match, how large and how near they are."""
    distance = _haversine("town.latitude", "town.longitude", "asked.latitude", "asked.longitude")
    return text(
        f"""
        SELECT id, name, region, country, population, latitude, longitude, distance_m FROM (
            SELECT town.*, {match} AS match,
                CASE WHEN asked.latitude IS NOT NULL THEN {distance} END AS distance_m
            FROM town, (
                SELECT lower(unaccent(CAST(:name AS text))), CAST(:latitude AS float8), CAST(:longitude AS float8)
            ) AS asked (folded, latitude, longitude)
            WHERE {condition} AND (
                cardinality(:countries) = 0 AND CAST(:region AS text) IS NULL
                OR country = ANY (:countries) OR region = :region
            )
        ) AS town
        ORDER BY match + 0.2 * log(greatest(population, 1)) - CASE kind WHEN '{QUARTER}' THEN 0.3 ELSE 0 END
            + CASE WHEN distance_m IS NULL THEN 0 ELSE exp(-distance_m / 100000) END DESC, id
        LIMIT :limit
        """  # noqa: S608 - as above
    ).bindparams(
        bindparam("countries", type_=ARRAY(Text)),
        bindparam("latitude", type_=Double),
        bindparam("longitude", type_=Double),
    )


_BEGINNING = _found(
    "town.folded ~>=~ asked.folded AND town.folded ~<~ (asked.folded || chr(1114111))",
    "CASE WHEN town.folded = asked.folded THEN 1 ELSE 0 END",
)
_ALIKE = _found(
    "asked.folded <% town.folded AND town.id <> ALL (:known)",
    "2 * word_similarity(asked.folded, town.folded) + similarity(asked.folded, town.folded)",
).bindparams(bindparam("known", type_=ARRAY(BigInteger)))
