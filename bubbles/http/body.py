"""Bodies: JSON objects and the fields of forms, bounded while they stream."""

import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from bubbles.errors import Code, Refused

JSON_MAX_BYTES = 512 * 1024
FORM_MAX_BYTES = 64 * 1024
FORM_FIELDS_MAX = 100


async def json_object(request: Request, *, max_bytes: int = JSON_MAX_BYTES) -> dict[str, Any]:
    """The object that a request carries; raises `too_large`, or `bad_request` for anything else than an object."""
    body = await _received(request, max_bytes)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(Code.BAD_REQUEST, "Send a JSON object.") from None
    if not isinstance(value, dict):
        raise Refused(Code.BAD_REQUEST, "Send a JSON object.")
    return value


async def form_fields(
    request: Request, *, max_bytes: int = FORM_MAX_BYTES, fields_max: int = FORM_FIELDS_MAX
) -> dict[str, str]:
    """The fields of a page's form (`application/x-www-form-urlencoded`); of a name that repeats, the last.

    Raises `too_large`, or `bad_request` for what is no such form.
    """
    body = await _received(request, max_bytes)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=fields_max))
    except ValueError:
        raise Refused(Code.BAD_REQUEST, "Send the fields of a form.") from None


async def _received(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_bytes:
                raise Refused(Code.TOO_LARGE, f"The request is larger than {max_bytes} bytes.")
    except ClientDisconnect:
        raise Refused(Code.BAD_REQUEST, "The request broke off.") from None
    return bytes(body)
