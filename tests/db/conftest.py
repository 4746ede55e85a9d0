"""A database as the last release left it, and that release's code."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

from bubbles.db.engine import MIGRATIONS, Database
from tests.conftest import CHECKOUT, libpq

RELEASED = "0009"
"""The newest revision of the last release."""


@pytest.fixture
def released(postgres: str) -> Iterator[Database]:
    """A database as the last release left it, with someone in it."""
    url, name = make_url(postgres), f"released_{uuid4().hex}"
    with psycopg.connect(libpq(url.set(database="postgres")), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    database = Database(url.set(database=name).render_as_string(hide_password=False))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database._engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, RELEASED)
        connection.exec_driver_sql(SOMEONE)
        connection.commit()
    yield database
    database.close()


SOMEONE = """
INSERT INTO account (id, handle, created_at) VALUES (1000, 'someone', now());
INSERT INTO channel (id, handle, title, created_at) VALUES (1000, 'someone', '', now());
"""


@pytest.fixture(scope="module")
def last_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code before the first revision that is not released; skipped where its history is not there."""
    newer = sorted(path for path in (MIGRATIONS / "versions").glob("0*.py") if path.name[:4] > RELEASED)
    if not newer:
        pytest.skip("the schema is that of the last release")
    added = git("log", "--diff-filter=A", "--format=%H", "--", str(newer[0])).split()
    parent = git("rev-parse", "--verify", "--quiet", f"{added[-1]}^").strip() if added else ""
    if not parent:
        pytest.skip("the history of the last release is not here")
    folder = tmp_path_factory.mktemp("release")
    packed = subprocess.run(["git", "archive", parent, "bubbles"], cwd=CHECKOUT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    assert (folder / "bubbles" / "db" / "migrations" / "versions").is_dir()
    return folder


def git(*arguments: str) -> str:
    try:
        return subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""
