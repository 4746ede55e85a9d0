"""What a PostgreSQL server is and has. Looks only: nothing is made, nothing is migrated."""

from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool
from sqlmodel import Session

from bubbles.db import crew, front
from bubbles.db.engine import MIGRATIONS
from bubbles.db.front import Seen

EXTENSIONS = ("pg_trgm", "unaccent")
VERSION_MIN = 15
CONNECT_MAX_S = 10

_EXTENSIONS_TO_HAVE = """
    SELECT name FROM pg_available_extensions
    WHERE installed_version IS NOT NULL OR has_database_privilege(current_database(), 'CREATE')
"""


@dataclass(frozen=True)
class Server:
    """A server that answers. `lacks` are the extensions that are neither there nor can be made by us.

    `is_migrated`: the schema is the newest that we know. `served`: the queues whose workers live. `seen`: through what
    visitors came lately, if any did.
    """

    version: str
    major: int
    lacks: tuple[str, ...]
    is_migrated: bool
    served: frozenset[str]
    seen: Seen | None = None


def look(url: str) -> Server:
    """Asks the server of a URL; raises SQLAlchemy's `OperationalError` when it does not answer in `CONNECT_MAX_S`."""
    address = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(address, poolclass=NullPool, connect_args={"connect_timeout": CONNECT_MAX_S})
    with engine.connect() as connection:
        version = str(connection.execute(text("SHOW server_version")).scalar_one())
        at_hand = set(connection.execute(text(_EXTENSIONS_TO_HAVE)).scalars())
        is_migrated = _is_migrated(connection)
        return Server(
            version=version.split(maxsplit=1)[0],
            major=int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000,
            lacks=tuple(name for name in EXTENSIONS if name not in at_hand),
            is_migrated=is_migrated,
            served=frozenset(crew.slots(Session(connection)) if is_migrated else ()),
            seen=front.seen(Session(connection)) if is_migrated else None,
        )


def _is_migrated(connection: Connection) -> bool:
    heads = ScriptDirectory(str(MIGRATIONS)).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)
