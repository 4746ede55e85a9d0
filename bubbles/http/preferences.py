"""POST /preferences: the language and the theme of the pages, as a person chooses them."""

from starlette.requests import Request
from starlette.responses import Response

from bubbles.errors import Code, Refused
from bubbles.http import auth, languages, onward
from bubbles.http.body import form_fields

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
    response = onward.to(onward.ours(chosen.get("back", "")) or "/")
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
