"""Names that cannot be guessed, and how secrets are kept."""

import hashlib
import re
import secrets
import string

CODE_LENGTH = 17
"""A bubble's code carries 101 random bits: 17 of 62 characters."""

CODE_PATTERN = re.compile(r"[A-Za-z0-9_-]{16,17}")
"""A code of ours, those of 16 characters that were given before included."""

_LETTERS_AND_DIGITS = string.ascii_letters + string.digits


def new_code() -> str:
    """A bubble's public code: 17 letters and digits, 101 random bits.

    Without a dash, since a command line takes a word that begins with one for an option.
    """
    return "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(CODE_LENGTH))


def new_secret() -> str:
    """A secret for a token, a session or a sign-in link: 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """How a random secret is stored: SHA-256 in hex. Not for passwords, which people choose."""
    return hashlib.sha256(secret.encode()).hexdigest()


TYPED_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that is read as a digit or as another letter."""

TYPED_LENGTH = 16
_MISREAD = str.maketrans("oil", "011", " -")


def new_typed_secret() -> str:
    """A secret that people write down and type: 80 random bits, as `xxxx-xxxx-xxxx-xxxx`."""
    letters = "".join(secrets.choice(TYPED_ALPHABET) for _ in range(TYPED_LENGTH))
    return "-".join(letters[start : start + 4] for start in range(0, TYPED_LENGTH, 4))


def hashed_typed(secret: str) -> str:
    """How a typed secret is stored; capitals, dashes, spaces and letters taken for digits make no difference."""
    return hashed(secret.strip().lower().translate(_MISREAD))
