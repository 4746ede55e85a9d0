"""What crawlers are told: all that is listed, and what they need not read."""

from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bubbles.db import bubbles
from bubbles.http import auth, render
from bubbles.http.caching import REVALIDATED
from bubbles.model.times import rfc3339

URLS_MAX = 50_000
"""Most addresses in a sitemap (sitemaps.org)."""

PAGES = ("/", "/map", "/walk")
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def sitemap(request: Request) -> Response:
    """The pages to begin at and the newest listed bubbles, as sitemaps.org has it."""
    house = auth.house(request)
    with house.database.transaction() as session:
        codes = bubbles.listed_codes(session, limit=URLS_MAX - len(PAGES))
    urls = Element("urlset", xmlns=NAMESPACE)
    for path in PAGES:
        SubElement(SubElement(urls, "url"), "loc").text = f"{house.settings.public_url}{path}"
    for code, playable_at in codes:
        url = SubElement(urls, "url")
        SubElement(url, "loc").text = f"{house.settings.public_url}/b/{code}"
        SubElement(url, "lastmod").text = rfc3339(playable_at)
    xml = tostring(urls, encoding="utf-8", xml_declaration=True)
    response = Response(xml, headers={"Cache-Control": REVALIDATED}, media_type="application/xml")
    return render.revalidated(request, response)


def robots(request: Request) -> Response:
    """Crawlers may read all but the API, every possible search, and sign-in links."""
    base_url = auth.house(request).settings.public_url
    closed = "".join(f"Disallow: {path}\n" for path in ("/api/", "/map?", "/map/list", "/search", "/sign-in/"))
    text = f"User-agent: *\n{closed}\nSitemap: {base_url}/sitemap.xml\n"
    return PlainTextResponse(text, headers={"Cache-Control": REVALIDATED})
