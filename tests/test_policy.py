"""Who may do what: the table is whole, and what is not in it is denied."""

from datetime import UTC, datetime
from itertools import product

import pytest

from bubbles.errors import Code, Refused
from bubbles.model.bubble import Bubble, State, Visibility
from bubbles.model.channel import Role
from bubbles.model.token import Scope
from bubbles.policy import (
    HANDS,
    MAY,
    SCOPE_OF,
    TEAM,
    Action,
    Person,
    Standing,
    may,
    opens,
    require,
    require_bubble,
    role_for,
    standing,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
AUTHOR, COLLEAGUE = Person(1, "anna"), Person(2, "ben")
MOMENTS: dict[State, dict[str, datetime]] = {
    State.PROCESSING: {},
    State.PLAYABLE: {"playable_at": NOW},
    State.READY: {"playable_at": NOW, "ready_at": NOW},
    State.HELD: {"playable_at": NOW, "held_at": NOW},
    State.REFUSED: {"refused_at": NOW},
    State.FAILED: {"failed_at": NOW},
    State.WITHDRAWN: {"playable_at": NOW, "withdrawn_at": NOW},
}
OPEN = {State.PROCESSING, State.PLAYABLE, State.READY}


def bubble(state: State = State.READY, visibility: Visibility = Visibility.PUBLIC) -> Bubble:
    made = Bubble(
        code="AAAAAAAAAAAAAAAA",
        channel_id=1,
        author_id=AUTHOR.account_id,
        visibility=visibility,
        duration_s=1.0,
        recording_sha256="",
        recording_bytes=1,
        recorded_at=NOW,
        created_at=NOW,
        **MOMENTS[state],
    )
    assert made.state is state
    return made


def answer(action: Action, person: Person | None, role: Role | None, asked: Bubble) -> Code | None:
    try:
        require_bubble(action, person, role, asked)
    except Refused as refused:
        return refused.code
    return None


def test_every_action_is_in_the_table_and_only_actions_are() -> None:
    assert set(MAY) == set(Action)


def test_every_role_is_a_standing() -> None:
    assert {Standing(role) for role in Role} < set(Standing)


def test_strangers_may_do_nothing_else() -> None:
    assert {action for action in Action if may(action, Standing.ANYONE)} == {
        Action.LOOK,
        Action.HEAR,
        Action.TELL_HEARD,
        Action.SIGN_IN,
        Action.SIGN_UP,
        Action.SIGN_OUT,
        Action.CHOOSE,
        Action.OPERATE,
    }


def test_an_author_changes_their_own_bubble_and_nobody_elses() -> None:
    for action in (Action.EDIT, Action.CORRECT, Action.WITHDRAW, Action.RETRY):
        assert answer(action, AUTHOR, Role.AUTHOR, bubble()) is None
        assert answer(action, COLLEAGUE, Role.AUTHOR, bubble()) == Code.FORBIDDEN
        assert answer(action, COLLEAGUE, Role.EDITOR, bubble()) is None
        assert answer(action, COLLEAGUE, Role.OWNER, bubble()) is None


def test_an_author_who_left_the_team_is_a_stranger() -> None:
    assert standing(AUTHOR, None, author_id=AUTHOR.account_id) is Standing.ANYONE
    assert answer(Action.EDIT, AUTHOR, None, bubble()) == Code.FORBIDDEN
    assert answer(Action.LOOK, AUTHOR, None, bubble(visibility=Visibility.PRIVATE)) == Code.NOT_FOUND


def test_posting_a_bubble_takes_nothing_from_an_editor_or_owner() -> None:
    for role in (Role.EDITOR, Role.OWNER):
        assert standing(AUTHOR, role, author_id=AUTHOR.account_id) is Standing(role)


def test_who_is_unknown_is_asked_to_sign_in_and_who_is_known_is_told_no() -> None:
    assert answer(Action.EDIT, None, None, bubble()) == Code.UNAUTHORISED
    assert answer(Action.EDIT, COLLEAGUE, None, bubble()) == Code.FORBIDDEN
    with pytest.raises(Refused):
        require(Action.SEE_STATS, None, Standing.ANYONE)


@pytest.mark.parametrize(("state", "visibility"), list(product(State, Visibility)))
def test_strangers_see_public_and_unlisted_bubbles_in_three_states_and_one_answer_else(
    state: State, visibility: Visibility
) -> None:
    expected = None if state in OPEN and visibility is not Visibility.PRIVATE else Code.NOT_FOUND
    for person in (None, COLLEAGUE):
        assert answer(Action.LOOK, person, None, bubble(state, visibility)) == expected
        assert answer(Action.HEAR, person, None, bubble(state, visibility)) == expected


@pytest.mark.parametrize(("state", "visibility"), list(product(State, Visibility)))
def test_the_team_sees_every_state(state: State, visibility: Visibility) -> None:
    for role in Role:
        assert answer(Action.LOOK, COLLEAGUE, role, bubble(state, visibility)) is None


def test_what_is_hidden_is_told_in_the_words_of_what_is_unknown() -> None:
    told = set()
    for state in set(State) - OPEN:
        for action in Action:
            with pytest.raises(Refused) as refused:
                require_bubble(action, None, None, bubble(state))
            told.add((refused.value.code, refused.value.detail))
    assert len(told) == 1


def test_a_scope_opens_only_what_strangers_may_not_do_and_no_account() -> None:
    for action in SCOPE_OF:
        assert not may(action, Standing.ANYONE)
    kept = {Action.KEEP_ACCOUNT, Action.SEE_MEMBERS, Action.KEEP_MEMBERS, Action.LEAVE_TEAM}
    assert {action for action in Action if not may(action, Standing.ANYONE)} - set(SCOPE_OF) == kept


@pytest.mark.parametrize("action", Action)
def test_an_action_without_a_scope_takes_a_token_for_everything(action: Action) -> None:
    everything, nothing, all_scopes = (
        Person(1, "anna", scopes) for scopes in (None, frozenset[Scope](), frozenset(Scope))
    )
    assert opens(action, everything)
    assert opens(action, nothing) == may(action, Standing.ANYONE)
    assert opens(action, all_scopes) == (may(action, Standing.ANYONE) or action in SCOPE_OF)
    assert (role_for(action, everything, Role.OWNER), role_for(action, None, None)) == (Role.OWNER, None)
    assert role_for(action, nothing, Role.OWNER) is None


def test_statistics_and_states_are_the_teams_and_changes_are_of_fewer_hands() -> None:
    assert MAY[Action.SEE_STATS] == MAY[Action.SEE_TEAM] == TEAM
    assert HANDS < TEAM
    assert Standing.AUTHOR not in HANDS
