"""A database that is being restored: its mark, which keeps everybody else out until all is done."""

from sqlalchemy import text

from bubbles.db.engine import RESTORING, Database
from bubbles.errors import Code, Refused

BEGIN = f"""
CREATE SCHEMA {RESTORING};
CREATE TABLE {RESTORING}.source (dump_sha256 text NOT NULL);
"""
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


def begin(database: Database, dump_sha256: str) -> bool:
    """Marks an empty database, or finds it marked with the same dump; returns whether the dump is loaded already.

    Raises `conflict` for a database that holds anything else.
    """
    with database.transaction() as session:
        connection = session.connection()
        loaded = bool(connection.execute(text(TABLES)).scalar_one())
        if database.is_restoring(connection):
            source = connection.execute(text(f"SELECT dump_sha256 FROM {RESTORING}.source")).scalar_one()  # noqa: S608
            if source != dump_sha256:
                raise Refused(
                    Code.CONFLICT, "Another backup was being restored into this database: name the same, or empty it."
                )
            return loaded
        if loaded:
            raise Refused(
                Code.CONFLICT,
                "The database is not empty: name an empty one (BUBBLES_DATABASE_URL), or an empty BUBBLES_DATA_DIR.",
            )
        connection.exec_driver_sql(BEGIN)
        connection.execute(text(f"INSERT INTO {RESTORING}.source VALUES (:sha256)"), {"sha256": dump_sha256})  # noqa: S608
    return False


def end(database: Database) -> None:
    """Takes the mark away: the house opens again."""
    with database.transaction() as session:
        session.connection().exec_driver_sql("ANALYZE")  # else the first searches are planned blindly
        session.connection().exec_driver_sql(f"DROP SCHEMA {RESTORING} CASCADE")
