"""The wheels that promised machines take: `make lock` writes them to requirements/wheels.txt, without addresses.

Reads the locks as pylock.toml (PEP 751), which name every file of a pin. A line is a SHA-256 and the name of a wheel.
"""

import sys
import tomllib
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from bubbles.platforms import PROCESSORS, PYTHONS

GLIBC_MINOR = 36
"""Debian 12's glibc is 2.36: of all promised systems the oldest."""

Machine = tuple[str, str]
MACHINES: tuple[Machine, ...] = tuple(product(PYTHONS, PROCESSORS))


def tags(machine: Machine) -> frozenset[Tag]:
    """What pip takes on that version of CPython and that processor."""
    python, processor = machine
    major, minor = map(int, python.split("."))
    platforms = [f"manylinux_2_{glibc}_{processor}" for glibc in range(GLIBC_MINOR, 4, -1)]
    platforms += [f"{name}_{processor}" for name in ("manylinux2014", "manylinux2010", "manylinux1", "linux")]
    interpreter = f"cp{major}{minor}"
    return frozenset(
        chain(
            cpython_tags((major, minor), [interpreter], platforms),
            compatible_tags((major, minor), interpreter, platforms),
        )
    )


TAGS = {machine: tags(machine) for machine in MACHINES}


def fitting(wheel: str) -> frozenset[Machine]:
    """The promised machines that a wheel of this file name can be installed on."""
    offered = parse_wheel_filename(wheel)[3]
    return frozenset(machine for machine in MACHINES if offered & TAGS[machine])


def wheels(lock: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of each wheel of a lock that fits a promised machine."""
    for package in lock["packages"]:
        for wheel in package.get("wheels", ()):
            name = wheel.get("name") or wheel["url"].rpartition("/")[2]
            if fitting(name):
                yield name, wheel["hashes"]["sha256"]


if __name__ == "__main__":
    found = {pair for path in sys.argv[1:] for pair in wheels(tomllib.loads(Path(path).read_text()))}
    for name, sha256 in sorted(found):
        print(f"{sha256}  {name}")
