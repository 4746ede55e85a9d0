"""Leave: someone closes their account, and what is theirs alone goes with them.

The account is closed and what goes with it hidden in one transaction; upkeep then withdraws bubble by bubble, and goes
on whatever interrupts it. What stands in a channel that others own belongs to it and stays, unless the person takes
theirs along.
"""

from datetime import datetime

import structlog
from sqlmodel import Session

from bubbles import accounts, moderation
from bubbles.db import accounts as account_rows
from bubbles.db import bubbles, departures, erasures
from bubbles.db.engine import Database
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.departure import Departure
from bubbles.model.erasure import of_account

AT_ONCE = 50
REASON = "its author has closed their account"

log = structlog.get_logger()


class OnlyOwner(Refused):
    """A team would be left without an owner; `handle` is its channel's."""

    def __init__(self, handle: str) -> None:
        super().__init__(
            Code.CONFLICT,
            f"You are the only owner of @{handle}: hand it over, `bubbles channel member {handle} SOMEONE owner`.",
        )
        self.handle = handle


def leave(session: Session, account: Account, *, everywhere: bool, now: datetime, abandoning: bool = False) -> None:
    """Closes the account for good and hides what goes with it; raises `OnlyOwner` while a team depends on it.

    `everywhere`: also what it posted in channels of others, while it is in their team: as it might have done before.
    `abandoning`: it has left before, so that nothing waits for a team that depends on it; the log names the channel.
    """
    account_rows.lock(session, account.id)  # account before channel, as in `channels.set_member`
    if account_rows.by_id(session, account.id) is None:
        raise Refused(Code.CONFLICT, "The account is closed already.")
    closing = []
    for channel in departures.owned(session, account.id):
        rest = departures.others(session, channel.id, account.id)
        if not rest:
            closing.append(channel.id)
        elif not any(member.role == "owner" for member in rest):
            if not abandoning:
                raise OnlyOwner(channel.handle)
            log.warning("channel_without_owner", channel_id=channel.id)
    accounts.close(session, account, now=now)
    shared = [each for each in departures.teams(session, account.id) if everywhere and each not in closing]
    departure = Departure(account_id=account.id, channel_ids=closing, shared_ids=shared, left_at=now)
    departures.hide(session, departure)
    departures.begin(session, departure)
    erasures.add(session, of_account(account.id, account.created_at), now, everywhere=everywhere)


def go_on(database: Database, *, now: datetime) -> int:
    """Withdraws what is left of all who have left; returns how many bubbles.

    A departure that fails holds up no other, and is tried again the next time.
    """
    with database.transaction() as session:
        leaving = departures.under_way(session)
    withdrawn = 0
    for departure in leaving:
        try:
            withdrawn += _finish(database, departure, now)
        except Exception as error:
            log.error("leaving_failed", account_id=departure.account_id, exc_info=error)
    return withdrawn


def _finish(database: Database, departure: Departure, now: datetime) -> int:
    withdrawn = 0
    while True:
        with database.transaction() as session:
            left = departures.left_behind(session, departure, limit=AT_ONCE)
            if not left:
                departures.done(session, departure, now)
        for bubble_id in left:
            with database.transaction() as session:
                bubble = bubbles.get(session, bubble_id)
                moderation.withdraw(session, bubble, by="", reason=REASON, now=now)
        withdrawn += len(left)
        if not left:
            return withdrawn
