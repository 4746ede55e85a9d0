"""The map's tiles and style: exact HTTP, the pages' colours, and nothing from elsewhere unless it is set."""

import gzip
import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from bubbles.config import Settings
from bubbles.http import basemap
from bubbles.http.asgi import create_app

ARCHIVE = bytes(range(256)) * 4096
TILES = "/map/tiles.pmtiles"


@pytest.fixture
def built(house) -> Path:
    """An archive of a MiB in the house's cache, four chunks long."""
    path = house.settings.basemap_dir / basemap.TILES
    path.parent.mkdir(parents=True)
    path.write_bytes(ARCHIVE)
    return path


@pytest.fixture
def house(house, tmp_path):
    object.__setattr__(house, "settings", house.settings.model_copy(update={"cache_dir": tmp_path / "cache"}))
    return house


@pytest.fixture
def client(house):
    with TestClient(create_app(house)) as client:
        yield client


def test_the_archive_is_read_in_ranges(client, built) -> None:
    response = client.get(TILES, headers={"Range": "bytes=10-299999"})
    assert response.status_code == 206
    assert response.content == ARCHIVE[10:300000]
    assert response.headers["content-range"] == f"bytes 10-299999/{len(ARCHIVE)}"
    assert response.headers["content-length"] == "299990"
    assert response.headers["content-type"] == "application/vnd.pmtiles"


def test_the_archive_comes_whole_and_its_tag_is_strong(client, built) -> None:
    response = client.get(TILES)
    assert (response.status_code, response.content) == (200, ARCHIVE)
    assert response.headers["accept-ranges"] == "bytes"
    etag = response.headers["etag"]
    assert etag.startswith('"')
    assert client.get(TILES, headers={"If-None-Match": etag}).status_code == 304
    head = client.head(TILES)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(ARCHIVE)), b"")


def test_a_range_of_another_archive_is_the_whole(client, built) -> None:
    assert client.get(TILES, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).status_code == 200


def test_a_range_beyond_the_end_is_told_the_length(client, built) -> None:
    response = client.get(TILES, headers={"Range": f"bytes={len(ARCHIVE)}-"})
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{len(ARCHIVE)}"


def test_another_archive_has_another_tag_and_address(client, built) -> None:
    url, etag = address(client), client.get(TILES).headers["etag"]
    assert "immutable" in client.get(url).headers["cache-control"]
    built.write_bytes(ARCHIVE[::-1])
    os.utime(built, ns=(1, 1))
    assert client.get(TILES).headers["etag"] != etag
    assert address(client) != url
    assert client.get(url).headers["cache-control"] == "no-cache"  # a page of yesterday asks for what is gone


def address(client) -> str:
    url = client.get("/map/style.json").json()["sources"]["basemap"]["url"]
    assert url.startswith("pmtiles:///")
    return url.removeprefix("pmtiles://")


@pytest.mark.parametrize("path", [TILES, "/map/style.json"])
def test_a_basemap_that_is_not_built_is_unavailable(client, path) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert "retry-after" in response.headers


def test_the_style_has_the_colours_of_its_theme_and_needs_no_other_site(client, built, house) -> None:
    for theme in basemap.THEMES:
        style = client.get(f"/map/style.json?theme={theme}").json()
        layers = {layer["id"]: layer for layer in style["layers"]}
        colours = basemap.tokens(house.settings.pages_dir)[theme]
        assert layers["land"]["paint"]["fill-color"] in colours.values()
        assert layers["towns"]["paint"]["text-color"] == colours["ink"]
        assert "glyphs" not in style
        assert "sprite" not in style
    assert basemap.tokens(house.settings.pages_dir)["light"]["ink"] != colours["ink"]


def test_countries_are_named_in_the_language_asked_for(client, built) -> None:
    for language in ("en", "fr"):
        style = client.get(f"/map/style.json?language={language}").json()
        fields = [layer["layout"]["text-field"] for layer in style["layers"] if layer["id"] == "countries"]
        assert fields == [["get", f"name_{language}"]]


@pytest.mark.parametrize("query", ["theme=sepia", "language=xx"])
def test_a_style_that_there_is_not_is_refused(client, built, query) -> None:
    assert client.get(f"/map/style.json?{query}").json()["code"] == "bad_request"


def test_a_page_with_a_map_may_load_from_here_alone(house) -> None:
    policy = directives(house.settings)
    assert policy["default-src"] == ["'none'"]
    assert policy["worker-src"] == policy["connect-src"] == policy["script-src"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "blob:", "data:"]


def test_a_style_that_is_set_takes_the_place_of_ours_and_may_be_loaded() -> None:
    settings = Settings(
        map_style_url="https://maps.example/{theme}/style.json?key=1",
        map_sources="https://tiles.example, https://*.letters.example:8443",
    )
    assert basemap.styles(settings, language="en")["dark"] == "https://maps.example/dark/style.json?key=1"
    elsewhere = ["https://maps.example", "https://tiles.example", "https://*.letters.example:8443"]
    assert directives(settings)["connect-src"] == ["'self'", *elsewhere]
    assert directives(settings)["img-src"] == ["'self'", "blob:", "data:", *elsewhere]
    assert directives(settings)["script-src"] == ["'self'"]


@pytest.mark.parametrize(
    "settings",
    [
        {"map_style_url": "/style.json"},
        {"map_style_url": "https://a.example; script-src *"},
        {"map_style_url": "https://me@a.example/style.json"},
        {"map_sources": "https://a.example/tiles"},
        {"map_sources": "*"},
        {"map_sources": "https://a.example; script-src 'unsafe-inline'"},
    ],
)
def test_what_is_no_origin_is_refused(settings) -> None:
    with pytest.raises(ValidationError):
        Settings(**settings)


def directives(settings: Settings) -> dict[str, list[str]]:
    policy = basemap.headers(settings)["Content-Security-Policy"]
    return {name: sources for name, *sources in map(str.split, policy.split(";"))}


BUILT = Settings().basemap_dir / basemap.TILES
GZIP = 2


def test_the_archive_that_make_builds_holds_the_layers_of_the_style(client, built) -> None:
    assert BUILT.is_file(), "`make .cache/basemap/.built` builds it"
    archive = BUILT.read_bytes()
    held = {layer["id"]: set(layer["fields"]) for layer in metadata(archive)["vector_layers"]}
    drawn = [layer for layer in client.get("/map/style.json").json()["layers"] if "source-layer" in layer]
    assert {layer["source-layer"] for layer in drawn} == set(held)
    for layer in drawn:
        assert read_by(layer) <= held[layer["source-layer"]], layer["id"]
    assert len(archive) < 10_000_000
    assert str(BUILT.parent).encode() not in archive


def metadata(archive: bytes) -> Any:
    """What a PMTiles archive, version 3, says of itself: JSON, compressed as the header's byte 97 says."""
    assert archive[:8] == b"PMTiles\x03"
    at, length_bytes = struct.unpack_from("<QQ", archive, 24)
    told = archive[at : at + length_bytes]
    return json.loads(gzip.decompress(told) if archive[97] == GZIP else told)


def read_by(expression: Any) -> set[str]:
    """The attributes of a feature that a layer of the style reads."""
    parts = expression.values() if isinstance(expression, dict) else expression if isinstance(expression, list) else []
    found = {expression[1]} if isinstance(expression, list) and expression[:1] == ["get"] else set()
    return found.union(*map(read_by, parts))
