"""What is said of the machine: what was tried, what is only expected, and what is neither."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from bubbles import doctor, platforms
from bubbles.config import Settings
from bubbles.platforms import PROCESSORS, PYTHONS, TRIED, Platform
from tests.conftest import CHECKOUT

HERE = Platform("3.13", "x86_64", "glibc")


@pytest.mark.parametrize(
    ("found", "is_tried", "is_expected"),
    [
        (HERE, True, True),
        (replace(HERE, python="3.11"), True, True),
        (replace(HERE, python="3.14"), False, True),
        (replace(HERE, processor="aarch64"), False, True),
        (replace(HERE, python="3.10"), False, False),
        (replace(HERE, python="3.15"), False, False),
        (replace(HERE, processor="riscv64"), False, False),
        (replace(HERE, libc=""), False, False),
        (replace(HERE, implementation="pypy"), False, False),
    ],
)
def test_what_was_tried_is_told_apart_from_what_is_expected(found: Platform, is_tried: bool, is_expected: bool) -> None:
    assert (found.is_tried, found.is_expected) == (is_tried, is_expected)


@pytest.mark.parametrize(
    ("found", "verdict", "words"),
    [
        (HERE, "ok", "were tried"),
        (replace(HERE, processor="aarch64"), "ok", "only expected"),
        (replace(HERE, python="3.15"), "degraded", "use CPython 3.11 to 3.14"),
    ],
)
def test_the_doctor_says_it_of_the_machine_it_runs_on(
    monkeypatch: pytest.MonkeyPatch, found: Platform, verdict: str, words: str
) -> None:
    monkeypatch.setattr(platforms, "current", lambda: found)
    monkeypatch.setattr(doctor, "CHECKS", {"python": doctor.CHECKS["python"]})
    written = io.StringIO()
    assert doctor.examine(Settings(), Console(file=written))
    assert written.getvalue().startswith(verdict)
    assert words in written.getvalue()


def test_this_machine_is_one_of_those_that_are_promised() -> None:
    assert platforms.current().is_expected


def test_the_readme_names_what_was_tried_and_what_is_expected() -> None:
    told = re.sub(r"\s+", " ", (CHECKOUT / "README.md").read_text())
    [(tried, expected)] = re.findall(r"Tried: (.+?)\. Only expected to work[^:]*: (.+?)\.\s", told)
    assert re.findall(r"3\.\d+", tried) == sorted({python for python, _ in TRIED})
    assert {re.sub("-", "_", found) for found in re.findall(r"x86-64|aarch64", tried)} == {cpu for _, cpu in TRIED}
    assert set(re.findall(r"3\.\d+", expected)) == set(PYTHONS) - {python for python, _ in TRIED}
    assert set(re.findall(r"aarch64", expected)) == set(PROCESSORS) - {cpu for _, cpu in TRIED}
