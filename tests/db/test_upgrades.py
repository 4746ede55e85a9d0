"""A release replaces another while both serve: the schema changes under traffic, and the older code goes on."""

import ast
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bubbles.db import engine
from bubbles.db.engine import MIGRATION_LOCK, MIGRATIONS, Database, revisions
from bubbles.errors import Missing
from tests.db.conftest import RELEASED

PATIENCE_S = 60
STORY = Path(__file__).with_name("release_story.py")


TRAFFIC = (
    "SELECT count(*) FROM bubble JOIN channel ON channel.id = channel_id LEFT JOIN step ON bubble_id = bubble.id",
    "INSERT INTO bubble (code, channel_id, author_id, version, title, tags, visibility, duration_s, recording_sha256,"
    " recording_bytes, keep_recording, recorded_at, created_at)"
    " VALUES (gen_random_uuid(), 1000, 1000, 1, '', '{}', 'public', 1, '', 1, false, now(), now())",
    "INSERT INTO step (bubble_id, name, queued_at, attempt, tries) SELECT max(id), 'normalise', now(), 0, 0 FROM bubble"
    " ON CONFLICT DO NOTHING",
    "UPDATE step SET attempt = attempt + 1 WHERE bubble_id = (SELECT max(bubble_id) FROM step)",
    "INSERT INTO upload (account_id, started_at) VALUES (1000, now())",
    "INSERT INTO discard (blob_key, due_at) VALUES (gen_random_uuid(), now())",
)
"""What the last release does all the time."""


class Traffic:
    """Readers and writers, who never wait for longer than their time-out."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._over = threading.Event()
        self.rounds = 0
        self.errors: list[Exception] = []

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                for statement in TRAFFIC:
                    with self._database.transaction() as session:
                        session.connection().exec_driver_sql("SET LOCAL statement_timeout = '10s'")
                        session.connection().exec_driver_sql(statement)
            except Exception as error:
                self.errors.append(error)
                return
            self.rounds += 1

    @contextmanager
    def flowing(self) -> Iterator["Traffic"]:
        threads = [threading.Thread(target=self._run) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def flows_on(self) -> None:
        """Returns when more of it has got through."""
        goal = self.rounds + 5
        until(lambda: self.rounds >= goal or self.errors)
        assert not self.errors


def until(true: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.005)


def test_the_schema_changes_under_traffic(released: Database) -> None:
    with Traffic(released).flowing() as traffic:
        traffic.flows_on()
        released.migrate()
        traffic.flows_on()
    assert released_at(released) == revisions()[0]


def test_nobody_queues_for_long_behind_a_revision_that_waits_for_a_long_query(
    released: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_off = threading.Event()
    monkeypatch.setattr(engine.time, "sleep", lambda _, sleep=time.sleep: (put_off.set(), sleep(0.1)))
    migrating = threading.Thread(target=released.migrate)
    with released.transaction() as session, Traffic(released).flowing() as traffic:
        for table in ("bubble", "step", "upload", "account"):
            session.connection().exec_driver_sql(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
        migrating.start()
        assert put_off.wait(PATIENCE_S)
        traffic.flows_on()
        assert migrating.is_alive()
    migrating.join(PATIENCE_S)
    assert released_at(released) == revisions()[0]


def released_at(database: Database) -> str:
    with database.transaction() as session:
        return str(session.connection().execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def test_a_table_that_stays_in_use_is_told(released: Database) -> None:
    with released.transaction() as session:
        session.connection().exec_driver_sql("LOCK TABLE step IN ACCESS SHARE MODE")
        with pytest.raises(Missing, match="pg_stat_activity") as missing:
            released.migrate(patience_s=0)
    assert missing.value.part == "database"
    released.migrate()


def test_what_is_up_to_date_waits_for_nobody_who_migrates_or_backs_up(database: Database) -> None:
    starting = threading.Thread(target=database.migrate)
    with database.transaction() as session:
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        starting.start()
        starting.join(PATIENCE_S)
        assert not starting.is_alive()


def test_older_code_starts_on_a_schema_that_only_newer_code_knows(released: Database) -> None:
    released.migrate()
    with released.transaction() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with capture_logs() as logged:
        released.migrate()
    assert released_at(released) == "9999"
    assert [each["event"] for each in logged] == ["schema_is_newer"]


# The last release's code on the newest schema


def test_the_last_release_lives_its_journey_on_the_newest_schema(
    last_release: Path, released: Database, tmp_path: Path
) -> None:
    released.migrate()
    told = subprocess.run(
        [sys.executable, str(STORY), str(last_release), released.libpq_url, str(tmp_path)],
        cwd=last_release, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-4000:]
    assert told.stdout.split()[-1] == "fine"


# Revisions only expand: what the older code reads and writes stays, until a release later


CONTRACTING = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|CONSTRAINT|INDEX|SCHEMA|TYPE|DEFAULT|FUNCTION|VIEW)|\bRENAME\b|\bTRUNCATE\b|\bSET\s+NOT\s+NULL"
    r"|\bALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE\b|\bADD\s+(CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN)\b"
    r"|\bADD\s+COLUMN\s+(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b",
    re.IGNORECASE,
)
OPERATIONS = re.compile(r"(drop|rename|alter)_\w+|create_(unique|check|foreign|primary)\w*")


def contracts(source: str) -> list[str]:
    """What a revision does that the code before it would trip over, unless it says why none does: CONTRACTS = "...".

    And from which revision on code does without, NEEDS = "...": older code is then refused (`bubbles.db.engine`).
    """
    tree = ast.parse(source)
    assigned = {ast.unparse(node.targets[0]) for node in tree.body if isinstance(node, ast.Assign)}
    if {"CONTRACTS", "NEEDS"} <= assigned:
        return []
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    told = ast.get_docstring(tree, clean=False)
    found = [match[0] for each in texts if each != told for match in CONTRACTING.finditer(each)]
    called = [
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    return found + [name for name in called if OPERATIONS.fullmatch(name)]


@pytest.mark.parametrize("revision", [name for name in revisions() if name > RELEASED])
def test_a_revision_that_is_not_released_only_expands(revision: str) -> None:
    path = next((MIGRATIONS / "versions").glob(f"{revision}_*.py"))
    assert contracts(path.read_text()) == []


EXPANDING = [
    "CREATE TABLE a (b text NOT NULL)",
    "ALTER TABLE a ADD COLUMN b text",
    "ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT ''",
    "CREATE INDEX a_b ON a (b)",
]
HARMFUL = [
    "DROP TABLE a",
    "ALTER TABLE a DROP COLUMN b",
    "ALTER TABLE a RENAME COLUMN b TO c",
    "alter table a alter column b type bigint",
    "ALTER TABLE a ALTER COLUMN b SET NOT NULL",
    "ALTER TABLE a ADD COLUMN b text NOT NULL",
    "ALTER TABLE a ADD COLUMN b text NOT NULL, ADD COLUMN c text DEFAULT ''",
    "ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0)",
]


@pytest.mark.parametrize("statement", EXPANDING)
def test_what_expands_passes(statement: str) -> None:
    assert contracts(f'"""DROP TABLE, in prose."""\nop.execute("""{statement}""")') == []


@pytest.mark.parametrize("statement", HARMFUL)
def test_what_contracts_is_found(statement: str) -> None:
    assert contracts(f'op.execute("""{statement}""")')
    assert contracts('op.drop_column("a", "b")')
    why = f'CONTRACTS = "nobody reads it since 1.2"\nop.execute("""{statement}""")'
    assert contracts(why)
    assert contracts(f'NEEDS = "0012"\n{why}') == []
