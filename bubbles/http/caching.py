"""Who may keep an answer."""

from bubbles.model.bubble import Bubble

REVALIDATED = "no-cache"
"""`Cache-Control` of what is public: kept, and asked for again with its ETag each time."""

NEVER_STORED = "no-store"

PUBLIC = {"Cache-Control": REVALIDATED, "Access-Control-Allow-Origin": "*"}
NO_STORE = {"Cache-Control": NEVER_STORED}


def of(bubble: Bubble) -> str:
    """`Cache-Control` of what tells of a bubble: nothing keeps what is not public."""
    return REVALIDATED if bubble.is_public else NEVER_STORED
