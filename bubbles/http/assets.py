"""What Vite built: most names bear a hash of their contents, so that a browser keeps those for ever."""

import re
from pathlib import Path

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

HASHED = re.compile(r"-[\w-]{8}\.\w+$")


class _Built(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        hashed = HASHED.search(path) and response.status_code < 400
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def mount(pages_dir: Path) -> Mount:
    """`/assets`, from the folder that `npm run build` fills."""
    built = _Built(directory=pages_dir / "dist" / "assets", check_dir=False)
    return Mount("/assets", built, name="assets", middleware=[Middleware(GZipMiddleware, minimum_size=1024)])
