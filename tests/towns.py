"""A small list of towns, as `make` writes the large one."""

from pathlib import Path

ROWS = (
    # id, name, country, region, kind, population, latitude, longitude
    (1, "Lyon", "FR", "", "PPLA", 472317, 45.74846, 4.84671),
    (2, "Villeurbanne", "FR", "", "PPL", 131445, 45.76601, 4.8795),
    (3, "Saint-Étienne", "FR", "", "PPLA2", 176280, 45.43389, 4.39),
    (4, "Paris", "FR", "", "PPLC", 2138551, 48.85341, 2.3488),
    (5, "Paris", "US", "TX", "PPLA2", 24782, 33.66094, -95.55551),
    (6, "Paris", "CA", "", "PPL", 11177, 43.2, -80.38333),
    (7, "Batignolles", "FR", "", "PPLX", 160000, 48.88542, 2.31643),
    (8, "New York City", "US", "NY", "PPL", 8175133, 40.71427, -74.00597),
    (9, "São Paulo", "BR", "", "PPLA", 10021295, -23.5475, -46.63611),
    (10, "Marseille", "FR", "", "PPLA", 794811, 43.29695, 5.38107),
    (11, "Zürich", "CH", "", "PPLA", 341730, 47.36667, 8.55),
    (12, "Le Mas", "FR", "", "PPL", 0, 45.79, 4.88),
    (13, "100% Town_", "FR", "", "PPL", 2000, 44.0, 3.0),
)


def write(path: Path, rows: tuple[tuple[object, ...], ...] = ROWS) -> Path:
    """The list as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return path
