"""On to another page of ours, and to nobody else's."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bubbles.http.caching import NO_STORE


def to(path: str) -> Response:
    """On to a page of ours."""
    return RedirectResponse(path, status_code=303, headers=NO_STORE)


def to_sign_in(back: str) -> Response:
    """On to signing in, and back to a page of ours."""
    return to(f"/sign-in?next={quote(back, safe='/')}")


def here(request: Request) -> str:
    """The path that was asked for, with its query."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def ours(address: str) -> str:
    """The address if it is a path of ours, else nothing: nobody is sent elsewhere by a link of ours."""
    is_ours = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return address if is_ours and address.isprintable() else ""
