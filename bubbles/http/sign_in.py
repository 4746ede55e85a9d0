"""/sign-in: by password and by recovery code. Passkeys answer at `passkeys.py`, one-time links at `sessions.py`."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bubbles import sign_in, sign_in_attempts
from bubbles.errors import Refused
from bubbles.http import auth, gate, known, onward, passkeys, render, sessions, told
from bubbles.http.body import form_fields
from bubbles.http.caching import NEVER_STORED
from bubbles.http.gate import Attempt
from bubbles.http.sessions import Cookies
from bubbles.model.account import Way
from bubbles.model.texts import typed_handle

WAYS = {"password": Way.PASSWORD, "recovery_code": Way.RECOVERY_CODE}
BACK = "/account?done=recovered#password"
"""Where someone goes who lost their way in: to make another."""

DONE = ("out", "forgotten")
"""What the page can say was done, by the `done` of its address."""


def page(request: Request) -> Response:
    """The forms; who is signed in already goes on, unless they are to show once more that it is they (`again`)."""
    house = auth.house(request)
    wanted = onward.ours(request.query_params.get("next", ""))
    with house.database.transaction() as session:
        own = auth.own(request, session)
    if own is not None and "again" not in request.query_params:
        return onward.to(wanted or sessions.HOME)
    done = request.query_params.get("done", "")
    return _page(request, {"next": wanted}, done=done if done in DONE else "")


async def enter(request: Request) -> Response:
    """POST: lets in, or says on the page why not."""
    auth.require_same_origin(request)
    fields = await form_fields(request)
    way = WAYS.get(fields.get("way", ""), Way.PASSWORD)
    try:
        if way is Way.PASSWORD:
            cookies = await _by_password(request, fields)
        else:
            cookies = await run_in_threadpool(_by_recovery_code, request, fields)
    except Refused as refused:
        return await run_in_threadpool(_page, request, fields, way=way, refused=refused)
    wanted = onward.ours(fields.get("next", "")) or sessions.HOME
    return sessions.let_in(request, onward.to(BACK if way is Way.RECOVERY_CODE else wanted), cookies)


async def _by_password(request: Request, fields: dict[str, str]) -> Cookies:
    """A new session's cookies; raises `unauthorised`, `rate_limited`, `unavailable`."""
    attempt = await run_in_threadpool(_begun, request, typed_handle(fields.get("handle", "")))
    is_right = await gate.compared(request, attempt, fields.get("password", ""))
    return await run_in_threadpool(_judged, request, attempt, is_right=is_right)


def _begun(request: Request, handle: str) -> Attempt:
    with auth.house(request).database.transaction() as session:
        browser = known.of_handle(request, session, handle)
        return gate.begin(request, session, gate.of_password(request, handle, browser), handle)


def _judged(request: Request, attempt: Attempt, *, is_right: bool) -> Cookies:
    with auth.house(request).database.transaction() as session:
        account = sign_in.by_password(session, attempt.kept, is_right=is_right)
        sign_in_attempts.settle(session, attempt.begun, is_right=True)
        return sessions.begin(request, session, account, Way.PASSWORD)


def _by_recovery_code(request: Request, fields: dict[str, str]) -> Cookies:
    """A new session's cookies; raises `unauthorised`, `rate_limited`.

    Only wrong ones count: 80 bits are not guessed, and nobody else's attempts keep out who has a right one.
    """
    house = auth.house(request)
    handle, code = typed_handle(fields.get("handle", "")), fields.get("code", "")
    try:
        with house.database.transaction() as session:
            account = sign_in.by_recovery_code(session, handle, code, now=house.now())
            return sessions.begin(request, session, account, Way.RECOVERY_CODE)
    except Refused:
        gate.count_wrong(request)
        raise


def _page(
    request: Request,
    fields: dict[str, str],
    *,
    way: Way = Way.PASSWORD,
    refused: Refused | None = None,
    done: str = "",
) -> Response:
    settings = auth.house(request).settings
    with auth.house(request).database.transaction() as session:
        is_known = known.of_anyone(request, session) is not None
    return render.page(
        request,
        "sign_in.html",
        status=refused.status if refused else 200,
        cache=NEVER_STORED,
        headers=told.retry_headers(refused) if refused else {},
        handle=typed_handle(fields.get("handle", ""))[:64],
        next=onward.ours(fields.get("next", "")),
        way=way,
        problem=told.key_of(refused) if refused else "",
        retry_minutes=told.retry_minutes(refused) if refused else 0,
        has_passkeys=passkeys.site(settings) is not None,
        registration=settings.registration,
        done=done,
        is_known=is_known,
        back="/sign-in",
        robots="noindex",
    )
