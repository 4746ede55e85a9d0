"""What a scrape asks of the rows stays bounded as the house grows."""

from bubbles.db import figures
from bubbles.db.engine import Database
from tests.bench import figures as bench

BUBBLES = 10_000


def test_no_scrape_reads_all_bubbles_or_all_steps(database: Database) -> None:
    bench.fill(database, BUBBLES)
    assert bench.read_whole(database, bench.ask_figures) <= {"chore", "discard", "procrastinate_jobs", "serving"}
    with database.glance() as session:
        census = figures.census(session)
    assert sum(census.states.values()) == BUBBLES
    assert census.given_up == {"normalise": 98, "transcribe": 98}
