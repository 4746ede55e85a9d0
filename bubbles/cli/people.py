"""The commands about people: accounts and their ways in, tokens, channels and their teams."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from bubbles import accounts, channels, invitations, known_browsers, leave, sign_in, upkeep
from bubbles.cli.opened import house
from bubbles.db import accounts as account_rows
from bubbles.db import channels as channel_rows
from bubbles.db import tokens as token_rows
from bubbles.errors import Code, Refused
from bubbles.model.channel import Role
from bubbles.model.passkey import NAME_MAX
from bubbles.model.texts import clean_line
from bubbles.model.token import DAYS_MAX, AnyToken, Scope, scopes_of

account_app = typer.Typer(help="Accounts: people and programs who may act.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens: the way in for programs.", no_args_is_help=True)
channel_app = typer.Typer(help="Channels: who publishes, and their teams.", no_args_is_help=True)


@account_app.command("create")
def account_create(handle: str) -> None:
    """Make an account, with a channel of its own."""
    with house() as opened, opened.database.transaction() as session:
        account = accounts.create(session, handle, now=opened.now())
        print(f"@{account.handle}")


@account_app.command("link")
def account_link(handle: str) -> None:
    """Print a link that signs in once: also the way back in."""
    with house() as opened, opened.database.transaction() as session:
        account = accounts.require(session, handle)
        valid_for = timedelta(hours=opened.settings.sign_in_link_hours)
        secret = sign_in.new_link(session, account, now=opened.now(), valid_for=valid_for)
        print(f"{opened.settings.public_url}/sign-in/{secret}")


@account_app.command("invite")
def account_invite() -> None:
    """Print a link with which one person may make an account."""
    with house() as opened, opened.database.transaction() as session:
        if opened.settings.registration == "closed":
            raise Refused(Code.CONFLICT, "Nobody may sign up while BUBBLES_REGISTRATION is closed.")
        valid_for = timedelta(days=opened.settings.invitation_days)
        code = invitations.make(session, None, now=opened.now(), valid_for=valid_for)
        print(f"{opened.settings.public_url}/sign-up?invitation={code}")


@account_app.command("close")
def account_close(
    handle: str,
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="Withdraw what it posted in others' channels.")
    ] = False,
) -> None:
    """Close an account for good: what is its alone is withdrawn."""
    with house() as opened:
        with opened.database.transaction() as session:
            leave.leave(session, accounts.require(session, handle), everywhere=everywhere, now=opened.now())
        leave.go_on(opened.database, now=opened.now())
        upkeep.discard(opened.database, opened.blobs, now=opened.now())
        print(f"@{handle.removeprefix('@')} is closed; what was its alone is withdrawn.")


@account_app.command("sessions")
def account_sessions(
    handle: str,
    end: Annotated[bool, typer.Option("--end", help="End them all: sign the account out everywhere.")] = False,
    tokens: Annotated[bool, typer.Option("--tokens", help="With --end: revoke all its tokens too.")] = False,
) -> None:
    """List where an account is signed in."""
    if tokens and not end:
        raise typer.BadParameter("--tokens goes with --end.")
    with house() as opened, opened.database.transaction() as session:
        account, now = accounts.require(session, handle), opened.now()
        for each in account_rows.web_sessions(session, account.id, now):
            device = f"{each.browser or 'a browser'} on {each.system or 'a system'}"
            print(f"{each.created_at:%Y-%m-%d} by {each.way}, {device}, last seen {each.last_seen_on or 'never'}")
        if end:
            sign_in.end_sessions(session, account, now=now)
            known_browsers.forget_all(session, account)
        if tokens:
            accounts.revoke_tokens(session, account, now=now)


@account_app.command("browsers")
def account_browsers(
    handle: str,
    forget: Annotated[bool, typer.Option("--forget", help="Forget them all; nobody is signed out.")] = False,
) -> None:
    """List the browsers that an account has signed in with, and is known in."""
    with house() as opened, opened.database.transaction() as session:
        account = accounts.require(session, handle)
        for each in known_browsers.of_account(session, account, now=opened.now()):
            device = f"{each.browser or 'a browser'} on {each.system or 'a system'}"
            print(f"{each.created_at:%Y-%m-%d}, {device}, last signed in {each.used_at:%Y-%m-%d}")
        if forget:
            known_browsers.forget_all(session, account)


@token_app.command("create")
def token_create(
    handle: str,
    scope: Annotated[
        str | None, typer.Option(help="What it opens: publish, edit, statistics, with commas; default: everything.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=DAYS_MAX, help="Days until it ends; default: no end.")] = None,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Print a new token for an account: it is told this once."""
    scopes = None if scope is None else scopes_of(scope.split(","))
    named = clean_line(name, what="name", length_max=NAME_MAX)
    valid_for = None if days is None else timedelta(days=days)
    with house() as opened, opened.database.transaction() as session:
        account, now = accounts.require(session, handle), opened.now()
        print(accounts.new_token(session, account, now=now, name=named, scopes=scopes, valid_for=valid_for))


@token_app.command("list")
def token_list(handle: str) -> None:
    """List the tokens of an account, by the number that revokes them, with what they open and until when."""
    with house() as opened, opened.database.transaction() as session:
        now = opened.now()
        for token in token_rows.held(session, accounts.require(session, handle).id):
            print(f"{token.id}  {token.created_at:%Y-%m-%d}  {_opens(token)}, {_ends(token, now)}{_known_by(token)}")


def _opens(token: AnyToken) -> str:
    if token.limits is None:
        return "everything"
    return ", ".join(scope for scope in Scope if scope in token.limits) or "nothing"


def _ends(token: AnyToken, now: datetime) -> str:
    if token.ends_at is None:
        return "no end"
    return f"{'ended' if accounts.has_ended(token, now) else 'until'} {token.ends_at:%Y-%m-%d}"


def _known_by(token: AnyToken) -> str:
    used = f", last used {token.last_used_at:%Y-%m-%d %H}h" if token.last_used_at else ""
    return f"{used}  {token.name}".rstrip()


@token_app.command("revoke")
def token_revoke(handle: str, token: Annotated[str, typer.Argument(help="Its number, or its name.")]) -> None:
    """Let a token in no more."""
    with house() as opened, opened.database.transaction() as session:
        account = accounts.require(session, handle)
        accounts.revoke_token(session, account, accounts.token_named(session, account, token), now=opened.now())


@channel_app.command("create")
def channel_create(
    handle: str,
    owner: Annotated[str, typer.Option(help="The account that owns it; default: the first account.")] = "",
) -> None:
    """Make a channel for a team."""
    with house() as opened, opened.database.transaction() as session:
        account = accounts.require(session, owner) if owner else accounts.require_first(session, now=opened.now())
        channel = channels.create(session, handle, owner=account, now=opened.now())
        print(f"{opened.settings.public_url}/@{channel.handle}")


@channel_app.command("member")
def channel_member(handle: str, account: str, role: Role) -> None:
    """Give an account a role in a channel's team: owner, editor or author."""
    with house() as opened, opened.database.transaction() as session:
        member, channel = accounts.require(session, account), channels.require(session, handle)
        channels.set_member(session, channel, member, role, now=opened.now())
        print(f"@{member.handle} is {role} of @{channel.handle}")


@channel_app.command("members")
def channel_members(handle: str) -> None:
    """List who is in a channel's team."""
    with house() as opened, opened.database.transaction() as session:
        for member, account in channel_rows.team(session, channels.require(session, handle).id):
            print(f"@{account} is {member.role} since {member.since:%Y-%m-%d}")


@channel_app.command("remove")
def channel_remove(handle: str, account: str) -> None:
    """Take an account out of a channel's team; what it posted there stays."""
    with house() as opened, opened.database.transaction() as session:
        member, channel = accounts.require(session, account), channels.require(session, handle)
        channels.remove_member(session, channel, member)
        print(f"@{member.handle} is no longer in the team of @{channel.handle}")
