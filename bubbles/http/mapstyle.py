"""Our own MapLibre style: paper, coasts, borders and names, from the design's tokens. No glyphs URL: the browser draws
the letters in the typeface of the page."""

from typing import Any

Layer = dict[str, Any]
Colours = dict[str, str]
GROUND = {"light": {"water": "street", "land": "sheet"}, "dark": {"water": "paper", "land": "street"}}
"""Land is lighter than water, by day and by night."""

FACE = ["Alegreya Sans"]
ATTRIBUTION = (
    '<a href="https://www.naturalearthdata.com/">Natural Earth</a> · <a href="https://www.geonames.org/">GeoNames</a>'
)
TOWNS = ["!=", ["get", "kind"], "quarter"]
SHOWN = ["<=", ["get", "from"], ["zoom"]]
"""Every label says itself from which zoom on it is there."""


def style(tokens: Colours, theme: str, *, tiles_url: str, language: str) -> dict[str, Any]:
    """The style of a theme whose tokens these are; `language` is that of the names of countries."""
    colours = tokens | {name: tokens[token] for name, token in GROUND[theme].items()}
    return {
        "version": 8,
        "name": "Bubbles",
        "sources": {"basemap": {"type": "vector", "url": tiles_url, "attribution": ATTRIBUTION}},
        "layers": [
            {"id": "water", "type": "background", "paint": {"background-color": colours["water"]}},
            _land(colours),
            _coast(colours),
            _borders(colours),
            _quarters(colours),
            _towns(colours),
            _countries(colours, language),
        ],
    }


def _layer(name: str, kind: str, source: str, **more: Any) -> Layer:
    return {"id": name, "type": kind, "source": "basemap", "source-layer": source, **more}


def _land(colours: Colours) -> Layer:
    return _layer("land", "fill", "land", paint={"fill-color": colours["land"]})


def _coast(colours: Colours) -> Layer:
    return _layer(
        "coast",
        "line",
        "land",
        layout={"line-join": "round"},
        paint={"line-color": colours["line"], "line-width": _by_zoom(2, 0.6, 8, 1.6)},
    )


def _borders(colours: Colours) -> Layer:
    return _layer(
        "borders",
        "line",
        "borders",
        layout={"line-join": "round"},
        paint={"line-color": colours["edge"], "line-width": _by_zoom(2, 0.5, 8, 1.4), "line-dasharray": [4, 2]},
    )


def _quarters(colours: Colours) -> Layer:
    return _layer(
        "quarters",
        "symbol",
        "towns",
        filter=["all", ["!", TOWNS], SHOWN],
        layout=_text(["get", "name"], size=_by_zoom(11, 12, 15, 15)),
        paint=_ink(colours, "ink-soft"),
    )


def _towns(colours: Colours) -> Layer:
    """Larger towns come first and are written larger."""
    ranks = [0, 0, 4, 1.5, 6, 6, 7, 9]  # decimal logarithm of inhabitants, pixels more
    rank = ["interpolate", ["linear"], ["log10", ["max", 1, ["get", "population"]]], *ranks]
    size = ["interpolate", ["linear"], ["zoom"], 3, ["+", 10.5, ["*", 0.5, rank]], 10, ["+", 14, rank]]
    text = _text(["get", "name"], size=size)
    return _layer(
        "towns",
        "symbol",
        "towns",
        filter=["all", TOWNS, SHOWN],
        layout=text | {"symbol-sort-key": ["-", ["get", "population"]]},
        paint=_ink(colours, "ink"),
    )


def _countries(colours: Colours, language: str) -> Layer:
    text = _text(["get", f"name_{language}"], size=_by_zoom(1, 11, 6, 17))
    return _layer(
        "countries",
        "symbol",
        "countries",
        maxzoom=8,
        filter=SHOWN,
        layout=text
        | {
            "text-transform": "uppercase",
            "text-letter-spacing": 0.12,
            "text-max-width": 7,
            "symbol-sort-key": ["-", ["get", "size"]],
        },
        paint=_ink(colours, "ink-soft"),
    )


def _text(field: Any, *, size: Any) -> Layer:
    return {"text-field": field, "text-font": FACE, "text-size": size, "text-max-width": 8, "text-padding": 4}


def _ink(colours: Colours, token: str) -> Layer:
    return {
        "text-color": colours[token],
        "text-halo-color": colours["land"],
        "text-halo-width": 1.4,
        "text-halo-blur": 0.4,
    }


def _by_zoom(*stops: float) -> list[Any]:
    """Grows evenly between `zoom, value` pairs."""
    return ["interpolate", ["linear"], ["zoom"], *stops]
