"""The map beneath the bubbles: its tiles, its style in the pages' colours, and what a page with a map may load."""

import hashlib
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bubbles.config import REBUILD, Settings
from bubbles.errors import Code, Missing, Refused
from bubbles.http import auth, languages, mapstyle, ranges, render
from bubbles.http.caching import PUBLIC, REVALIDATED
from bubbles.http.errors import problem

TILES = "world.pmtiles"
MEDIA_TYPE = "application/vnd.pmtiles"
FOR_EVER = "public, max-age=31536000, immutable"
CHUNK_BYTES = 1 << 18
ETAG_HEX = 32
THEMES = ("light", "dark")


def tiles(request: Request) -> Response:
    """The PMTiles archive: 200, 206, 304, 416. `v` is the tag that `style.json` names: with it, kept for ever."""
    file = _opened(auth.house(request).settings.basemap_dir)
    tag, length_bytes = _tag(file), os.fstat(file.fileno()).st_size
    cache = FOR_EVER if request.query_params.get("v") == tag else REVALIDATED
    headers = {"ETag": f'"{tag}"', "Cache-Control": cache}
    span = _span(request, f'"{tag}"', length_bytes)
    is_known = ranges.lists(request.headers.get("if-none-match"), f'"{tag}"', weak=True)
    if is_known or span == range(0):
        file.close()
        return Response(status_code=304, headers=headers) if is_known else _unsatisfied(length_bytes)
    return _sent(request, file, span, headers | {"Accept-Ranges": "bytes"})


def _span(request: Request, etag: str, length_bytes: int) -> range | None:
    """The bytes that are asked for, an empty range when there are none such; None: all."""
    if request.method != "GET" or not ranges.is_unchanged(request.headers.get("if-range"), etag):
        return None
    return ranges.requested(request.headers.get("range"), length_bytes)


def _unsatisfied(length_bytes: int) -> Response:
    refusal = problem(
        Code.BAD_REQUEST, f"The basemap has {length_bytes} bytes; none of them was asked for.", status=416
    )
    refusal.headers["Content-Range"] = f"bytes */{length_bytes}"
    return refusal


def _sent(request: Request, file: BinaryIO, span: range | None, headers: dict[str, str]) -> Response:
    length_bytes = os.fstat(file.fileno()).st_size
    part = range(length_bytes) if span is None else span
    headers["Content-Length"] = str(len(part))
    if span is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{length_bytes}"
    body = _chunks(file, part if request.method == "GET" else range(0))
    return StreamingResponse(body, 200 if span is None else 206, headers, media_type=MEDIA_TYPE)


def _opened(folder: Path) -> BinaryIO:
    try:
        return (folder / TILES).open("rb")
    except OSError:
        raise missing() from None


def missing() -> Missing:
    """What to say where the basemap is not built."""
    return Missing("basemap", f"The basemap is not built: {REBUILD}.")


def _tag(file: BinaryIO) -> str:
    """The beginning of the file's SHA-256: the same tag, the same bytes."""
    status = os.fstat(file.fileno())
    return _tag_of(file.name, status.st_ino, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _tag_of(path: str, *_: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:ETAG_HEX]


def _chunks(file: BinaryIO, part: range) -> Iterator[bytes]:
    """A client that reads slowly holds a chunk, not the archive."""
    with file:
        for start in range(part.start, part.stop, CHUNK_BYTES):
            yield os.pread(file.fileno(), min(CHUNK_BYTES, part.stop - start), start)


def style(request: Request) -> Response:
    """A MapLibre style: `theme` (`light`, `dark`), and `language` of the names of countries (`en`, `fr`)."""
    settings = auth.house(request).settings
    theme = _choice(request, "theme", THEMES)
    language = _choice(request, "language", languages.LANGUAGES)
    with _opened(settings.basemap_dir) as file:
        tag = _tag(file)
    colours = tokens(settings.pages_dir)[theme]
    url = f"pmtiles:///map/tiles.pmtiles?v={tag}"
    body = mapstyle.style(colours, theme, tiles_url=url, language=language)
    return render.revalidated(request, JSONResponse(body, headers=PUBLIC))


def _choice(request: Request, name: str, choices: tuple[str, ...]) -> str:
    """The parameter's value; the first when there is none; raises `bad_request` for any other."""
    value = request.query_params.get(name) or choices[0]
    if value not in choices:
        raise Refused(Code.BAD_REQUEST, f"{name} must be one of {', '.join(choices)}.")
    return value


def tokens(pages_dir: Path) -> dict[str, dict[str, str]]:
    """The design's colours by theme: `{"light": {"paper": "#f4efe4", ...}, "dark": ...}`."""
    path = pages_dir / "styles" / "tokens.css"
    try:
        return _tokens(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise Missing("pages", f"The design's tokens are not there: {path}.") from error


@lru_cache(maxsize=8)
def _tokens(path: Path, _: int) -> dict[str, dict[str, str]]:
    both = re.findall(r"--([\w-]+):\s*light-dark\(([^(),]+),\s*([^(),]+)\);", path.read_text())
    return {
        "light": {name: light for name, light, _ in both},
        "dark": {name: dark for name, _, dark in both},
    }


def styles(settings: Settings, *, language: str) -> dict[str, str]:
    """The style a page's map begins with, by theme: the one that is set, else ours."""
    if settings.map_style_url:
        return {theme: settings.map_style_url.replace("{theme}", theme) for theme in THEMES}
    return {theme: f"/map/style.json?{urlencode({'theme': theme, 'language': language})}" for theme in THEMES}


def headers(settings: Settings) -> dict[str, str]:
    """Headers of a page with a map, for `render.page`: MapLibre's worker and images, and the sources that are set."""
    sources = " ".join(_sources(settings))
    more = {"worker-src": "'self'", "img-src": f"blob: data: {sources}", "connect-src": sources}
    directives = dict(each.split(" ", 1) for each in render.CONTENT_SECURITY_POLICY.split("; "))
    for name, added in more.items():
        directives[name] = f"{directives.get(name, '')} {added}".strip()
    return {"Content-Security-Policy": "; ".join(" ".join(pair) for pair in directives.items())}


def _sources(settings: Settings) -> Iterator[str]:
    """Origins of the style that is set and of what it loads."""
    if settings.map_style_url:
        parts = urlsplit(settings.map_style_url)
        yield f"{parts.scheme}://{parts.netloc}"
    yield from filter(None, (each.strip() for each in settings.map_sources.split(",")))


def is_built(settings: Settings) -> bool:
    """Whether there are tiles to serve."""
    return (settings.basemap_dir / TILES).is_file()
