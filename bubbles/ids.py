"""Names that cannot be guessed, and how secrets are kept."""

import hashlib
import re
import secrets

CODE_BYTES = 12
"""A bubble's code carries 96 random bits: 16 characters of URL-safe base64."""

CODE_PATTERN = re.compile(r"[A-Za-z0-9_-]{16}")


def new_code() -> str:
    """A bubble's public code: 16 URL-safe characters, 96 random bits."""
    return secrets.token_urlsafe(CODE_BYTES)


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
