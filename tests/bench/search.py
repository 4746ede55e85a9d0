"""How long a search takes: `python tests/bench/search.py [BUBBLES]` (50,000), on a database of its own.

Words are drawn as in speech (Zipf: half of what is said is a few hundred words), places around forty cities.
Prints the median and the slowest of each question, in milliseconds, as the API answers it: twenty whole bubbles.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import psycopg

from bubbles import find
from bubbles.db.embedded import running
from bubbles.db.engine import Database
from bubbles.find import Box, Query, Sort
from bubbles.model.map_grid import grid

ROUNDS = 15
VOCABULARY = 20_000
WORDS_SAID = 60
CITIES = 40
START = datetime(2026, 1, 1, tzinfo=UTC)
LETTERS = "bdfgklmnprstv", "aeiou"

FILL = """
INSERT INTO account (id, handle, created_at) VALUES (1, 'bench', now());
INSERT INTO channel (id, handle, title, created_at) VALUES (1, 'bench', 'Bench', now());
CREATE TABLE said (id bigint, latitude float, longitude float, words text, at timestamptz);
SET maintenance_work_mem = '256MB';
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef ~ ' USING (gin|gist) ' AND tablename !~ '^procr'"
PUBLISH = """
INSERT INTO bubble (id, code, channel_id, author_id, version, title, tags, language, visibility, latitude, longitude,
    radius_m, precision, place_role, duration_s, recording_sha256, recording_bytes, keep_recording, recorded_at,
    created_at, playable_at)
SELECT id, 'bubble' || id, 1, 1, 1, split_part(words, ' ', 1), '{}', 'en', 'public', latitude, longitude,
    0, 'exact', 'about', 60, '', 1, false, at, at, at FROM said;
INSERT INTO transcript (bubble_id, language, language_doubtful, cues, created_at)
SELECT id, 'en', false, jsonb_build_array(jsonb_build_object('start_s', 0, 'end_s', 60, 'text', words)), at FROM said;
INSERT INTO search_document (bubble_id, language, configuration, lexemes)
SELECT id, 'en', 'bubbles_english', to_tsvector('bubbles_english', words) || to_tsvector('bubbles_simple', words)
FROM said;
INSERT INTO search_word SELECT word, min(id) FROM said, unnest(string_to_array(words, ' ')) AS word GROUP BY word;
DROP TABLE said;
"""


def word(number: int) -> str:
    """Every number has a pronounceable word of six letters or more, few of them alike."""
    consonants, vowels = LETTERS
    letters = ""
    rest = number * 7919 + 100_003
    while rest:
        rest, consonant = divmod(rest, len(consonants))
        rest, vowel = divmod(rest, len(vowels))
        letters += consonants[consonant] + vowels[vowel]
    return letters


def said(count: int) -> Iterator[tuple[int, float, float, str, datetime]]:
    """Rows: id, latitude, longitude, words, moment."""
    chance = random.Random(7)
    vocabulary = [word(number) for number in range(VOCABULARY)]
    weights = list(accumulate(1 / (rank + 3) for rank in range(VOCABULARY)))
    cities = [(chance.uniform(-50, 65), chance.uniform(-180, 180)) for _ in range(CITIES)]
    for number in range(1, count + 1):
        latitude, longitude = chance.choice(cities)
        words = " ".join(chance.choices(vocabulary, cum_weights=weights, k=WORDS_SAID))
        place = latitude + chance.gauss(0, 0.05), longitude + chance.gauss(0, 0.05)
        yield number, *place, words, START + timedelta(minutes=number)


def fill(database: Database, count: int) -> None:
    with psycopg.connect(database.libpq_url) as connection:
        connection.execute(FILL)
        indexes = connection.execute(INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        with connection.cursor().copy("COPY said FROM STDIN") as copy:
            for row in said(count):
                copy.write_row(row)
        connection.execute(PUBLISH)
        for _, definition in indexes:  # made at once: four times as quick as row by row
            connection.execute(definition)
    with psycopg.connect(database.libpq_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def questions(count: int) -> dict[str, Query]:
    chance = random.Random(7)
    latitude, longitude = chance.uniform(-50, 65), chance.uniform(-180, 180)  # the first city
    city = Box(longitude - 0.1, latitude - 0.1, longitude + 0.1, latitude + 0.1)
    half = Box(-180.0, 0.0, 180.0, 90.0)
    near = (latitude, longitude)
    common, middling, rare = word(0), word(200), word(15_000)
    return {
        "newest": Query(),
        "rare word": Query(q=rare),
        "middling word": Query(q=middling),
        "common word": Query(q=common),
        "common word, newest": Query(q=common, order=Sort.NEWEST),
        "three words": Query(q=f"{common} {word(1)} {word(2)}"),
        "typo": Query(q=rare[:2] + rare[3] + rare[2] + rare[4:]),
        "nothing like it": Query(q="xylophonequartz"),
        "city box": Query(bbox=city),
        "half the earth": Query(bbox=half),
        "radius 1 km": Query(near=near, radius_m=1_000),
        "nearest 50": Query(near=near, limit=50),
        "nearest 50 with a rare word": Query(near=near, q=rare, order=Sort.NEAREST, limit=50),
        "common word in a city": Query(q=common, bbox=city),
        "middling word near a city": Query(q=middling, near=near, radius_m=20_000),
    }


def views() -> dict[str, tuple[Query, float]]:
    """What maps ask for: a query and a zoom."""
    box = questions(0)["city box"].bbox
    west, south, east, north = box.west, box.south, box.east, box.north
    country = Box(max(west - 5, -180), max(south - 4, -90), min(east + 5, 180), min(north + 4, 90))
    world = Box(-180.0, -85.0, 180.0, 85.0)
    return {
        "map of the world": (Query(bbox=world), 1),
        "map of a country": (Query(bbox=country), 5),
        "map of a city": (Query(bbox=box), 11),
        "map of a street": (Query(bbox=Box(west + 0.09, south + 0.09, east - 0.09, north - 0.09)), 15),
        "map of a common word": (Query(bbox=world, q=word(0)), 1),
        "map of a rare word": (Query(bbox=world, q=word(15_000)), 1),
    }


def measured_ms(ask: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begun) * 1_000)
    return times


def ask(database: Database, query: Query) -> find.Page:
    with database.transaction() as session:
        return find.find(session, query)


def view(database: Database, query: Query, zoom: float) -> find.View:
    with database.transaction() as session:
        return find.view(session, query, grid(query.bbox, zoom))


def report(name: str, times: list[float], found: str) -> None:
    print(f"{name:30} {statistics.median(times):8.1f} ms  {max(times):8.1f} at most   {found}")


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "postgresql") as url:
        database = Database(url)
        database.migrate()
        begun = time.perf_counter()
        fill(database, count)
        print(f"{count} bubbles, made in {time.perf_counter() - begun:.0f} s")
        for name, query in questions(count).items():
            found = len(ask(database, query).items)
            report(name, measured_ms(lambda query=query: ask(database, query)), f"{found:4} found")
        for name, (query, zoom) in views().items():
            clusters = view(database, query, zoom).clusters
            times = measured_ms(lambda query=query, zoom=zoom: view(database, query, zoom))
            report(name, times, f"{sum(each.count for each in clusters)} in {len(clusters)} features")
        database.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
