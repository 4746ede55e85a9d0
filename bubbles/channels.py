"""Channels: made, and their teams."""

from datetime import datetime

from sqlmodel import Session

from bubbles.db import accounts, channels
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.channel import Channel, Membership, Role
from bubbles.model.texts import clean_handle


def create(session: Session, handle: str, *, owner: Account, now: datetime) -> Channel:
    """A channel with its first owner; raises `conflict` when the handle is taken, `bad_text`."""
    handle = clean_handle(handle)
    if channels.by_handle(session, handle):
        raise Refused(Code.CONFLICT, f"@{handle} is taken.")
    channel = Channel(handle=handle, title=handle, created_at=now)
    session.add(channel)
    session.flush()
    session.add(Membership(channel_id=channel.id, account_id=owner.id, role=Role.OWNER, since=now))
    return channel


def require(session: Session, handle: str) -> Channel:
    """The channel of a handle; raises `not_found`."""
    channel = channels.by_handle(session, clean_handle(handle))
    if channel is None:
        raise Refused(Code.NOT_FOUND, f"There is no channel @{handle}.")
    return channel


def hold(session: Session, channel: Channel, account: Account) -> Membership | None:
    """Keeps an account's place in a team as it is until the end of the transaction; None for who has none.

    Raises `not_found` for an account that is closed. Who changes the same team meanwhile waits.
    """
    accounts.lock(session, account.id)  # account before channel, as in `leave`
    if accounts.by_id(session, account.id) is None:
        raise Refused(Code.NOT_FOUND, f"There is no account @{account.handle}.")
    channels.lock(session, channel.id)
    return channels.membership(session, channel.id, account.id, anew=True)


def set_member(session: Session, channel: Channel, account: Account, role: Role, *, now: datetime) -> Membership:
    """Gives an account a role in the team; raises `conflict` when that would leave the channel without an owner.

    Raises `not_found` for an account that is closed.
    """
    member = hold(session, channel, account)
    if member is None:
        member = Membership(channel_id=channel.id, account_id=account.id, role=role, since=now)
        session.add(member)
        return member
    if role is not Role.OWNER:
        _require_spared(session, channel, account, member)
    member.role = role
    return member


def remove_member(session: Session, channel: Channel, account: Account) -> None:
    """Takes an account out of the team, in force at its next request; what it posted there stays the channel's.

    Raises `not_found` for one that is not in it, `conflict` when that would leave the channel without an owner.
    """
    member = hold(session, channel, account)
    if member is None:
        raise Refused(Code.NOT_FOUND, f"@{account.handle} is not in the team of @{channel.handle}.")
    _require_spared(session, channel, account, member)
    session.delete(member)


def _require_spared(session: Session, channel: Channel, account: Account, member: Membership) -> None:
    """Raises `conflict` unless the channel can do without this owner; nobody loses the channel of their own handle."""
    if channel.handle == account.handle:
        raise Refused(Code.CONFLICT, f"@{channel.handle} is the account's own channel, and stays so.")
    if member.role == Role.OWNER and channels.owners(session, channel.id) == 1:
        raise Refused(Code.CONFLICT, f"@{account.handle} is the only owner of @{channel.handle}.")
