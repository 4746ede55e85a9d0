"""What a database's errors say to who runs a command; the rest are faults of ours."""

import psycopg
from psycopg import errors
from sqlalchemy.exc import SQLAlchemyError

from bubbles.db import away

Error = SQLAlchemyError | psycopg.Error
RIGHTS = (errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.ReadOnlySqlTransaction, errors.UndefinedFile)
"""It is up, and does not let us: no right, no extension, a copy of another that can only be read."""


def sentence(error: Error, *, quoted: bool = True) -> str | None:
    """What is wrong with the database, and what to do, in one line; None for a fault of ours.

    `quoted`: in the server's words as well, which no log repeats; else by PostgreSQL's code.
    """
    cause = getattr(error, "orig", error)
    told = " ".join(str(cause).split()) if quoted else getattr(cause, "sqlstate", None) or "no answer"
    if isinstance(cause, errors.DiskFull):
        return f"The database has no room left: make room on its disk ({told})."
    if isinstance(cause, RIGHTS):
        return f"The database does not give us what we need ({told}): `bubbles doctor` says what."
    is_away = isinstance(cause, psycopg.OperationalError) or away.is_troubled(error)
    return f"The database does not answer: {told}" if is_away else None
