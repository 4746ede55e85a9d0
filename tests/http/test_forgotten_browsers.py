"""Known browsers are forgotten: by a button, with other sessions, with the account; and what is told of them."""

import io
import json
from zipfile import ZipFile

import pytest

from bubbles import accounts, known_browsers, leave, upkeep
from bubbles.db import known_browsers as rows
from bubbles.model.account import Device
from tests.http.people import NEW_PASSWORD, account_page, enter, is_in, leaving, numbers
from tests.http.test_known_browsers import COOKIE, YEAR, known, shut


def test_this_device_is_forgotten_where_one_signs_in(people, owner, house):
    browser = leaving(people.signed_in(owner))
    assert 'action="/forget-device"' in browser.get("/sign-in").text
    answer = browser.post("/forget-device")
    assert answer.headers["location"] == "/sign-in?done=forgotten"
    assert COOKIE not in browser.cookies
    page = browser.get(answer.headers["location"]).text
    assert "This device is forgotten." in page
    assert 'action="/forget-device"' not in page
    assert known(house, owner) == []


def test_signing_out_offers_to_forget_the_device(people, owner, house):
    browser = people.signed_in(owner)
    answer = browser.post("/sign-out")
    page = browser.get(answer.headers["location"]).text
    assert "You are signed out." in page and "Forget this device" in page
    enter(browser, owner.handle)
    assert 'name="forget" value="device"' in account_page(browser)
    assert browser.post("/sign-out", data={"forget": "device"}).headers["location"] == "/sign-in?done=forgotten"
    assert COOKIE not in browser.cookies
    assert known(house, owner) == []
    assert not is_in(browser)


def test_a_device_is_forgotten_for_all_who_are_known_in_it(people, owner, house):
    child, browser = people.account(), people.signed_in(owner)
    enter(browser, child.handle)
    browser.post("/forget-device")
    assert known(house, owner) == known(house, child) == []
    assert is_in(browser)


def test_ending_the_other_sessions_leaves_this_browser_alone_known(people, owner, house):
    others = [people.signed_in(owner, account_attempts_per_hour=5) for _ in range(2)]
    browser = people.signed_in(owner, account_attempts_per_hour=5)
    assert browser.post("/account/sessions/end", data={"others": "end"}).status_code == 303
    assert len(known(house, owner)) == 1
    shut(people, owner.handle)
    assert enter(others[0], owner.handle).status_code == 429
    assert enter(leaving(browser), owner.handle).status_code == 303


def test_other_browsers_are_ended_where_no_other_session_is(people, owner, house):
    leaving(people.signed_in(owner))
    browser = people.signed_in(owner)
    assert 'name="others"' in account_page(browser)
    browser.post("/account/sessions/end", data={"others": "end"})
    assert 'name="others"' not in account_page(browser)


@pytest.mark.parametrize(("fields", "left"), [({"others": "end"}, 1), ({}, 2)])
def test_a_new_password_ends_them_if_asked(people, owner, house, fields, left):
    people.signed_in(owner)
    browser = people.signed_in(owner)
    browser.post("/account/password", data={"password": NEW_PASSWORD} | fields)
    assert len(known(house, owner)) == left


def test_each_is_listed_and_forgotten_on_the_account_page(people, owner, house):
    leaving(people.signed_in(owner, agent="curl/8"))
    browser = people.signed_in(owner)
    here, other = numbers(account_page(browser), "browser")
    assert people.signed_in().post("/account/browsers/forget", data={"browser": other}).status_code == 404
    answer = browser.post("/account/browsers/forget", data={"browser": other})
    assert answer.headers["location"] == "/account?done=browser_forgotten#browsers"
    assert [str(each.id) for each in known(house, owner)] == [here]
    assert COOKIE in browser.cookies
    browser.post("/account/browsers/forget", data={"browser": here})
    assert COOKIE not in browser.cookies
    page = account_page(browser)
    assert "known in no browser" in page
    for made_up in ("-1", "x", "9" * 40, ""):
        assert browser.post("/account/browsers/forget", data={"browser": made_up}).status_code == 400


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize("path", ["/forget-device", "/sign-out", "/account/browsers/forget"])
def test_another_site_forgets_nothing(people, owner, house, path, headers):
    browser = people.signed_in(owner)
    (row,) = known(house, owner)
    fields = {"forget": "device", "browser": row.id}
    assert browser.post(path, data=fields, headers=headers).status_code == 403
    assert len(known(house, owner)) == 1


def test_closing_the_account_ends_them(people, house):
    account = people.account()
    browser = people.signed_in(account)
    assert browser.post("/account/delete", data={"handle": account.handle}).status_code == 200
    assert COOKIE not in browser.cookies
    with house.database.transaction() as session:
        assert rows.of_account(session, account.id, house.now() - YEAR) == []


def test_what_a_release_before_leaves_of_a_closed_account_goes_too(people, house, clock):
    account = people.account()
    browser = people.signed_in(account)
    with house.database.transaction() as session:
        leave.leave(session, accounts.require(session, account.handle), everywhere=False, now=clock())
        known_browsers.know(session, account, browser.cookies[COOKIE], device=Device(), now=clock())
    assert 'action="/forget-device"' not in people.browser().get("/sign-in", headers={"Cookie": ""}).text
    upkeep.forget(house.database, now=clock(), idempotency_days=30)
    with house.database.transaction() as session:
        assert rows.of_account(session, account.id, house.now() - YEAR) == []


def test_the_export_tells_them_by_name_and_day(people, owner):
    browser = people.signed_in(owner)
    archive = browser.post("/account/export").content
    told = json.loads(ZipFile(io.BytesIO(archive)).read("account.json"))["known_browsers"]
    day = "2026-11-23"
    assert told == [{"browser": "Firefox", "system": "Android", "known_since": day, "last_sign_in_on": day}]
    assert browser.cookies[COOKIE].encode() not in archive


def test_the_privacy_page_tells_of_it_and_forgets_it(people):
    for language, sentence in (("en", "known from then on"), ("fr", "second cookie")):
        page = people.browser().get("/privacy", headers={"Accept-Language": language}).text
        assert sentence in page
        assert 'action="/forget-device"' in page
