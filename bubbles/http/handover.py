"""Bytes that another sends: the bucket, to which who asks is led by a link, or nginx, which is given a path of its own.

Who may hear is judged here each time. What is counted is what was asked for: how much of it arrived we do not learn.
"""

from urllib.parse import urlsplit

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from bubbles.blobs.store import BlobStore, Linking
from bubbles.config import Settings
from bubbles.errors import Missing
from bubbles.http import auth, visitors
from bubbles.http.caching import NO_STORE
from bubbles.http.deliveries import Tally
from bubbles.listen import Delivery
from bubbles.model.rendition import MEDIA_TYPES, Rendition

LINK_VALID_S = 60
"""How long a link may outlive a bubble that is hidden. What only a team hears has none: see `media.py`."""

INSIDE = "/_bubbles"
"""Where infra/nginx/media.conf has what nginx sends for us; nobody outside reaches it."""

ASKED_OF_US = ("if-match", "if-range", "if-unmodified-since")
"""Conditions that nginx would judge by a file's date; they are rare, and answered by ourselves."""


def leads_away(request: Request) -> bool:
    """Whether the bucket sends the sound."""
    return auth.house(request).settings.media_delivery == "redirect"


def takes_over(request: Request, span: range | None) -> bool:
    """Whether the nginx in front sends this answer: it is set, it is there and says so, and the wish is a plain one."""
    if auth.house(request).settings.media_delivery != "nginx" or not visitors.comes_through_proxy(request):
        return False
    headers = request.headers
    is_plain = not any(name in headers for name in ASKED_OF_US) and (span is not None or "range" not in headers)
    return is_plain and headers.get("x-sendfile-type") == "X-Accel-Redirect"


def to_bucket(request: Request, made: Rendition, delivery: Delivery | None, *, headers: dict[str, str]) -> Response:
    """302 to a link of the bucket; all that HTTP asks of bytes is the bucket's to answer."""
    link = _link(_bucket(auth.house(request).blobs), made, headers["Cache-Control"], method=request.method)
    kept = {"Cross-Origin-Resource-Policy": headers["Cross-Origin-Resource-Policy"]}
    led = kept | NO_STORE | {"Location": link, "Referrer-Policy": "no-referrer"}
    return Response(status_code=302, headers=led, background=_counted(request, delivery))


def to_nginx(request: Request, made: Rendition, delivery: Delivery, *, headers: dict[str, str]) -> Response:
    """What nginx needs to send the sound in our name."""
    path = _inside(auth.house(request).blobs, made, headers["Cache-Control"])
    told = {name: value for name, value in headers.items() if name != "Accept-Ranges"}  # nginx says so by itself
    told["X-Accel-Redirect"] = path
    return Response(headers=told, media_type=MEDIA_TYPES[made.kind], background=_counted(request, delivery))


def origins(settings: Settings, store: BlobStore) -> str:
    """Where else than here a page's sound comes from, as a content policy says it; mostly nowhere."""
    return _origin(_bucket(store)) if settings.media_delivery == "redirect" else ""


def _origin(store: Linking) -> str:
    link = urlsplit(store.link("renditions/any", valid_s=1, content_type="audio/ogg", cache_control="no-store"))
    return f"{link.scheme}://{link.netloc}"


def _inside(store: BlobStore, made: Rendition, cache_control: str) -> str:
    """The path of a blob inside nginx: of a file, or of the bucket behind it with the link's signature."""
    if not isinstance(store, Linking):
        return f"{INSIDE}/disk/{made.blob_key}"
    link = urlsplit(_link(store, made, cache_control))
    return f"{INSIDE}/bucket{link.path}?{link.query}"


def _bucket(store: BlobStore) -> Linking:
    if isinstance(store, Linking):
        return store
    raise Missing("store", "This store has no links: set BUBBLES_MEDIA_DELIVERY to app.")


def _link(store: Linking, made: Rendition, cache_control: str, *, method: str = "GET") -> str:
    return store.link(
        made.blob_key,
        valid_s=LINK_VALID_S,
        content_type=MEDIA_TYPES[made.kind],
        cache_control=cache_control,
        method=method,
    )


def _counted(request: Request, delivery: Delivery | None) -> BackgroundTask | None:
    """The count of what was asked for, once that is answered."""
    return BackgroundTask(_count, request, delivery) if delivery else None


async def _count(request: Request, delivery: Delivery) -> None:
    await Tally.of(request.app).add(delivery, sent_to=delivery.stop)
