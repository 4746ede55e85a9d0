"""JSON bodies: bounded while they stream, and objects or refused."""

import json
from typing import Any

from starlette.requests import ClientDisconnect, Request

from bubbles.errors import Code, Refused

JSON_MAX_BYTES = 512 * 1024


async def json_object(request: Request, *, max_bytes: int = JSON_MAX_BYTES) -> dict[str, Any]:
    """The object that a request carries; raises `too_large`, or `bad_request` for anything else than an object."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_bytes:
                raise Refused(Code.TOO_LARGE, f"The request is larger than {max_bytes} bytes.")
        value = json.loads(body)
    except ClientDisconnect:
        raise Refused(Code.BAD_REQUEST, "The request broke off.") from None
    except (ValueError, RecursionError):
        raise Refused(Code.BAD_REQUEST, "Send a JSON object.") from None
    if not isinstance(value, dict):
        raise Refused(Code.BAD_REQUEST, "Send a JSON object.")
    return value
