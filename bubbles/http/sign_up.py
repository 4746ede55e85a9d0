"""/sign-up: an account of one's own, as `BUBBLES_REGISTRATION` allows."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bubbles import accounts, invitations, sign_in, sign_in_attempts
from bubbles.errors import Code, Refused
from bubbles.http import auth, gate, onward, render, sessions, told
from bubbles.http.body import form_fields
from bubbles.http.caching import NEVER_STORED
from bubbles.http.sessions import Cookies
from bubbles.model import password as passwords
from bubbles.model.account import Way
from bubbles.model.texts import clean_handle, typed_handle

TYPED_MAX = 64
WELCOME = "/record"
"""Where someone goes on to whose account is new."""

FIELD_OF = {Code.CONFLICT: "handle", Code.FORBIDDEN: "invitation"}


def page(request: Request) -> Response:
    """The form, or that nobody may sign up; who has an account goes on to it."""
    with auth.house(request).database.transaction() as session:
        known = auth.own(request, session)
    if known is not None:
        return onward.to("/account")
    return _page(request, {"invitation": request.query_params.get("invitation", "")})


async def make(request: Request) -> Response:
    """POST: makes the account, signs it in and shows its recovery codes; or says on the page why not."""
    auth.require_same_origin(request)
    fields = await form_fields(request)
    if auth.house(request).settings.registration == "closed":
        return await run_in_threadpool(_page, request, {}, status=403)
    if problems := _problems(request, fields):
        return await run_in_threadpool(_page, request, fields, problems=problems, status=422)
    try:
        await run_in_threadpool(_begin, request)
        kept_hash = await gate.hashed(request, fields["password"], gate.of_stranger(request))
        return await run_in_threadpool(_welcomed, request, fields, kept_hash)
    except Refused as refused:
        return await run_in_threadpool(_refused, request, fields, refused)


def _begin(request: Request) -> None:
    """Counts the attempt; raises `rate_limited`."""
    house = auth.house(request)
    with house.database.transaction() as session:
        sign_in_attempts.begin(session, gate.of_sign_ups(request), now=house.now())


def _welcomed(request: Request, fields: dict[str, str], kept_hash: str) -> Response:
    cookies, codes = _made(request, fields, kept_hash)
    response = render.page(
        request,
        "recovery_codes.html",
        cache=NEVER_STORED,
        codes=codes,
        is_new=True,
        onward=WELCOME,
        back="/account",
        robots="noindex",
    )
    return sessions.let_in(request, response, cookies)


def _problems(request: Request, fields: dict[str, str]) -> dict[str, str]:
    """What is wrong with what was typed: the key of a text, by field."""
    found = {}
    handle = typed_handle(fields.get("handle", ""))
    try:
        clean_handle(handle)
    except Refused:
        found["handle"] = "handle_bad"
    weakness = passwords.weakness(fields.get("password", ""), handle=handle)
    if weakness:
        found["password"] = f"password_{weakness}"
    if auth.house(request).settings.registration == "invite" and not fields.get("invitation", "").strip():
        found["invitation"] = "invitation_missing"
    if fields.get("terms") != "agreed":
        found["terms"] = "terms_missing"
    return found


def _made(request: Request, fields: dict[str, str], kept_hash: str) -> tuple[Cookies, list[str]]:
    """Cookies for the account, and its recovery codes; raises `conflict`, `forbidden`."""
    house, now = auth.house(request), auth.house(request).now()
    with house.database.transaction() as session:
        account = accounts.create(session, typed_handle(fields["handle"]), now=now)
        account.terms_agreed_at = now
        if house.settings.registration == "invite":
            invitations.use(session, fields["invitation"], account, now=now)
        sign_in.set_password(session, account, kept_hash, now=now)
        codes = sign_in.new_recovery_codes(session, account, now=now)
        return sessions.begin(request, session, account, Way.SIGN_UP), codes


def _refused(request: Request, fields: dict[str, str], refused: Refused) -> Response:
    """The form again, with the field that was in the way; who met a limit is told when it passes."""
    field = FIELD_OF.get(refused.code, "form")
    keys = {"handle": "handle_taken", "invitation": "invitation_bad", "form": str(refused.code)}
    return _page(request, fields, problems={field: keys[field]}, status=refused.status, refused=refused)


def _page(
    request: Request,
    fields: dict[str, str],
    *,
    problems: dict[str, str] | None = None,
    status: int = 200,
    refused: Refused | None = None,
) -> Response:
    return render.page(
        request,
        "sign_up.html",
        status=status,
        cache=NEVER_STORED,
        headers=told.retry_headers(refused) if refused else {},
        registration=auth.house(request).settings.registration,
        handle=typed_handle(fields.get("handle", ""))[:TYPED_MAX],
        invitation=fields.get("invitation", "").strip()[:TYPED_MAX],
        agreed=fields.get("terms") == "agreed",
        problems=problems or {},
        retry_minutes=told.retry_minutes(refused) if refused else 0,
        password_min=passwords.LENGTH_MIN,
        password_max=passwords.LENGTH_MAX,
        back="/sign-up",
        robots="noindex",
    )
