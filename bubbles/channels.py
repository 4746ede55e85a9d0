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


def set_member(session: Session, channel: Channel, account: Account, role: Role, *, now: datetime) -> None:
    """Gives an account a role in the team; raises `conflict` when that would leave the channel without an owner.

    Raises `not_found` for one who has left. Who changes the same team meanwhile waits until this transaction ends.
    """
    accounts.lock(session, account.id)  # account before channel, as in `leave`
    if accounts.by_id(session, account.id) is None:
        raise Refused(Code.NOT_FOUND, f"There is no account @{account.handle}.")
    channels.lock(session, channel.id)
    member = channels.membership(session, channel.id, account.id, anew=True)
    if member is None:
        session.add(Membership(channel_id=channel.id, account_id=account.id, role=role, since=now))
        return
    if member.role == Role.OWNER and role is not Role.OWNER and channels.owners(session, channel.id) == 1:
        raise Refused(Code.CONFLICT, f"@{account.handle} is the only owner of @{channel.handle}.")
    member.role = role
