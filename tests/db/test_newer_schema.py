"""A schema of a release that is still to come: what only expands is lived with, what takes away is refused."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from bubbles.db import engine
from bubbles.db.engine import MIGRATIONS, Database, revisions
from bubbles.errors import Missing


def test_a_newer_schema_is_refused_only_when_it_needs_code_that_knows_more(database: Database, tmp_path: Path) -> None:
    migrate_as_a_later_release(database, tmp_path / "known", needs=revisions()[0])
    database.migrate()
    assert version(database) == "9999"
    migrate_as_a_later_release(database, tmp_path / "unknown", needs="9998")
    with pytest.raises(Missing, match=r"newer release .*revision 9998.* install"):
        database.migrate()
    assert version(database) == "9999"


def migrate_as_a_later_release(database: Database, folder: Path, *, needs: str) -> None:
    """Brings our schema to a revision that takes something away, which code does without that knows `needs`."""
    copied = Path(shutil.copytree(MIGRATIONS, folder))
    head = f'revision = "9999"\ndown_revision = "{revisions()[0]}"\nNEEDS = "{needs}"\nCONTRACTS = "trying"\n'
    (copied / "versions" / "9999_later.py").write_text(f"{head}\n\ndef upgrade() -> None:\n    pass\n")
    with database.transaction() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = :ours"), {"ours": revisions()[0]})
    with pytest.MonkeyPatch.context() as later:
        later.setattr(engine, "MIGRATIONS", copied)
        database.migrate()


def version(database: Database) -> str:
    with database.transaction() as session:
        return str(session.connection().execute(text("SELECT version_num FROM alembic_version")).scalar_one())
