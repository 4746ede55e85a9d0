"""What the operator answers for: privacy, terms and contact; and how the numbers are counted."""

from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from bubbles import legal, listen, stats
from bubbles.config import Settings
from bubbles.db import heard, listening, networks
from bubbles.http import auth, languages, render

SCHEMES = {"http", "https", "mailto"}
HOURS_PER_VISITOR_KEY = listening.DAY_KEY_AGE_MAX // timedelta(hours=1)
TOLD = {"privacy": "legal_privacy.html", "terms": "legal_unwritten.html", "contact": "legal_unwritten.html"}
"""What stands in for a text that the operator has not written."""


class Markdown(MarkdownIt):
    """CommonMark with tables, without HTML and without pictures; links lead to the web or to a mailbox."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"html": False})
        self.enable("table").disable("image")

    def validateLink(self, url: str) -> bool:  # noqa: N802 - markdown-it's own name
        """Whether a link is one; what is none stays as it was typed."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return parts.scheme in SCHEMES or (not parts.scheme and url.startswith(("/", "#")) and not parts.netloc)


@lru_cache(maxsize=16)
def rendered(text: str) -> Markup:
    """The operator's Markdown as HTML."""
    return Markup(Markdown().render(text))  # noqa: S704 - without HTML, and its links are checked


def privacy(request: Request) -> Response:
    """GET: what the operator says, else what this software keeps, as it is set to run."""
    return _page(request, "privacy")


def terms(request: Request) -> Response:
    """GET: the terms of use."""
    return _page(request, "terms")


def contact(request: Request) -> Response:
    """GET: who runs this, and how to reach them."""
    return _page(request, "contact")


def method(request: Request) -> Response:
    """GET: how listening is counted, with the figures that are really used."""
    return render.page(
        request,
        "method.html",
        rules=_counting(auth.house(request).settings),
        few=stats.FEW,
        counts_sent=_counts_sent(request),
    )


def _counts_sent(request: Request) -> bool:
    """Whether the bytes of the sound go through our hands, so that those that went are known."""
    return auth.house(request).settings.media_delivery == "app"


def _page(request: Request, name: str) -> Response:
    settings = auth.house(request).settings
    said = legal.written(settings.legal, name, languages.of(request))
    if said is None:
        return render.page(request, TOLD[name], name=name, folder=settings.legal, kept=_kept(settings))
    text, language = said
    headed = text.lstrip().startswith("# ")
    return render.page(request, "legal.html", name=name, text=rendered(text), spoken=language, headed=headed)


def _kept(settings: Settings) -> dict[str, Any]:
    """The figures of the page on privacy, from the settings in force."""
    return {
        "session_days": settings.session_days,
        "visitor_hours": HOURS_PER_VISITOR_KEY,
        "key_days": settings.idempotency_days,
        "link_hours": settings.sign_in_link_hours,
        "own_store": settings.blobs.startswith("file:"),
        "few": stats.PEOPLE_MIN,
        "map_host": urlsplit(settings.map_style_url).hostname,
    }


def _counting(settings: Settings) -> dict[str, Any]:
    return {
        "start_s": f"{listening.START_S:g}",
        "listen_s": f"{listening.LISTEN_S:g}",
        "completion_percent": f"{listening.COMPLETION_PART * 100:g}",
        "rate_max": f"{listening.RATE_MAX:g}",
        "slack_s": f"{listening.SLACK_S:g}",
        "visitor_hours": HOURS_PER_VISITOR_KEY,
        "people_min": stats.PEOPLE_MIN,
        "parts_of_bubble": heard.PARTS_OF_BUBBLE,
        "plays_max": listen.PLAYS_A_DAY_MAX,
        "network_people": networks.PEOPLE_MAX,
        "shared_network_people": networks.SHARED_PEOPLE_MAX,
        "network_visitors": settings.visitors_per_network,
        "shared_network_visitors": settings.visitors_per_shared_network,
    }
