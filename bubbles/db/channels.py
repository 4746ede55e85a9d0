"""Channels and teams, as rows."""

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from bubbles.model.account import Account
from bubbles.model.channel import Channel, Membership, Role


def by_handle(session: Session, handle: str) -> Channel | None:
    """The channel of a handle."""
    return session.exec(select(Channel).where(Channel.handle == handle)).first()


def lock(session: Session, channel_id: int) -> None:
    """Keeps a team as it is until the end of the transaction."""
    session.exec(select(Channel.id).where(Channel.id == channel_id).with_for_update()).one()


def membership(session: Session, channel_id: int, account_id: int, *, anew: bool = False) -> Membership | None:
    """A person's place in a team, None for strangers; `anew`: as it is by now, whatever was read before."""
    return session.get(Membership, (channel_id, account_id), populate_existing=anew)


def of_account(session: Session, account_id: int, *, first: str) -> list[tuple[Channel, str]]:
    """The channels whose team an account is in, each with its role there: the one of handle `first`, then by title."""
    joined = select(Channel, Membership.role).join(Membership).where(Membership.account_id == account_id)
    ordered = joined.order_by(col(Channel.handle) != first, func.lower(Channel.title), col(Channel.handle))
    return list(session.exec(ordered))


def team(session: Session, channel_id: int) -> list[tuple[Membership, str]]:
    """The members of a channel's team, each with their handle: owners, editors, authors, who came first before."""
    rank = case({role: place for place, role in enumerate(Role)}, value=col(Membership.role))
    joined = select(Membership, Account.handle).join(Account).where(Membership.channel_id == channel_id)
    return list(session.exec(joined.order_by(rank, col(Membership.since), col(Membership.account_id))))


def owners(session: Session, channel_id: int) -> int:
    """How many owners a channel has."""
    owning = (Membership.channel_id == channel_id, Membership.role == Role.OWNER)
    return session.exec(select(func.count()).select_from(Membership).where(*owning)).one()


def owner_id(session: Session, channel_id: int) -> int | None:
    """The account that has owned the channel longest."""
    owners = select(Membership.account_id).where(Membership.channel_id == channel_id, Membership.role == Role.OWNER)
    return session.exec(owners.order_by(col(Membership.since), col(Membership.account_id))).first()
