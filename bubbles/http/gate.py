"""What the ways in are bounded by: attempts at an account or of a network, known for a day at most; cores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bubbles import sign_in, sign_in_attempts
from bubbles.db import listening
from bubbles.errors import Refused
from bubbles.http import auth, known, visitors
from bubbles.http.lane import Hashing
from bubbles.http.shares import WIDER
from bubbles.model import password as passwords
from bubbles.model.account import Account
from bubbles.model.known_browser import KnownBrowser
from bubbles.sign_in import Kept
from bubbles.sign_in_attempts import Begun, Limit

AROUND = 2
"""How many times as often as one network the one around it may fail at one account, and again the one around that."""

ACCOUNT_AT_ONCE = 2
"""Passwords for one account that are compared or wait for it in one moment; apart, in browsers that it is known in."""

NETWORK_AT_ONCE = 6
"""The same from one network, for whatever accounts: less than a third of the places that there are."""


@dataclass(frozen=True)
class Bounds:
    """What an attempt is bounded by: limits of an hour, and the shares that its askers have of the hashing."""

    limits: Sequence[Limit]
    shares: Mapping[str, int]


@dataclass(frozen=True)
class Attempt:
    """A password that counts already, and is to be compared."""

    kept: Kept
    begun: Begun
    shares: Mapping[str, int]


def of_password(request: Request, handle: str, browser: KnownBrowser | None) -> Bounds:
    """Passwords for the account of a handle, whether or not there is one; `browser` if it is known to that account.

    A known browser has few of its own, which nobody else can use up. From elsewhere there are few from one network,
    some more from what is around it, so that a stranger's guesses shut out themselves, and many more from all together.
    """
    settings = auth.house(request).settings
    right = Limit("right", handle, settings.sign_ins_per_hour, of_right=True)
    if browser is not None:
        wrong = Limit("known", str(browser.id), settings.known_browser_attempts_per_hour)
        return Bounds([wrong, right], _shares(request, f"known {browser.account_id}", apart="known "))
    limits = [*_at_account(request, handle), Limit("handle", handle, settings.account_attempts_per_hour)]
    return Bounds([*limits, *of_network(request), right], _shares(request, f"account {handle}"))


def _at_account(request: Request, handle: str) -> list[Limit]:
    """Wrong passwords for one account, by network and by what is around it."""
    per_hour = auth.house(request).settings.sign_in_attempts_per_hour
    around = visitors.networks_around(visitors.address(request))
    wider = [
        Limit("password_around", f"{handle}\n{network}", AROUND**step * per_hour)
        for step, network in enumerate(around, start=1)
    ]
    return [Limit("password", f"{handle}\n{_network(request)}", per_hour), *wider]


def _shares(request: Request, account: str, *, apart: str = "") -> dict[str, int]:
    """`apart` keeps what strangers have under way out of the way of who is known."""
    wider = visitors.wider_network_of(visitors.address(request))
    networks = {f"{apart}network {each}": NETWORK_AT_ONCE for each in (_network(request), wider) if each}
    return networks | ({account: ACCOUNT_AT_ONCE} if account else {})


def of_present(request: Request, account: Account) -> Bounds:
    """Present passwords of an account, by who is signed in to it: nobody else can use these up."""
    settings, who = auth.house(request).settings, str(account.id)
    wrong = Limit("present", who, settings.sign_in_attempts_per_hour)
    right = Limit("present_right", who, settings.sign_ins_per_hour, of_right=True)
    return Bounds([wrong, right], of_owner(request, account))


def of_new_password(request: Request, account: Account) -> list[Limit]:
    """Passwords that an account sets."""
    return [Limit("new_password", str(account.id), auth.house(request).settings.sign_ins_per_hour)]


def of_owner(request: Request, account: Account) -> Mapping[str, int]:
    """The shares of who is signed in."""
    return _shares(request, f"known {account.id}", apart="known ")


def of_stranger(request: Request) -> Mapping[str, int]:
    """The shares of who has no account yet."""
    return _shares(request, "")


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


def begin(request: Request, session: Session, bounds: Bounds, handle: str) -> Attempt:
    """What to compare with, and the attempt, which counts before it is judged; raises `rate_limited`."""
    begun = sign_in_attempts.begin(session, bounds.limits, now=auth.house(request).now())
    return Attempt(sign_in.kept_password(session, handle), begun, bounds.shares)


async def compared(request: Request, attempt: Attempt, password: str) -> bool:
    """Whether it is the password that is kept; a wrong one is settled, a right one is for the caller to settle.

    Raises `rate_limited`, `unavailable`, and then the attempt has not been one.
    """
    hashing: Hashing = request.app.state.hashing
    try:
        is_right = await hashing.run(lambda: passwords.matches(attempt.kept.hash, password), attempt.shares)
    except Refused:
        await run_in_threadpool(_forgive, request, attempt)
        raise
    if not is_right:
        await run_in_threadpool(_settle_wrong, request, attempt)
    return is_right


def _forgive(request: Request, attempt: Attempt) -> None:
    with auth.house(request).database.transaction() as session:
        sign_in_attempts.forgive(session, attempt.begun)


def _settle_wrong(request: Request, attempt: Attempt) -> None:
    with auth.house(request).database.transaction() as session:
        sign_in_attempts.settle(session, attempt.begun, is_right=False)


async def hashed(request: Request, password: str, shares: Mapping[str, int]) -> str:
    """How a new password is kept; raises `rate_limited`, `unavailable`."""
    hashing: Hashing = request.app.state.hashing
    return await hashing.run(lambda: passwords.hashed(password), shares)


def pseudonym(request: Request, session: Session) -> bytes:
    """The network that asks, or the account that the browser is known to, under the key of the day."""
    today = auth.house(request).now().astimezone(UTC).date()
    browser = known.of_anyone(request, session)
    asker = f"known {browser.account_id}" if browser else _network(request)
    return Limit("challenge", asker, 0).subject(listening.key_of(session, today))


def _network(request: Request) -> str:
    return visitors.network_of(visitors.address(request))
