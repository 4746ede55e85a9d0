"""A map of someone else's, where the house is told to use one: our content policy lets it be drawn, and no other."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import expect

from tests.browser.stage import GENEROUS
from tests.browser.visitor import DESKTOP
from tests.journey.service import running

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one pixel."""


class MapHouse(BaseHTTPRequestHandler):
    """Gives a style with one layer of pictures, to every origin."""

    def do_GET(self) -> None:
        host = self.headers["Host"]
        tiles = {"type": "raster", "tiles": [f"http://{host}/{{z}}/{{x}}/{{y}}.png"], "tileSize": 256}
        layers = [{"id": "tiles", "type": "raster", "source": "tiles"}]
        style = json.dumps({"version": 8, "sources": {"tiles": tiles}, "layers": layers}).encode()
        body, kind = (DOT, "image/png") if self.path.endswith(".png") else (style, "application/json")
        self.send_response(200)
        for name, value in {"Access-Control-Allow-Origin": "*", "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def map_house() -> Iterator[str]:
    """The origin of a house of maps."""
    with ThreadingHTTPServer(("127.0.0.1", 0), MapHouse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_the_outside_map_that_is_set_is_drawn(visit, tmp_path):
    with map_house() as maps:
        settings = GENEROUS | {"WORKERS": "0", "MAP_STYLE_URL": f"{maps}/{{theme}}.json"}
        with running(tmp_path, **settings) as service:
            visitor = visit(kind=DESKTOP, origin=service.url, theme="dark")
            with visitor.page.expect_response(f"{maps}/**/*.png") as tile:
                visitor.page.goto("/map?bbox=4.80,45.74,4.88,45.80")
            assert tile.value.status == 200
            expect(visitor.page.locator("[data-unrolled] canvas")).to_be_visible()
            assert len(visitor.requested(f"{maps}/dark.json")) == 1
            assert {url.split("/")[2] for url in visitor.strays(service.url)} == {maps.split("/")[2]}
            assert visitor.page.locator("[data-notice]").inner_text() == ""
