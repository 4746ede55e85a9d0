"""What Vite built: most names bear a hash of their contents, so that a browser keeps those for ever."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bubbles.config import REBUILD
from bubbles.errors import Missing

COMPRESSION = 5
"""Of zlib's nine: half the time of the highest, for one or two in a hundred bytes more."""

HASHED = re.compile(r"-[\w-]{8}\.\w+$")


class Assets:
    """The hashed names of the built files, from Vite's manifest."""

    def __init__(self, manifest: Path) -> None:
        self._manifest = manifest
        self._chunks: dict[str, dict[str, Any]] = {}

    @staticmethod
    @lru_cache(maxsize=8)
    def of(pages_dir: Path) -> "Assets":
        """The files built in a folder of pages."""
        return Assets(pages_dir / "dist" / ".vite" / "manifest.json")

    def url(self, source: str) -> str:
        """Where the file built from `src/main.ts` is served; raises Missing("pages", ...) before the first build."""
        return f"/{self._chunk(source)['file']}"

    def imports(self, source: str) -> list[str]:
        """Where the scripts are that this one cannot begin without; a page asks for them all at once."""
        chunk, found = self._chunk(source), list[str]()
        for name in chunk.get("imports", []):
            found += [url for url in (self.url(name), *self.imports(name)) if url not in found]
        return found

    def urls(self, source: str, *, later: bool = True) -> set[str]:
        """The same with all that it loads: scripts, styles, fonts; what it may load `later`, too, if that is wanted."""
        found: set[str] = set()
        waiting, seen = [source], set()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                chunk = self._chunk(name)
                found |= {f"/{file}" for file in (chunk["file"], *chunk.get("css", []), *chunk.get("assets", []))}
                waiting += [*chunk.get("imports", []), *(chunk.get("dynamicImports", []) if later else [])]
        return found

    def _chunk(self, source: str) -> dict[str, Any]:
        if not self._chunks:
            self._chunks = self._read()
        return self._chunks[source]

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            chunks: dict[str, dict[str, Any]] = json.loads(self._manifest.read_text())
        except FileNotFoundError as error:
            raise Missing("pages", f"The pages are not built: {REBUILD}.") from error
        return chunks


class _Built(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        hashed = HASHED.search(path) and response.status_code < 400
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response


def mount(pages_dir: Path) -> Mount:
    """`/assets`, from the folder that `npm run build` fills."""
    built = _Built(directory=pages_dir / "dist" / "assets", check_dir=False)
    return Mount(
        "/assets",
        built,
        name="assets",
        middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=COMPRESSION)],
    )
