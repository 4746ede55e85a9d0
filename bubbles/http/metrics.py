"""GET /metrics: how much is asked, refused, and still to be done; how quick, and what is away.

What a process knows of itself (requests, refusals, latencies) each tells of itself: add those up. What is counted from
rows (steps, jobs, discards, bubbles) is true of the whole house and the same from every web process: take the greatest.
"""

from starlette.requests import Request
from starlette.responses import Response

from bubbles import scrape
from bubbles.errors import Code, Refused
from bubbles.http import gauges
from bubbles.http.caching import NO_STORE
from bubbles.http.parts import Parts


async def metrics(request: Request) -> Response:
    """Prometheus text, for who asks from this machine or a private network and not through a proxy.

    Without the database it tells the rest, and that: `bubbles_up{part="database"} 0`.
    """
    peer = request.client.host if request.client else ""
    if "x-forwarded-for" in request.headers or not scrape.is_near(peer):
        raise Refused(Code.NOT_FOUND, "There is no such page.")
    stand = await Parts.of(request.app).stand(with_census=True)
    body = scrape.text() + scrape.text(gauges.families(stand))
    return Response(body, media_type=scrape.MEDIA_TYPE, headers=NO_STORE)
