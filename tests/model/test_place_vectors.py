"""The browser blurs places by the same arithmetic: `web/src/cells.test.ts` holds it to the vectors checked here."""

import json
import random
from itertools import product
from pathlib import Path
from typing import Any

from bubbles.model.place import STREETS_ACROSS, PlaceRole, cell_of, snap

VECTORS = Path(__file__).resolve().parents[2] / "web" / "src" / "cells.vectors.json"
CORNERS = [(90.0, 180.0), (-90.0, -180.0), (0.0, 0.0), (89.9999, -0.0001), (-33.86, 151.21), (48.8566, 2.3522)]


def vectors() -> list[dict[str, Any]]:
    """Points all over the earth, with the cell and the place that the model makes of each."""
    chance = random.Random(3)
    points = CORNERS + [(round(chance.uniform(-90, 90), 5), round(chance.uniform(-180, 180), 5)) for _ in range(60)]
    return [_vector(*point, precision) for point, precision in product(points, STREETS_ACROSS)]


def _vector(latitude: float, longitude: float, precision: Any) -> dict[str, Any]:
    cell, place = cell_of(latitude, longitude, precision), snap(latitude, longitude, precision, PlaceRole.RECORDED)
    assert place
    return {
        "point": [latitude, longitude],
        "precision": str(precision),
        "cell": [round(side, 9) for side in (cell.south, cell.west, cell.north, cell.east)],
        "centre": [place.latitude, place.longitude],
        "radius_m": place.radius_m,
    }


def test_the_browsers_vectors_are_the_models() -> None:
    assert json.loads(VECTORS.read_text()) == vectors()


if __name__ == "__main__":
    VECTORS.write_text("[\n" + ",\n".join(json.dumps(each) for each in vectors()) + "\n]\n")
