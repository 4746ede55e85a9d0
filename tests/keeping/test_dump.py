"""The moment that is dumped, and pg_dump: which one is taken, and how it is told the password."""

import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import URL

from bubbles.app import House
from bubbles.backup import back_up
from bubbles.db import dump, named
from bubbles.db.engine import MIGRATION_LOCK, Database
from bubbles.errors import Missing
from tests.journey.service import wait_for
from tests.keeping.conftest import set_names, shelved


def test_the_password_is_on_no_command_line(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **kw: (commands.append(command), run(command, **kw))[1])
    back_up(house, tmp_path / "backups", keep=7)
    password = house.database.libpq_url.split(":")[2].split("@")[0]
    assert any("pg_dump" in command[0] for command in commands)
    assert len(password) > 20
    assert password not in str(commands)


def test_a_password_may_hold_anything_and_lies_in_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    told: list[str] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        passfile = Path(conninfo_to_dict(command[1].removeprefix("--dbname="))["passfile"])
        assert passfile.stat().st_mode & 0o077 == 0
        told.append(passfile.read_text())
        assert list(tmp_path.iterdir()) == []
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    url = URL.create("postgresql", "bubbles", "a:b\\c'd", "db.example", database="b")
    dump._run("pg_dump", [], Database(url.render_as_string(hide_password=False)))
    assert told == ["*:*:*:*:a\\:b\\\\c'd\n"]


def test_a_failing_pg_dump_is_told_without_the_password(house: House, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(dump, "OPTIONS", ("--nonsense",))
    with pytest.raises(Missing, match="nonsense") as missing:
        back_up(house, tmp_path / "backups", keep=7)
    assert missing.value.part == "database"
    assert set_names(tmp_path / "backups") == []


def test_a_server_newer_than_pg_dump_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump.shutil, "which", lambda name: None)
    with pytest.raises(Missing, match="postgresql-client-77"):
        dump._program("pg_dump", 770_001)


def test_the_pg_dump_on_the_path_is_taken_for_a_newer_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = tmp_path / "pg_dump"
    newer.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 77.1 (Debian 77.1-1)'\n")
    newer.chmod(0o700)
    monkeypatch.setattr(dump.shutil, "which", lambda name: str(newer))
    assert dump._program("pg_dump", 770_001) == str(newer)
    assert dump._program("pg_dump", 150_004) != str(newer)


def test_a_moment_that_waits_for_a_migration_is_after_it(house: House) -> None:
    """What a revision rewrites is empty to whoever looks from before it."""
    shelved(house)

    def look() -> int:
        with dump.snapshot(house.database) as held:
            return named.count_bubbles(held.session)

    with ThreadPoolExecutor(1) as pool, psycopg.connect(house.database.libpq_url) as revision:
        revision.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        seen = pool.submit(look)
        waiting = (
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE NOT granted AND datname = %s"
        )
        wait_for(lambda: revision.execute(waiting, [revision.info.dbname]).fetchone() == (1,))
        revision.execute("ALTER TABLE bubble ADD COLUMN half int GENERATED ALWAYS AS (id / 2) STORED")
    assert seen.result(timeout=60) == 1
