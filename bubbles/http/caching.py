"""Who may keep an answer."""

REVALIDATED = "no-cache"
"""`Cache-Control` of what is public: kept, and asked for again with its ETag each time."""

NEVER_STORED = "no-store"

PUBLIC = {"Cache-Control": REVALIDATED, "Access-Control-Allow-Origin": "*"}
NO_STORE = {"Cache-Control": NEVER_STORED}
