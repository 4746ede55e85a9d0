"""Passwords: which are taken, and how they are kept."""

import unicodedata
from datetime import datetime
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import BigInteger, Column, ForeignKey
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant

LENGTH_MIN = 10
LENGTH_MAX = 1024
DISTINCT_MIN = 5
"""Different characters that a password must have."""

ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "qwertzuiopasdfghjklyxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn",
)
"""Characters that stand side by side, on a keyboard or in the alphabet."""

_COMMON = (
    "admin administrator azerty baseball basketball bienvenue bonjour bubbles changeme charlotte chocolat chouchou "
    "computer doudou dragon football iloveyou jetaime jetaimefort letmein liverpool loulou marseille master monkey "
    "motdepasse password passw0rd p@ssw0rd p@ssword princess princesse qwerty secret soleil starwars sunshine "
    "superman trustno1 vacances welcome whatever"
)
COMMON = frozenset(_COMMON.split())
"""What the most common passwords are made of, once digits and signs are cut off their ends."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""Argon2id with 19 MiB, two passes, one lane: OWASP's least for a server that also does other work."""

NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$7Ay5D0i7MHRtn3zmjXD0KA$KlccxbeJSFWWP6Kub/5cXtYwWr6ZomhHNgh9TPjMl2w"
"""What is compared for a handle without a password, so that it takes as long: no password has it."""


class Password(SQLModel, table=True):
    """An account's password, as Argon2 keeps it."""

    account_id: int = Field(sa_column=Column(BigInteger, ForeignKey("account.id"), primary_key=True))
    hash: str
    set_at: datetime = instant()


class Weakness(StrEnum):
    """Why a password is not taken."""

    SHORT = "short"
    LONG = "long"
    COMMON = "common"
    HANDLE = "handle"


def weakness(password: str, *, handle: str) -> Weakness | None:
    """What is wrong with a password for the account of that handle, if anything."""
    folded = _normal(password).casefold()
    if len(folded) < LENGTH_MIN:
        return Weakness.SHORT
    if len(password) > LENGTH_MAX:
        return Weakness.LONG
    if folded == handle or _stem(folded) in {handle, _stem(handle)} - {""}:
        return Weakness.HANDLE
    return Weakness.COMMON if _is_common(folded) else None


def _is_common(folded: str) -> bool:
    keys = "".join(filter(str.isalnum, folded))
    is_row = keys != "" and any(keys in row or keys in row[::-1] for row in ROWS)
    return is_row or len(set(folded)) < DISTINCT_MIN or _stem(folded) in COMMON


def _stem(folded: str) -> str:
    """A password without the digits and signs at its ends."""
    start, end = 0, len(folded)
    while start < end and not folded[start].isalpha():
        start += 1
    while end > start and not folded[end - 1].isalpha():
        end -= 1
    return folded[start:end]


def hashed(password: str) -> str:
    """How a password is kept; takes about 30 ms of a core and 19 MiB."""
    return _hasher.hash(_normal(password))


def matches(kept: str, password: str) -> bool:
    """Whether a password is the one that is kept; takes as long as `hashed`, whatever the answer."""
    if len(password) > LENGTH_MAX:
        return False
    try:
        return _hasher.verify(kept, _normal(password))
    except VerifyMismatchError:
        return False


def _normal(password: str) -> str:
    """The same for the same keys pressed on any system (RFC 8265, section 4.2.1)."""
    return unicodedata.normalize("NFC", password)
