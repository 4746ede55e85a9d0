"""What an error of the database says: that it is away or cannot work, or that it was asked wrongly."""

import psycopg
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from bubbles.errors import Missing

AWAY = ("08", "53", "57P")
"""No connection, no resources (disk, memory, connections), an operator's intervention: codes that begin so."""

BUSY = ("25006", "40", "55P03", "57014")
"""Read only, as a standby is; given way to another transaction; a lock or a statement that took too long."""

PASSING = ("starting up", "shutting down", "recovery", "too many", "connection slots", "not yet accepting")
"""What a server says that refuses a connection for a time only; a refused connection brings no SQLSTATE."""

CAUSES_MAX = 10


def is_away(error: BaseException | None) -> bool:
    """Whether the database is away, or lacks what it needs to work; nothing that was asked of it can be the cause."""
    found, told = _found(error)
    return found and (told is None or told.startswith(AWAY))


def is_troubled(error: BaseException | None) -> bool:
    """As `is_away`, or it has too much to do: the same may be asked again."""
    found, told = _found(error)
    return found and (told is None or told.startswith(AWAY + BUSY))


def detail(error: BaseException | None) -> str:
    """What to say of it to the operator, with PostgreSQL's code where there was an answer."""
    _, told = _found(error)
    return f"The database is away, or lacks what it needs to work ({told or 'no answer'}); its own log says more."


def missing(error: BaseException | None) -> Missing | None:
    """The database as the part that is missing, where the error says so."""
    return Missing("database", detail(error)) if is_troubled(error) else None


def is_wrong_door(error: BaseException) -> bool:
    """Whether a server refuses us for good: a wrong password, or a user or database that does not exist."""
    said = str(getattr(error, "orig", None) or error)
    return "FATAL" in said and not any(word in said for word in PASSING)


def _found(error: BaseException | None) -> tuple[bool, str | None]:
    """Whether an error, or a cause of it, is the database's; and its SQLSTATE, None when there was no answer."""
    for _ in range(CAUSES_MAX):
        if isinstance(error, DBAPIError):
            return _told(error.orig, cut_off=error.connection_invalidated)
        if isinstance(error, (NoConnectionFree, DisconnectionError)):
            return True, None
        if isinstance(error, psycopg.Error):
            return _told(error, cut_off=False)
        if error is None:
            break
        error = error.__cause__
    return False, None


def _told(error: BaseException | None, *, cut_off: bool) -> tuple[bool, str | None]:
    told: str | None = getattr(error, "sqlstate", None)
    unanswered = told is None and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return cut_off or unanswered or told is not None, None if cut_off else told
