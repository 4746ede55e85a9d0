"""Times as the house keeps them: aware, in UTC."""

from datetime import UTC, datetime

from bubbles.errors import Code, Refused


def utc_now() -> datetime:
    """The clock of the house; passed in as `now`, so that a test can hold it."""
    return datetime.now(UTC)


def rfc3339(time: datetime) -> str:
    """`2026-11-22T10:00:00Z`, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_rfc3339(text: str, *, what: str) -> datetime:
    """An aware time from RFC 3339 text; raises `bad_request`, naming `what`."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Refused(Code.BAD_REQUEST, f"{what} must be a time such as 2026-11-22T10:00:00Z.") from None
