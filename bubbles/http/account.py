"""/account: what a person sees of their own account. The changes that its forms make are `account_forms.py`."""

from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from bubbles import known_browsers, sign_in
from bubbles.db import accounts, invitations, passkeys, tokens
from bubbles.errors import Refused
from bubbles.http import auth, known, onward, render, told
from bubbles.http.auth import Own
from bubbles.http.caching import NEVER_STORED
from bubbles.http.passkeys import site
from bubbles.model import password as passwords
from bubbles.model.token import DAYS_MAX, Scope

DONE = (
    *("linked", "recovered", "password", "passkey_added", "passkey_named", "passkey_removed"),
    *("session_ended", "sessions_ended", "sessions_and_tokens_ended", "browser_forgotten", "token_revoked"),
)
"""What the page can say was done, by the `done` of its address."""


def page(request: Request) -> Response:
    """GET: for who is signed in."""
    done = request.query_params.get("done", "")
    return show(request, done=done if done in DONE else "")


def show(
    request: Request, *, done: str = "", refused: Refused | None = None, section: str = "", **secrets: str
) -> Response:
    """The page; `refused` is told in its `section`, `secrets` (`new_token`, `new_invitation`) are told this once."""
    with auth.house(request).database.transaction() as session:
        own = auth.own(request, session)
        if own is None:
            return onward.to_sign_in("/account")
        context = _context(request, session, own)
    shown = {"new_token": "", "new_invitation": ""} | secrets
    problem = {section: told.key_of(refused)} if refused else {}
    return render.page(
        request,
        "account.html",
        status=refused.status if refused else 200,
        cache=NEVER_STORED,
        headers=told.retry_headers(refused) if refused else {},
        done=done,
        problem=problem,
        about=refused.about if isinstance(refused, told.Told) else "",
        retry_minutes=told.retry_minutes(refused) if refused else 0,
        back="/account",
        robots="noindex",
        **context | shown,
    )


def _context(request: Request, session: Session, own: Own) -> dict[str, Any]:
    house, account = auth.house(request), own.account
    kept, now = accounts.password(session, account.id), house.now()
    here = known.of_handle(request, session, account.handle)
    return {
        "handle": account.handle,
        "current": own.session.id,
        "sessions": accounts.web_sessions(session, account.id, now),
        "browsers": known_browsers.of_account(session, account, now=now),
        "current_browser": here.id if here else None,
        "password_set_at": kept.set_at if kept else None,
        "needs_present": sign_in.proof_needed(session, own.session, now=now),
        "password_min": passwords.LENGTH_MIN,
        "password_max": passwords.LENGTH_MAX,
        "passkeys": passkeys.of_account(session, account.id),
        "has_passkeys": site(house.settings) is not None,
        "codes_left": accounts.recovery_codes_left(session, account.id),
        "tokens": tokens.held(session, account.id),
        "scopes": list(Scope),
        "token_days_max": DAYS_MAX,
        "now": now,
        "may_invite": house.settings.registration == "invite",
        "invitations": invitations.open_of(session, account.id, now),
        "invitation_days": house.settings.invitation_days,
    }
