"""GET /api/map: a view of the map, as bubbles and clusters of them."""

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles import find
from bubbles.http import auth, present, query, render
from bubbles.http.bubbles import GEOJSON
from bubbles.http.caching import PUBLIC


def view(request: Request) -> Response:
    """A FeatureCollection of what is listed in the box; `count` in all, `capped` where only the newest are counted."""
    house = auth.house(request)
    with house.database.query() as session:
        seen = find.view(session, *query.parse_view(request.query_params))
    features = list(_features(seen, house.settings.public_url))
    count = sum(cluster.count for cluster in seen.clusters)
    body = {"type": "FeatureCollection", "count": count, "capped": seen.is_capped, "features": features}
    return render.revalidated(request, JSONResponse(body, headers=PUBLIC, media_type=GEOJSON))


def _features(seen: find.View, base_url: str) -> Iterator[present.Json]:
    for cluster in seen.clusters:
        if cluster.bubble_id is None:
            yield present.cluster(cluster)
        elif cluster.bubble_id in seen.alone:
            yield present.spot(*seen.alone[cluster.bubble_id], base_url)
