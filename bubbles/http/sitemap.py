"""What crawlers are told: all that is listed, in pages, and what they need not read."""

import re
from datetime import timedelta
from functools import partial
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bubbles.app import House
from bubbles.db import sitemap as rows
from bubbles.errors import Code, Refused
from bubbles.http import auth
from bubbles.http.caching import REVALIDATED
from bubbles.http.stock import Stock

KEPT = timedelta(minutes=10)
"""How long a page stays as it was made: what was withdrawn leaves it by then, and what came is in it."""

BODIES_MAX = 64
"""Pages that are kept, of a tenth of a megabyte each."""

PAGES = ("/", "/map", "/walk")
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
NUMBER = re.compile(r"[1-9][0-9]{0,8}")
MEDIA_TYPE = "application/xml"


def stock(wait_s: float) -> Stock:
    """Where an application keeps them."""
    return Stock(kept=KEPT, bodies_max=BODIES_MAX, wait_s=wait_s)


def sitemap(request: Request) -> Response:
    """The index of all pages (sitemaps.org)."""
    return _answer(request, partial(_index, auth.house(request)))


def page(request: Request) -> Response:
    """Some of the listed bubbles; the first page begins with the pages to begin at."""
    number = request.path_params["number"]
    if not NUMBER.fullmatch(number):
        raise Refused(Code.NOT_FOUND, "There is no such page of the sitemap.")
    return _answer(request, partial(_page, auth.house(request), int(number)))


def _answer(request: Request, make: partial[tuple[bytes, bool]]) -> Response:
    kept: Stock = request.app.state.sitemaps
    return kept.answer(request, make, now=auth.house(request).now(), media_type=MEDIA_TYPE)


def _index(house: House) -> tuple[bytes, bool]:
    with house.database.query() as session:
        pages = rows.begin_pages(session)
    base_url = escape(house.settings.public_url)
    entries = [f"<sitemap><loc>{base_url}/sitemaps/{number}.xml</loc></sitemap>" for number in range(1, pages.last + 1)]
    return _document("sitemapindex", entries), pages.all_begun


def _page(house: House, number: int) -> tuple[bytes, bool]:
    with house.database.query() as session:
        lines = rows.bubbles_of(session, number)
    if lines is None:
        raise Refused(Code.NOT_FOUND, "There is no such page of the sitemap.")
    base_url = escape(house.settings.public_url)
    entries = [f"<url><loc>{base_url}{path}</loc></url>" for path in PAGES] if number == 1 else []
    for line in escape(lines).splitlines():
        code, _, published = line.partition(" ")
        entries.append(f"<url><loc>{base_url}/b/{code}</loc><lastmod>{published}</lastmod></url>")
    return _document("urlset", entries), True


def _document(name: str, entries: list[str]) -> bytes:
    return f'{DECLARATION}<{name} xmlns="{NAMESPACE}">{"".join(entries)}</{name}>'.encode()


def robots(request: Request) -> Response:
    """Crawlers may read all but the API, every possible search, and sign-in links."""
    base_url = auth.house(request).settings.public_url
    closed = "".join(f"Disallow: {path}\n" for path in ("/api/", "/map?", "/map/list", "/search", "/sign-in/"))
    text = f"User-agent: *\n{closed}\nSitemap: {base_url}/sitemap.xml\n"
    return PlainTextResponse(text, headers={"Cache-Control": REVALIDATED})
