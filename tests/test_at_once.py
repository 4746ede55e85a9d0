"""Two who come at the same moment: the second waits for the first, and finds what the first left."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlmodel import Session

from bubbles import accounts, channels, invitations, leave, sign_in, sign_in_attempts
from bubbles.db import accounts as rows
from bubbles.db import passkeys
from bubbles.db.engine import Database
from bubbles.errors import Code, Refused
from bubbles.model.account import Account, Device, Way
from bubbles.model.channel import Role
from bubbles.model.passkey import Passkey
from bubbles.sign_in_attempts import Limit

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PATIENCE_S = 60
_number = count()


def account(database: Database) -> Account:
    with database.transaction() as session:
        return accounts.create(session, f"person{next(_number)}", now=NOW)


def second_is_told(
    database: Database, act: Callable[[Session], Any], then: Callable[[Session], Any] | None = None
) -> Code:
    """What the second of two is told who does the same, or `then`, while the first has not committed."""

    def again() -> None:
        with database.transaction() as session:
            (then or act)(session)

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as first:
            act(first)
            second = pool.submit(again)
            deadline_s = time.monotonic() + PATIENCE_S
            while not (waiting := is_waiting(database)) and not second.done() and time.monotonic() < deadline_s:
                time.sleep(0.01)
            assert waiting
        with pytest.raises(Refused) as refused:
            second.result(PATIENCE_S)
    return refused.value.code


def is_waiting(database: Database) -> bool:
    with database.transaction() as session:
        return bool(session.connection().exec_driver_sql("SELECT 1 FROM pg_locks WHERE NOT granted").first())


def test_the_last_attempt_is_one_persons(database: Database) -> None:
    limit, other = Limit("password", "somebody", 1), Limit("password", "somebody else", 1)
    with database.transaction() as session:
        sign_in_attempts.begin(session, [other], now=NOW)  # the key of the day is there, and nobody waits for that
    assert (
        second_is_told(database, lambda session: sign_in_attempts.begin(session, [limit], now=NOW)) is Code.RATE_LIMITED
    )


def test_an_invitation_is_one_persons(database: Database) -> None:
    one = account(database)
    with database.transaction() as session:
        code = invitations.make(session, None, now=NOW, valid_for=DAY)
    assert second_is_told(database, lambda session: invitations.use(session, code, one, now=NOW)) is Code.FORBIDDEN


def test_a_days_last_invitation_is_made_once(database: Database) -> None:
    one = account(database)

    def make(session: Session) -> None:
        invitations.make(session, one, now=NOW, valid_for=DAY, per_day=1)

    assert second_is_told(database, make) is Code.RATE_LIMITED


def test_a_recovery_code_lets_in_once(database: Database) -> None:
    one = account(database)
    with database.transaction() as session:
        code, *_ = sign_in.new_recovery_codes(session, one, now=NOW)

    def enter(session: Session) -> None:
        sign_in.by_recovery_code(session, one.handle, code, now=NOW)
        session.flush()

    assert second_is_told(database, enter) is Code.UNAUTHORISED


def test_a_link_lets_in_once(database: Database) -> None:
    one = account(database)
    with database.transaction() as session:
        secret = sign_in.new_link(session, one, now=NOW, valid_for=DAY)
    assert second_is_told(database, lambda session: sign_in.by_link(session, secret, now=NOW)) is Code.NOT_FOUND


def by_link(session: Session, one: Account) -> Callable[[Session], object]:
    secret = sign_in.new_link(session, one, now=NOW, valid_for=DAY)
    return lambda session: sign_in.by_link(session, secret, now=NOW)


def by_recovery_code(session: Session, one: Account) -> Callable[[Session], object]:
    code, *_ = sign_in.new_recovery_codes(session, one, now=NOW)
    return lambda session: sign_in.by_recovery_code(session, one.handle, code, now=NOW)


def by_passkey(session: Session, one: Account) -> Callable[[Session], object]:
    credential_id = one.handle.encode()
    known = {"credential_id": credential_id, "public_key": b"", "sign_count": 0, "name": "", "created_at": NOW}
    session.add(Passkey(account_id=one.id, **known))

    def enter(session: Session) -> None:
        if passkeys.by_credential(session, credential_id) is None:
            raise Refused(Code.UNAUTHORISED, "gone")

    return enter


@pytest.mark.parametrize("way", [by_link, by_recovery_code, by_passkey])
def test_who_is_let_in_beside_a_closing_account_waits_and_is_refused(database: Database, way: Any) -> None:
    one = account(database)
    with database.transaction() as session:
        enter = way(session, one)

    def let_in() -> None:
        with database.transaction() as session:
            enter(session)
            sign_in.begin_session(session, one, Way.LINK, device=Device(), now=NOW, valid_for=DAY)

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as closing:
            rows.lock(closing, one.id)
            entering = pool.submit(let_in)
            deadline_s = time.monotonic() + PATIENCE_S
            while not is_waiting(database) and not entering.done() and time.monotonic() < deadline_s:
                time.sleep(0.01)
            leave.leave(closing, closing.merge(one), everywhere=False, now=NOW)
        with pytest.raises(Refused):
            entering.result(PATIENCE_S)
    with database.transaction() as session:
        assert not rows.web_sessions(session, one.id, NOW)


def test_who_signs_in_anew_while_all_sessions_end_is_waited_for_and_signed_out(database: Database) -> None:
    """Both write the session that there was: the one who holds the account first goes first."""
    one = account(database)
    with database.transaction() as session:
        cookie = sign_in.begin_session(session, one, Way.LINK, device=Device(), now=NOW, valid_for=DAY)

    def end_all() -> None:
        with database.transaction() as session:
            sign_in.end_sessions(session, one, now=NOW)
            session.flush()
            accounts.revoke_tokens(session, one, now=NOW)

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as entering:
            rows.lock(entering, one.id)
            ending = pool.submit(end_all)
            deadline_s = time.monotonic() + PATIENCE_S
            while not is_waiting(database) and not ending.done() and time.monotonic() < deadline_s:
                time.sleep(0.01)
            sign_in.sign_out(entering, cookie, now=NOW)
            sign_in.begin_session(entering, one, Way.LINK, device=Device(), now=NOW, valid_for=DAY)
        ending.result(PATIENCE_S)
    with database.transaction() as session:
        assert not rows.web_sessions(session, one.id, NOW)


def test_of_two_owners_only_one_steps_down(database: Database) -> None:
    one, other = account(database), account(database)
    with database.transaction() as session:
        brand = channels.create(session, f"brand-of-{one.handle}", owner=one, now=NOW)
        channels.set_member(session, brand, other, Role.OWNER, now=NOW)
    stepping = iter((one, other))

    def step_down(session: Session) -> None:
        channels.set_member(session, brand, next(stepping), Role.AUTHOR, now=NOW)
        session.flush()

    assert second_is_told(database, step_down) is Code.CONFLICT


def test_an_owner_does_not_leave_while_the_other_steps_down(database: Database) -> None:
    one, other = account(database), account(database)
    with database.transaction() as session:
        brand = channels.create(session, f"brand-of-{one.handle}", owner=one, now=NOW)
        channels.set_member(session, brand, other, Role.OWNER, now=NOW)

    def step_down(session: Session) -> None:
        channels.set_member(session, brand, one, Role.AUTHOR, now=NOW)
        session.flush()

    def go(session: Session) -> None:
        leave.leave(session, session.merge(other), everywhere=False, now=NOW)

    assert second_is_told(database, step_down, go) is Code.CONFLICT


def test_who_has_just_left_is_made_no_owner(database: Database) -> None:
    one, other = account(database), account(database)
    with database.transaction() as session:
        brand = channels.create(session, f"brand-of-{one.handle}", owner=one, now=NOW)

    def go(session: Session) -> None:
        leave.leave(session, session.merge(other), everywhere=False, now=NOW)
        session.flush()

    def hand_over(session: Session) -> None:
        channels.set_member(session, brand, other, Role.OWNER, now=NOW)

    assert second_is_told(database, go, hand_over) is Code.NOT_FOUND
