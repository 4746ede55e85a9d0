"""The door to PostgreSQL: transactions, and the migrations that bring the schema up to date."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, OperationalError, SQLAlchemyError, TimeoutError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool
from sqlmodel import Session

from bubbles import meters, spans
from bubbles.absences import ABSENCES
from bubbles.errors import Busy, Missing

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x62756262  # "bubb": one process migrates at a time, the others wait.
MIGRATION_PATIENCE_S = 600.0
LOCK_TIMEOUT_MS = 1000
"""How long a revision waits for a table, and everybody else behind it."""

RETRY_AFTER_S = 1.0
BUSY = "The schema cannot be changed while long queries use its tables: end them (pg_stat_activity) and try again."
NEWER = (
    "The database is of a newer release of Bubbles, which took away what this one still uses (revision {} is unknown "
    "here): install the newer release, or name another database or data folder."
)
RESTORING = "bubbles_restoring"
"""The schema that is there while the database is being restored."""

STATEMENT_TIMEOUT_MS = 30_000
STALE_AFTER_S = 2.0
CONNECT_TIMEOUT_S = 10
NOTICE_SILENCE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""So that a server that is no longer there, and cannot say so, is noticed in half a minute and not in two hours."""

GLANCE_MAX_S = 2
"""How long connecting, waiting and each statement of a glance may take."""

log = structlog.get_logger()


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


def is_address(url: str) -> bool:
    """Whether a URL can be read as one of a database."""
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        return False
    return True


def revisions() -> list[str]:
    """The revisions that this code knows, newest first."""
    return [each.revision for each in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]


def _is_newest(connection: Connection) -> bool:
    """Whether the schema is at the newest revision, or at one that only newer code knows.

    Raises Missing("database") for a newer one that lacks what this code uses.
    """
    if connection.execute(text("SELECT to_regclass('public.alembic_version')")).scalar_one() is None:
        return False
    there = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    newest, *older = revisions()
    if there is not None and there not in {newest, *older}:
        _refuse_what_needs_newer_code(connection)
        log.warning("schema_is_newer", revision=there, known=newest)
        return True
    return there == newest


def _refuse_what_needs_newer_code(connection: Connection) -> None:
    if connection.execute(text("SELECT to_regclass('public.alembic_needs')")).scalar_one() is None:
        return
    needed = set(connection.execute(text("SELECT revision FROM alembic_needs")).scalars())
    if unknown := needed - set(revisions()):
        raise Missing("database", NEWER.format(", ".join(sorted(unknown))))


@contextmanager
def _timed_transaction() -> Iterator[None]:
    with meters.timed(meters.TRANSACTION_S) as labels:
        labels["outcome"] = "committed"
        try:
            yield
        except BaseException as error:
            labels["outcome"] = "failed" if isinstance(error, SQLAlchemyError) else "rolled_back"
            raise


def _begin_span(*arguments: Any) -> None:
    _, _, statement, _, context, _ = arguments
    context.bubbles_span = spans.begin(statement)


def _end_span(*arguments: Any) -> None:
    arguments[4].bubbles_span.end()


def _end_failed_span(failure: Any) -> None:
    if (span := getattr(failure.execution_context, "bubbles_span", None)) is not None:
        span.end(failure.original_exception)


class _TimedPool(QueuePool):
    """A pool that times how long one waits for a connection, a new one's making included."""

    def connect(self) -> PoolProxiedConnection:
        with meters.timed(meters.DATABASE_WAIT_S):
            return super().connect()


@dataclass(frozen=True)
class Share:
    """What the queries that anybody may ask may take: connections, and seconds for each statement and for waiting."""

    at_once: int = 4
    timeout_s: float = 2.0


def _engine(address: URL, *, statement_timeout_ms: int, **pool: Any) -> Engine:
    """Connections that are timed, traced, and replaced when they died while idle."""
    made = create_engine(
        address,
        poolclass=_TimedPool,
        hide_parameters=True,  # they are what people said and where
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            **NOTICE_SILENCE,
            "options": f"-c timezone=UTC -c statement_timeout={statement_timeout_ms}",
        },
        **pool,
    )
    event.listen(made, "checkin", _remember)
    event.listen(made, "checkout", _ping_when_stale)
    event.listen(made, "before_cursor_execute", _begin_span)
    event.listen(made, "after_cursor_execute", _end_span)
    event.listen(made, "handle_error", _end_failed_span)
    return made


class Database:
    """Hands out transactions. `url` is a SQLAlchemy or libpq URL of PostgreSQL 15 or newer."""

    def __init__(self, url: str, *, pool_size: int = 10, share: Share | None = None) -> None:
        address, share = make_url(url).set(drivername="postgresql+psycopg"), share or Share()
        self._engine = _engine(
            address, statement_timeout_ms=STATEMENT_TIMEOUT_MS, pool_size=pool_size, max_overflow=pool_size
        )
        self._queries = _engine(
            address,
            statement_timeout_ms=round(share.timeout_s * 1000),
            pool_size=share.at_once,
            max_overflow=0,
            pool_timeout=share.timeout_s,
        )
        self._aside = create_engine(
            address,
            pool_size=1,
            max_overflow=1,
            pool_timeout=GLANCE_MAX_S,
            hide_parameters=True,
            connect_args={
                "connect_timeout": GLANCE_MAX_S,
                "tcp_user_timeout": GLANCE_MAX_S * 1000,
                "options": "-c timezone=UTC -c default_transaction_read_only=on"
                f" -c statement_timeout={GLANCE_MAX_S * 1000}",
            },
        )

    @property
    def libpq_url(self) -> str:
        """The URL as the driver itself takes it: to libpq a plus is no space, and a space stands for itself nowhere."""
        written = self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        address, mark, query = written.partition("?")
        return address.replace(" ", "%20") + mark + query.replace("+", "%20")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose changes are committed at the end, or rolled back when an exception leaves."""
        with _timed_transaction(), Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session
        ABSENCES.worked("database")

    @contextmanager
    def query(self) -> Iterator[Session]:
        """A session for what anybody may ask, through the few connections of its `Share`: nobody else waits for them.

        Raises `Busy` for a statement that takes longer than it may, and where no connection comes free in time.
        """
        try:
            with _timed_transaction(), Session(self._queries, expire_on_commit=False) as session, session.begin():
                yield session
        except TimeoutError:
            raise Busy("Too much is asked for just now; try again in a moment.") from None
        except OperationalError as error:
            if isinstance(error.orig, psycopg.errors.QueryCanceled):
                raise Busy("That took too long; ask for less, or try again in a moment.") from None
            raise

    @contextmanager
    def glance(self) -> Iterator[Session]:
        """A session that reads only, through a connection apart: who watches neither waits nor is in the way.

        Each of its statements fails after `GLANCE_MAX_S`.
        """
        with Session(self._aside, expire_on_commit=False) as session, session.begin():
            yield session

    def migrate(self, *, restoring: bool = False, patience_s: float = MIGRATION_PATIENCE_S) -> None:
        """Brings the schema to the newest revision; several processes may call it at once.

        Each revision waits for its locks only a moment at a time, so that nobody queues behind it for longer, and is
        tried again for `patience_s`. A schema that is newer than this code is left as it is. Raises
        `Missing("database")`: tables stay in use, or a restore was broken off, unless this one is `restoring`.
        """
        deadline_s = time.monotonic() + patience_s
        while not self._migrated(restoring=restoring):
            if time.monotonic() > deadline_s:
                raise Missing("database", BUSY)
            time.sleep(random.uniform(0.5, 1.5) * RETRY_AFTER_S)  # noqa: S311 - only so that two do not march in step

    def _migrated(self, *, restoring: bool) -> bool:
        """Whether the schema is as new as it can be made now; False when a table was in use."""
        with self._engine.connect() as connection:
            if self.is_restoring(connection) and not restoring:
                raise Missing("database", "A restore was broken off: run bubbles restore again until it ends.")
            if _is_newest(connection):
                return True
            connection.commit()
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
            connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
            connection.commit()
            try:
                self._upgrade(connection)
            except OperationalError as error:
                if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                    return False
                raise
            finally:
                connection.invalidate()  # gives the lock back, and the time-outs with it
        return True

    def _upgrade(self, connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()

    def is_restoring(self, connection: Connection) -> bool:
        """Whether a restore has begun and not ended."""
        return bool(connection.execute(text("SELECT to_regnamespace(:name)"), {"name": RESTORING}).scalar_one())

    def check(self) -> str:
        """The server's version, `18.6`; raises when it does not answer."""
        with self.transaction() as session:
            return str(session.connection().execute(text("SHOW server_version")).scalar_one())

    def close(self) -> None:
        """Lets go of all connections."""
        self._engine.dispose()
        self._queries.dispose()
        self._aside.dispose()
