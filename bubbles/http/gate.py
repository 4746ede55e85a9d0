"""What the ways in are bounded by: attempts of an account, and of a network that is known for a day at most."""

from datetime import UTC

from sqlmodel import Session
from starlette.requests import Request

from bubbles.attempts import Limit
from bubbles.db import listening
from bubbles.http import auth, visitors


def of_handle(request: Request, kind: str, handle: str) -> Limit:
    """Attempts of one kind at the account of a handle, whoever tries, and whether or not there is such an account."""
    return Limit(kind, handle, auth.house(request).settings.sign_in_attempts_per_hour)


def of_network(request: Request) -> Limit:
    """Attempts of all kinds from the network that asks."""
    return Limit("network", _network(request), auth.house(request).settings.network_attempts_per_hour)


def of_sign_ups(request: Request) -> Limit:
    """Accounts made, or tried to be made, from the network that asks."""
    return Limit("sign_up", _network(request), auth.house(request).settings.sign_ups_per_hour)


def pseudonym(request: Request, session: Session) -> bytes:
    """The network that asks, under the key of the day."""
    today = auth.house(request).now().astimezone(UTC).date()
    return Limit("challenge", _network(request), 0).subject(listening.key_of(session, today))


def _network(request: Request) -> str:
    return visitors.network_of(visitors.address(request))
