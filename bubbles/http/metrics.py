"""GET /metrics: how much is asked, refused, and still to be done."""

import ipaddress

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from bubbles.db import steps
from bubbles.errors import Code, Refused
from bubbles.http import auth
from bubbles.http.caching import NO_STORE
from bubbles.model.step import StepName

REQUESTS = Counter("bubbles_requests_total", "Requests by route and status.", ["route", "status"])
REFUSALS = Counter("bubbles_refusals_total", "Refusals by code.", ["code"])
WAITING = Gauge("bubbles_steps_waiting", "Steps that wait or run.", ["step"])


def metrics(request: Request) -> Response:
    """Prometheus text, for who asks from this machine or a private network and not through a proxy."""
    peer = request.client.host if request.client else ""
    if "x-forwarded-for" in request.headers or not _is_near(peer):
        raise Refused(Code.NOT_FOUND, "There is no such page.")
    with auth.house(request).database.transaction() as session:
        depth = steps.depth(session)
    for name in StepName:
        WAITING.labels(name).set(depth.get(name, 0))
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST, headers=NO_STORE)


def _is_near(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False
