"""Whether it is still its owner who sits at a session: asked before what lets someone in, or shuts them out."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bubbles import sign_in, sign_in_attempts
from bubbles.errors import Code, Refused
from bubbles.http import auth, gate
from bubbles.http.gate import Attempt
from bubbles.http.told import Told
from bubbles.sign_in import Proof


async def require_present(request: Request, typed: str) -> None:
    """Raises `unauthorised` for a stranger, and for an old session `forbidden` unless the present password is typed.

    Guesses are bounded by account, and only who is signed in can make any.
    """
    asked = await run_in_threadpool(_asked, request)
    if asked is not None:
        is_right = await gate.compared(request, asked, typed)
        await run_in_threadpool(_judged, request, asked, is_right=is_right)


def _asked(request: Request) -> Attempt | None:
    """What to compare with, and the attempt; None where the session is proof enough."""
    house = auth.house(request)
    with house.database.transaction() as session:
        own = auth.require_own(request, session)
        needed = sign_in.proof_needed(session, own.session, now=house.now())
        if needed is Proof.NOTHING:
            return None
        if needed is Proof.SIGNING_IN:
            raise Told(Code.FORBIDDEN, "sign_in_again")
        return gate.begin(request, session, gate.of_present(request, own.account), own.account.handle)


def _judged(request: Request, attempt: Attempt, *, is_right: bool) -> None:
    try:
        with auth.house(request).database.transaction() as session:
            sign_in.by_password(session, attempt.kept, is_right=is_right)
            sign_in_attempts.settle(session, attempt.begun, is_right=True)
    except Refused:
        raise Told(Code.FORBIDDEN, "present_wrong") from None
