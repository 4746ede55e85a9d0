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
    """How a 256-bit random secret is stored: SHA-256 in hex. Not for passwords, which people choose."""
    return hashlib.sha256(secret.encode()).hexdigest()
