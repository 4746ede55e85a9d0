"""What is over is over: nothing stays open behind who left, and nothing grows without bound."""

from datetime import timedelta

from bubbles import accounts, invitations, sign_in, upkeep
from bubbles.db import accounts as rows
from bubbles.model.account import Device, Way
from tests.http.people import NEW_PASSWORD, is_in

DAY = timedelta(days=1)


def close(house, account):
    with house.database.transaction() as session:
        accounts.close(session, accounts.require(session, account.handle), now=house.now())


def test_who_leaves_leaves_no_invitation_and_no_name_of_a_token(people, owner, house):
    with house.database.transaction() as session:
        code = invitations.make(session, owner, now=house.now(), valid_for=DAY)
        accounts.new_token(session, owner, now=house.now(), name="My phone")
    close(house, owner)
    fields = {"handle": "late", "password": NEW_PASSWORD, "terms": "agreed", "invitation": code}
    assert people.browser().post("/sign-up", data=fields).status_code == 403
    with house.database.transaction() as session:
        kept = session.connection().exec_driver_sql("SELECT name, revoked_at FROM token WHERE account_id = %s",
                                                    (owner.id,)).all()  # fmt: skip
    assert kept == [("", house.now())]


def test_upkeep_forgets_after_thirty_days_what_is_over_and_keeps_what_is_not(people, owner, house, clock):
    stays = people.account()
    for account in (owner, stays):
        people.signed_in(account, session_days=90)
        with house.database.transaction() as session:
            sign_in.new_link(session, account, now=house.now(), valid_for=90 * DAY)
            invitations.make(session, account, now=house.now(), valid_for=90 * DAY)
            accounts.new_token(session, account, now=house.now())
    people.browser().post(people.link(owner))
    close(house, owner)
    with house.database.transaction() as session:
        sign_in.end_links(session, owner, now=house.now())

    def counts(account):
        upkeep.forget(house.database, now=clock(), idempotency_days=30)
        tables = ("web_session", "sign_in_link", "token")
        with house.database.transaction() as session:
            run = session.connection().exec_driver_sql
            query = "SELECT count(*) FROM {} WHERE account_id = %s"
            found = [run(query.format(table), (account.id,)) for table in tables]
            found.append(run("SELECT count(*) FROM invitation WHERE made_by = %s", (account.id,)))
            return [each.scalar() for each in found]

    clock.pass_s(timedelta(days=29).total_seconds())
    assert counts(owner) == [2, 2, 1, 1]
    clock.pass_s(timedelta(days=2).total_seconds())
    assert counts(owner) == [0, 0, 0, 0]
    assert counts(stays) == [1, 1, 1, 1]


def test_the_oldest_session_ends_past_fifty(people, owner, house):
    oldest, second = people.signed_in(owner), people.signed_in(owner)
    with house.database.transaction() as session:
        for _ in range(49):
            sign_in.begin_session(session, owner, Way.PASSWORD, device=Device(), now=house.now(), valid_for=DAY)
            session.flush()
        assert len(rows.web_sessions(session, owner.id, house.now())) == 50
    assert (is_in(oldest), is_in(second)) == (False, True)


def test_an_account_holds_fifty_tokens(people, owner, house):
    browser = people.signed_in(owner)
    with house.database.transaction() as session:
        for _ in range(49):
            accounts.new_token(session, owner, now=house.now())
    assert browser.post("/account/tokens").status_code == 200
    refused = browser.post("/account/tokens")
    assert refused.status_code == 409
    assert "fifty tokens" in refused.text


def test_who_has_a_way_in_has_signed_in_however_long_ago(owner, house):
    with house.database.transaction() as session:
        assert rows.has_signed_in(session, owner.id)
