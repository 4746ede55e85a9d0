"""Who may do what: one table, and the only question asked of it.

Every route and every command names an `Action`. A bubble or a channel is only ever loaded with the person who asks and
the action they want, so what is not in this table is denied.
"""

from dataclasses import dataclass
from enum import StrEnum

from bubbles.errors import Code, Refused
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Role
from bubbles.model.token import Scope


class Action(StrEnum):
    """What someone may want."""

    LOOK = "look"  # at what is open to everyone: pages, lists, a bubble's page
    HEAR = "hear"
    TELL_HEARD = "tell_heard"
    SIGN_IN = "sign_in"
    SIGN_UP = "sign_up"
    SIGN_OUT = "sign_out"
    KEEP_ACCOUNT = "keep_account"  # see and change one's own account, in a browser
    CHOOSE = "choose"  # a language and a theme, for oneself
    PUBLISH = "publish"
    EDIT = "edit"
    CORRECT = "correct"
    WITHDRAW = "withdraw"
    RETRY = "retry"  # begin again a step that was given up
    SEE_STATS = "see_stats"
    SEE_TEAM = "see_team"  # a bubble in every state, and what only its team is told
    SEE_MEMBERS = "see_members"  # who is in a team, which nobody else is told
    KEEP_MEMBERS = "keep_members"  # give roles in a team, and take others out of it
    LEAVE_TEAM = "leave_team"
    OPERATE = "operate"  # health and metrics: guarded by where the service listens


class Standing(StrEnum):
    """What someone is to a channel, a bubble or an account."""

    ANYONE = "anyone"
    AUTHOR = "author"  # of the channel's team
    OWN = "own"  # the author of this very bubble, while in the team
    EDITOR = "editor"
    OWNER = "owner"
    SELF = "self"  # the person whose account it is


TEAM = frozenset({Standing.AUTHOR, Standing.OWN, Standing.EDITOR, Standing.OWNER})
HANDS = frozenset({Standing.OWN, Standing.EDITOR, Standing.OWNER})
EVERYONE = TEAM | {Standing.ANYONE}

MAY: dict[Action, frozenset[Standing]] = {
    Action.LOOK: EVERYONE,
    Action.HEAR: EVERYONE,
    Action.TELL_HEARD: EVERYONE,
    Action.SIGN_IN: EVERYONE,
    Action.SIGN_UP: EVERYONE,
    Action.SIGN_OUT: EVERYONE,
    Action.KEEP_ACCOUNT: frozenset({Standing.SELF}),
    Action.CHOOSE: EVERYONE,
    Action.PUBLISH: TEAM,
    Action.EDIT: HANDS,
    Action.CORRECT: HANDS,
    Action.WITHDRAW: HANDS,
    Action.RETRY: HANDS,
    Action.SEE_STATS: TEAM,
    Action.SEE_TEAM: TEAM,
    Action.SEE_MEMBERS: TEAM,
    Action.KEEP_MEMBERS: frozenset({Standing.OWNER}),
    Action.LEAVE_TEAM: TEAM,
    Action.OPERATE: EVERYONE,
}


SCOPE_OF: dict[Action, Scope] = {
    Action.PUBLISH: Scope.PUBLISH,
    Action.EDIT: Scope.EDIT,
    Action.CORRECT: Scope.EDIT,
    Action.WITHDRAW: Scope.EDIT,
    Action.RETRY: Scope.EDIT,
    Action.SEE_TEAM: Scope.EDIT,
    Action.SEE_STATS: Scope.STATISTICS,
}
"""The scope by which a limited token opens what strangers may not do; what is not here takes one for everything."""


@dataclass(frozen=True)
class Person:
    """Who asks, once a token or a session has shown it; `scopes` is what the token is limited to, None: nothing."""

    account_id: int
    handle: str
    scopes: frozenset[Scope] | None = None


def opens(action: Action, person: Person) -> bool:
    """Whether who asks is not kept from it by a token that is limited; whether they may do it is another question."""
    if person.scopes is None or Standing.ANYONE in MAY[action]:
        return True
    return SCOPE_OF.get(action) in person.scopes


def role_for(action: Action, person: Person | None, role: Role | None, *, author_id: int | None = None) -> Role | None:
    """The role in the team in which someone asks: a limited token is a stranger's where no scope of it says else.

    With `edit` it looks and hears as the team does; with `publish` at what its holder posted.
    """
    if person is None or person.scopes is None:
        return role
    if Standing.ANYONE not in MAY[action]:
        return role if opens(action, person) else None
    sees = Scope.EDIT in person.scopes or (Scope.PUBLISH in person.scopes and author_id == person.account_id)
    return role if sees else None


def standing(person: Person | None, role: Role | None, *, author_id: int | None = None) -> Standing:
    """What a person with this role in the team is; `author_id` is who posted the bubble in question, if one is."""
    if person is None or role is None:
        return Standing.ANYONE
    if role is Role.AUTHOR and author_id == person.account_id:
        return Standing.OWN
    return Standing(role)


def may(action: Action, standing: Standing) -> bool:
    """Whether the table allows it."""
    return standing in MAY[action]


def require(action: Action, person: Person | None, standing: Standing) -> None:
    """Raises `unauthorised` for someone unknown and `forbidden` for someone known, unless the table allows it."""
    if may(action, standing):
        return
    if person is None:
        raise Refused(Code.UNAUTHORISED, "Sign in, or send a token, to do this.")
    raise Refused(Code.FORBIDDEN, "You have no part in this channel's team that allows this.")


def require_bubble(action: Action, person: Person | None, role: Role | None, bubble: Bubble) -> None:
    """Raises `not_found` for who may not know that the bubble exists, else as `require`."""
    stands = standing(person, role, author_id=bubble.author_id)
    if not (bubble.shown_to_strangers or may(Action.SEE_TEAM, stands)):
        raise not_found()
    require(action, person, stands)


def not_found() -> Refused:
    """One answer for what is unknown, private, held, refused, failed and withdrawn."""
    return Refused(Code.NOT_FOUND, "There is no such bubble, or it is not open to you.")
