"""The door to PostgreSQL: transactions, and the migrations that bring the schema up to date."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlmodel import Session

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x62756262  # "bubb": one process migrates at a time, the others wait.
STATEMENT_TIMEOUT_MS = 30_000
STALE_AFTER_S = 2.0
CONNECT_TIMEOUT_S = 10


def _remember(connection: Any, record: Any) -> None:  # noqa: ARG001 - SQLAlchemy hands over both
    record.info["idle_since_s"] = time.monotonic()


def _ping_when_stale(connection: Any, record: Any, proxy: Any) -> None:  # noqa: ARG001 - as above
    """Has the pool replace a connection that died while idle; one used a moment ago is trusted, at no round trip."""
    if time.monotonic() - record.info.get("idle_since_s", time.monotonic()) < STALE_AFTER_S:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError from error


class Database:
    """Hands out transactions. `url` is a SQLAlchemy or libpq URL of PostgreSQL 15 or newer."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=pool_size,
            hide_parameters=True,  # they are what people said and where
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": f"-c timezone=UTC -c statement_timeout={STATEMENT_TIMEOUT_MS}",
            },
        )

        event.listen(self._engine, "checkin", _remember)
        event.listen(self._engine, "checkout", _ping_when_stale)

    @property
    def libpq_url(self) -> str:
        """The URL as the driver itself takes it."""
        return self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose changes are committed at the end, or rolled back when an exception leaves."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def migrate(self) -> None:
        """Brings the schema to the newest revision; several processes may call it at once."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self._engine.connect() as connection:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
            connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            connection.invalidate()  # gives the lock back, and the time-out with it

    def check(self) -> str:
        """The server's version, `18.6`; raises when it does not answer."""
        with self.transaction() as session:
            return str(session.connection().execute(text("SHOW server_version")).scalar_one())

    def close(self) -> None:
        """Lets go of all connections."""
        self._engine.dispose()
