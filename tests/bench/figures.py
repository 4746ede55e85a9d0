"""What a scrape asks of the database: `python tests/bench/figures.py [BUBBLES]` (50,000), on a database of its own.

Prints the median and the slowest of each question in milliseconds, and which tables it reads from one end to the other.
"""

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import event
from sqlmodel import Session

from bubbles.db import figures
from bubbles.db.embedded import running
from bubbles.db.engine import Database

ROUNDS = 15
FILL = """
INSERT INTO account (id, handle, created_at) VALUES (1, 'bench', now());
INSERT INTO channel (id, handle, title, created_at) VALUES (1, 'bench', 'Bench', now());
INSERT INTO bubble (id, code, channel_id, author_id, version, title, tags, language, visibility, latitude, longitude,
    radius_m, precision, place_role, duration_s, peaks, recording_sha256, recording_bytes, keep_recording, recorded_at,
    created_at, playable_at, ready_at, withdrawn_at)
SELECT id, 'bubble' || id, 1, 1, 1, 'A title of thirty characters or so', '{}', 'en', 'public', id % 90, id % 180,
    0, 'exact', 'about', 60, repeat('x', 200)::bytea, repeat('0', 64), 1, false, at, at, at, at,
    CASE WHEN id % 50 = 0 THEN at END
FROM (SELECT id, now() - id * interval '1 minute' AS at FROM generate_series(1, %(count)s) AS id) AS made;
INSERT INTO step (bubble_id, name, queued_at, turn_at, attempt, tries, started_at, finished_at, gave_up_at)
SELECT id, name, created_at, created_at, 1, 1, CASE WHEN id > 200 THEN created_at END,
    CASE WHEN id > 200 AND id % 100 > 0 THEN created_at + interval '20 s' END,
    CASE WHEN id > 200 AND id % 100 = 0 THEN created_at + interval '20 s' END
FROM bubble, unnest(ARRAY['normalise', 'transcribe']) AS name;
INSERT INTO procrastinate_jobs (queue_name, task_name) SELECT 'normalise', 'normalise' FROM generate_series(1, 400);
INSERT INTO discard (blob_key, due_at) SELECT 'key' || n, now() FROM generate_series(1, 1000) AS n
"""
"""Of a hundred bubbles one was given up; two hundred wait, which is a long queue."""


def fill(database: Database, count: int) -> None:
    """So many bubbles with their steps, and what waits."""
    with psycopg.connect(database.libpq_url, autocommit=True) as connection:
        for statement in FILL.split(";\n"):
            connection.execute(statement.replace("%(count)s", str(count)))  # type: ignore[arg-type]
        connection.execute("VACUUM ANALYZE")


def read_whole(database: Database, ask: Callable[[Session], Any]) -> set[str]:
    """The tables that the statements of a question read from one end to the other, by their plans."""
    statements: list[tuple[str, Any]] = []
    with database.glance() as session:
        event.listen(
            session.get_bind(), "before_cursor_execute", lambda *given: statements.append((given[2], given[3]))
        )
        ask(session)
    with psycopg.connect(database.libpq_url) as connection:
        plans = [connection.execute(f"EXPLAIN {text}", values).fetchall() for text, values in statements]  # type: ignore[arg-type]
    return {name for plan in plans for (line,) in plan for name in re.findall(r"Seq Scan on (\w+)", line)}


def ask_figures(session: Session) -> None:
    figures.figures(session, datetime.now(UTC))


QUESTIONS: dict[str, Callable[[Session], Any]] = {"figures": ask_figures, "census": figures.census}


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "postgresql") as url:
        database = Database(url)
        database.migrate()
        fill(database, count)
        print(f"{count} bubbles\n\n{'question':20} {'median':>8} {'slowest':>8}  reads whole")
        for name, ask in QUESTIONS.items():
            took_ms = []
            for _ in range(ROUNDS):
                began_s = time.perf_counter()
                with database.glance() as session:
                    ask(session)
                took_ms.append((time.perf_counter() - began_s) * 1000)
            whole = ", ".join(sorted(read_whole(database, ask)))
            print(f"{name:20} {statistics.median(took_ms):8.1f} {max(took_ms):8.1f}  {whole}")
        database.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
