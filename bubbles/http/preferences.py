"""POST /preferences: the language and the theme of the pages, as a person chooses them."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bubbles.errors import Code, Refused
from bubbles.http import auth, languages
from bubbles.http.body import form_fields
from bubbles.http.caching import NO_STORE

THEMES = ("light", "dark")
THEME_COOKIE = "bubbles_theme"
YEAR_S = 365 * 24 * 3600


def theme(request: Request) -> str:
    """`light` or `dark` as chosen, else nothing: the page follows the system."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


async def choose(request: Request) -> Response:
    """Keeps `language` (`en`, `fr`) or `theme` (`light`, `dark`, `system`), and goes back to the page it came from."""
    auth.require_same_origin(request)
    chosen = await form_fields(request)
    response = RedirectResponse(local_path(chosen.get("back", "/")), status_code=303, headers=NO_STORE)
    if "language" in chosen:
        _keep(request, response, languages.COOKIE, chosen["language"], languages.LANGUAGES)
    if "theme" in chosen:
        _keep(request, response, THEME_COOKIE, chosen["theme"], (*THEMES, "system"))
    return response


def _keep(request: Request, response: Response, cookie: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise Refused(Code.BAD_REQUEST, f"Known are {', '.join(known)}.")
    if value == "system":
        response.delete_cookie(cookie)
        return
    secure = auth.house(request).settings.public_url.startswith("https://")
    response.set_cookie(cookie, value, max_age=YEAR_S, samesite="lax", secure=secure, httponly=True)


def local_path(address: str) -> str:
    """The address if it is a path of ours, else `/`: nobody is sent elsewhere by a link of ours."""
    ours = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return address if ours and address.isprintable() else "/"
