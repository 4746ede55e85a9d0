"""Someone with a browser and an account."""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from bubbles import accounts, invitations, sign_in
from bubbles.app import House
from bubbles.http.asgi import create_app
from bubbles.model import password as passwords
from bubbles.model.account import Account

PASSWORD = "seven lemons walk home"
NEW_PASSWORD = "nine pears sail away"
PASSWORD_HASH = passwords.hashed(PASSWORD)
"""Hashed once: it takes its time."""

ANDROID = "Mozilla/5.0 (Android 16; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
AGES_S = 16 * 60
"""After so long a session is no proof any more of who sits at it."""

_number = count()


def changed(house: House, **settings: Any) -> House:
    """The same house under other settings."""
    return replace(house, settings=house.settings.model_copy(update=settings))


@dataclass
class People:
    """Makes accounts and browsers. Every account is new, and every browser comes from a network of its own."""

    house: House
    apps: dict[Any, Starlette] = field(default_factory=dict)

    def _app(self, settings: tuple[tuple[str, Any], ...]) -> Starlette:
        if settings not in self.apps:
            self.apps[settings] = create_app(changed(self.house, **dict(settings)))
        return self.apps[settings]

    def browser(self, host: str = "", agent: str = ANDROID, **settings: Any) -> TestClient:
        """A browser that follows nothing by itself."""
        number = next(_number)
        peer = host or f"198.51.{number // 250}.{number % 250 + 1}"
        headers = {"User-Agent": agent, "Accept": "text/html"}
        app = self._app(tuple(sorted(settings.items())))
        return TestClient(app, headers=headers, client=(peer, 50000), follow_redirects=False)

    def account(self, *, password: bool = True) -> Account:
        """A new account, with `PASSWORD` unless it is to have none."""
        with self.house.database.transaction() as session:
            account = accounts.create(session, f"person{next(_number)}", now=self.house.now())
            if password:
                sign_in.set_password(session, account, PASSWORD_HASH, now=self.house.now())
        return account

    def codes(self, account: Account) -> list[str]:
        with self.house.database.transaction() as session:
            return sign_in.new_recovery_codes(session, account, now=self.house.now())

    def invitation(self) -> str:
        with self.house.database.transaction() as session:
            return invitations.make(session, None, now=self.house.now(), valid_for=timedelta(days=1))

    def link(self, account: Account) -> str:
        """The path of a one-time link."""
        with self.house.database.transaction() as session:
            secret = sign_in.new_link(session, account, now=self.house.now(), valid_for=timedelta(days=1))
        return f"/sign-in/{secret}"

    def signed_in(self, account: Account | None = None, **browser: Any) -> TestClient:
        """A browser in which the account, or a new one, has signed in by password."""
        made = self.browser(**browser)
        handle = (account or self.account()).handle
        assert enter(made, handle).status_code == 303
        return made


def enter(browser: TestClient, handle: str, password: str = PASSWORD, **fields: str) -> Any:
    """What signing in by password answers."""
    return browser.post("/sign-in", data={"handle": handle, "password": password} | fields)


def leaving(browser: TestClient) -> TestClient:
    """The browser, once whoever was in it has signed out."""
    assert browser.post("/sign-out").status_code == 303
    return browser


def is_in(browser: TestClient) -> bool:
    """Whether the browser is signed in."""
    return browser.get("/me").status_code == 200


def codes_of(page: Any) -> list[str]:
    """The recovery codes that a page shows."""
    return re.findall(r"<code>([0-9a-z-]{19})</code>", page.text)


def account_page(browser: TestClient, **headers: str) -> str:
    """What the account page shows who is signed in."""
    answer = browser.get("/account", headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return str(answer.text)


def numbers(page: str, name: str) -> list[str]:
    """The rows that the buttons of a page name."""
    return re.findall(rf'name="{name}" value="(\d+)"', page)
