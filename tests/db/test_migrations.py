"""The tables that the revisions make are those that the code knows."""

import importlib
import pkgutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

import bubbles.db
import bubbles.model
from bubbles.db.embedded import running
from bubbles.db.engine import MIGRATIONS, Database
from bubbles.db.terms import CONFIGURATIONS, SIMPLE

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable = 'YES', is_identity = 'YES', is_generated = 'ALWAYS'
FROM information_schema.columns WHERE table_schema = 'public'
"""
NEWEST = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))
POSTGRESQL = postgresql.dialect()
KEYS = """
SELECT relname, attname FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indisprimary AND relnamespace = 'public'::regnamespace
"""


for package in (bubbles.model, bubbles.db):
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("migrations") / "postgresql") as url:
        yield url


@pytest.fixture(scope="module")
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    database.migrate()
    yield database
    database.close()


def rows(database: Database, query: str) -> set[tuple[object, ...]]:
    with database.transaction() as session:
        found = {tuple(row) for row in session.connection().execute(text(query))}
    return {row for row in found if not str(row[0]).startswith(("procrastinate_", "alembic_"))}


def kind(column) -> str:
    """A column's type as PostgreSQL's catalogue says it."""
    name = str(column.type.compile(dialect=POSTGRESQL)).lower()
    return {
        "varchar": "character varying",
        "float": "double precision",
        "text[]": "ARRAY",
        "bigint[]": "ARRAY",
    }.get(name, name)


def test_tables_columns_types_and_nullability_agree(database: Database) -> None:
    known = {
        (
            table.name,
            column.name,
            kind(column),
            column.nullable,
            column.identity is not None,
            column.computed is not None,
        )
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
    }
    assert rows(database, COLUMNS) == known


def test_primary_keys_agree(database: Database) -> None:
    known = {(table.name, column.name) for table in SQLModel.metadata.tables.values() for column in table.primary_key}
    assert rows(database, KEYS) == known


def test_every_language_has_its_configuration(database: Database) -> None:
    made = {name for (name,) in rows(database, "SELECT cfgname FROM pg_ts_config WHERE cfgname LIKE 'bubbles%'")}
    assert {*CONFIGURATIONS.values(), SIMPLE} <= made


def test_many_may_migrate_at_once_and_again(url: str, database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        others = [Database(url) for _ in range(4)]
        list(pool.map(Database.migrate, others))
    for other in others:
        other.close()
    assert rows(database, "SELECT version_num FROM alembic_version") == {(NEWEST,)}
