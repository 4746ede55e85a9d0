"""What makes the pages installable: the manifest, the service worker, and the page of no connection."""

import hashlib
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles.http import auth, languages, render
from bubbles.http.assets import Assets
from bubbles.http.caching import REVALIDATED

PAPER = "#f4efe4"
OFFLINE_PAGES = ["/offline", "/record"]
"""The pages that open without a connection: recording must go on in the street."""

SOURCES = ("src/main.ts", "styles/main.css", "src/pages/record.ts", "styles/pages/record.css")
WITHOUT_LATER = ("src/pages/picker.ts", "styles/pages/picker.css")
"""Kept without what they load later: the map is heavy, and shows nothing where there is no connection."""


def manifest(request: Request) -> Response:
    """The web app manifest, in the language of the request."""
    t = languages.texts(request)
    body = {
        "id": "/",
        "name": "Bubbles",
        "short_name": "Bubbles",
        "description": t("common.description"),
        "lang": t.language,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [
            {"src": "/assets/icon.svg", "sizes": "any", "type": "image/svg+xml"},
            {"src": "/assets/icon-192.png", "sizes": "192x192", "type": "image/png"},
            {"src": "/assets/icon-512.png", "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
        ],
        "shortcuts": [
            {"name": t("common.record"), "url": "/record"},
            {"name": t("common.map"), "url": "/map"},
        ],
    }
    headers = {"Cache-Control": REVALIDATED, "Vary": "Accept-Language, Cookie"}
    return JSONResponse(body, headers=headers, media_type="application/manifest+json")


def service_worker(request: Request) -> Response:
    """The built worker, told which files belong to the pages that open offline; another build is another worker."""
    pages_dir = auth.house(request).settings.pages_dir
    assets = Assets.of(pages_dir)
    files = _shell_files(assets)
    shell = {"version": _digest(files), "pages": OFFLINE_PAGES, "files": files}
    code = (pages_dir / "dist" / assets.url("src/sw.ts").lstrip("/")).read_text()
    body = f"self.shell = {json.dumps(shell)};\n{code}"
    answer = Response(body, media_type="text/javascript", headers={"Cache-Control": REVALIDATED})
    return render.revalidated(request, answer)


def _shell_files(assets: Assets) -> list[str]:
    found = {file for source in SOURCES for file in assets.urls(source)}
    found |= {file for source in WITHOUT_LATER for file in assets.urls(source, later=False)}
    return sorted(file for file in found if not _is_rare(file))


def _is_rare(file: str) -> bool:
    """Fonts of scripts that few pages need are fetched when they are."""
    return file.endswith((".woff", ".woff2")) and "-latin-" not in file


def _digest(files: list[str]) -> str:
    return hashlib.sha256("\n".join(files).encode()).hexdigest()[:16]


def offline(request: Request) -> Response:
    """Kept by the service worker and shown when a page cannot be fetched."""
    return render.page(request, "offline.html", robots="noindex")
