"""What the ways in are bounded by: attempts at an account or of a network, known for a day at most; cores."""

from collections.abc import Sequence
from datetime import UTC

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bubbles import sign_in_attempts
from bubbles.db import listening
from bubbles.errors import Refused
from bubbles.http import auth, visitors
from bubbles.http.lane import Hashing
from bubbles.model import password as passwords
from bubbles.model.account import Account
from bubbles.sign_in import Kept
from bubbles.sign_in_attempts import Limit

WIDER = 5
"""How many times as often as one network of 64 bits the 48 bits may fail that hold it."""


def of_password(request: Request, handle: str) -> list[Limit]:
    """Passwords for the account of a handle, whether or not there is one.

    Few from one network, so that a stranger's guesses shut out nobody elsewhere; many more from all together.
    """
    settings = auth.house(request).settings
    here = Limit("password", f"{handle}\n{_network(request)}", settings.sign_in_attempts_per_hour)
    return [here, Limit("handle", handle, settings.account_attempts_per_hour), *of_network(request)]


def of_present(request: Request, account: Account) -> list[Limit]:
    """Present passwords of an account, by who is signed in to it: nobody else can use these up."""
    return [Limit("present", str(account.id), auth.house(request).settings.sign_in_attempts_per_hour)]


def of_network(request: Request) -> list[Limit]:
    """Attempts of all kinds from the network that asks."""
    return _of_networks(request, "network", auth.house(request).settings.network_attempts_per_hour)


def of_sign_ups(request: Request) -> list[Limit]:
    """Accounts made, or tried to be made, from the network that asks."""
    return _of_networks(request, "sign_up", auth.house(request).settings.sign_ups_per_hour)


def _of_networks(request: Request, kind: str, per_hour: int) -> list[Limit]:
    """Of the network that asks and of the one around it, where there is one."""
    wider = visitors.wider_network_of(visitors.address(request))
    around = [Limit(f"{kind}_48", wider, WIDER * per_hour)] if wider else []
    return [Limit(kind, _network(request), per_hour), *around]


def count_wrong(request: Request) -> None:
    """Counts what cannot be guessed once it was wrong; raises `rate_limited`."""
    house = auth.house(request)
    with house.database.transaction() as session:
        sign_in_attempts.begin(session, of_network(request), now=house.now())


async def compared(request: Request, kept: Kept, password: str, begun: Sequence[int]) -> bool:
    """Whether it is the password that is kept; raises `unavailable`, and then the attempt has not been one."""
    hashing: Hashing = request.app.state.hashing
    try:
        return await hashing.run(lambda: passwords.matches(kept.hash, password))
    except Refused:
        await run_in_threadpool(_forgive, request, begun)
        raise


def _forgive(request: Request, begun: Sequence[int]) -> None:
    with auth.house(request).database.transaction() as session:
        sign_in_attempts.forgive(session, begun)


async def hashed(request: Request, password: str) -> str:
    """How a new password is kept; raises `unavailable`."""
    hashing: Hashing = request.app.state.hashing
    return await hashing.run(lambda: passwords.hashed(password))


def pseudonym(request: Request, session: Session) -> bytes:
    """The network that asks, under the key of the day."""
    today = auth.house(request).now().astimezone(UTC).date()
    return Limit("challenge", _network(request), 0).subject(listening.key_of(session, today))


def _network(request: Request) -> str:
    return visitors.network_of(visitors.address(request))
