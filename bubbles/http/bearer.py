"""`Authorization: Bearer`: whose token it is, what it opens, and how a refusal says so (RFC 6750, section 3)."""

from datetime import datetime

from sqlmodel import Session

from bubbles import accounts, ids, policy
from bubbles.db import tokens
from bubbles.errors import Code, Refused
from bubbles.policy import Action, Person


class TokenRefused(Refused):
    """A token that does not let in, or does not open what is wanted; `challenge` is the `WWW-Authenticate`."""

    def __init__(self, code: Code, detail: str, *, error: str, scope: str = "") -> None:
        super().__init__(code, detail)
        self.challenge = f'Bearer error="{error}"' + (f', scope="{scope}"' if scope else "")


def holder(session: Session, secret: str, *, action: Action, now: datetime) -> Person:
    """Whose token it is, limited as it is; notes that it was used.

    Raises `unauthorised` for one that is unknown, revoked or has ended, `forbidden` for one too limited for `action`.
    """
    found = tokens.of_secret(session, ids.hashed(secret))
    if found is None:
        raise TokenRefused(Code.UNAUTHORISED, "The token is unknown or revoked.", error="invalid_token")
    account, token = found
    if accounts.has_ended(token, now):
        raise TokenRefused(Code.UNAUTHORISED, "The token has ended.", error="invalid_token")
    person = Person(account.id, account.handle, token.limits)
    if not policy.opens(action, person):
        raise _too_little(action)
    tokens.note_use(session, token, now)
    return person


def _too_little(action: Action) -> TokenRefused:
    scope = policy.SCOPE_OF.get(action)
    needed = f"one with the scope {scope}" if scope else "one for everything"
    sentence = f"This token is limited, and does not open this: it takes {needed}."
    return TokenRefused(Code.FORBIDDEN, sentence, error="insufficient_scope", scope=scope or "")
