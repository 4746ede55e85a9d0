"""Indexes of large tables. They are made beside the traffic, which a revision cannot do: it is a transaction."""

import psycopg
import structlog

from bubbles.db.engine import Database

LOCK = 0x62756269  # "bubi": one process makes them, the others leave it to that one.
WANTED = {
    # All that it is asked for is in it: `language` beside its lower case, or PostgreSQL would look into each row.
    "search_document_language": "search_document (lower(language) text_pattern_ops, bubble_id) INCLUDE (language)",
}
"""By name: the table and what is indexed. Without one everything works, and what needs it takes its time."""

log = structlog.get_logger()


def make(database: Database) -> list[str]:
    """Makes those that are not there, and anew what a crash left half made; returns their names.

    Nobody waits for it, but it waits for transactions that began before it: a backup's may last for hours.
    """
    with psycopg.connect(database.libpq_url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        if not connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()[0]:  # type: ignore[index]
            return []
        missing = [name for name in WANTED if not _is_whole(connection, name)]
        for name in missing:
            connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}".encode())
            connection.execute(f"CREATE INDEX CONCURRENTLY {name} ON {WANTED[name]}".encode())
            log.info("index_made", index=name)
        return missing


def _is_whole(connection: psycopg.Connection, name: str) -> bool:
    found = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
    return connection.execute(found, [name]).fetchone() == (True,)
