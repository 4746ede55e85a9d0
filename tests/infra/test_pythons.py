"""Which interpreters `make pythons` finds, and what it tells of one that fails."""

import re
from pathlib import Path

import pytest

from tests import pythons
from tests.conftest import CHECKOUT
from tests.pythons import Trial, interpreters, main


def python(folder: Path, version: str, says: str) -> None:
    """A stub of an interpreter of that name."""
    folder.mkdir(exist_ok=True)
    file = folder / f"python{version}"
    file.write_text(f"#!/bin/sh\n{says}\n")
    file.chmod(0o755)


def test_each_interpreter_is_found_once_by_version(tmp_path: Path) -> None:
    python(tmp_path / "one", "3.13", "echo /opt/python3.13 3 13")
    python(tmp_path / "one", "3.9", "echo /opt/python3.9 3 9")
    python(tmp_path / "two", "3.13", "echo /opt/python3.13 3 13")
    python(tmp_path / "two", "3.11", "echo /usr/bin/python3.11 3 11")
    python(tmp_path / "two", "3.12", "exit 1")  # a name that leads nowhere
    found = interpreters([tmp_path / "one", tmp_path / "two", tmp_path / "none"])
    assert found == [Path("/usr/bin/python3.11"), Path("/opt/python3.13")]


def test_one_that_fails_is_told_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(Trial, "__init__", lambda trial, python, folder: setattr(trial, "python", python))
    for step in pythons.COLUMNS:
        monkeypatch.setattr(Trial, step.replace(" ", "_"), lambda trial: "well")

    def lame(trial: Trial) -> str:
        if trial.python.name == "lame":
            raise pythons.Failed("make ended with 2\nno wheel")
        return "1 MiB"

    monkeypatch.setattr(Trial, "install", lame)
    assert main(["/opt/lame", "/opt/sound"]) == 1
    told = capsys.readouterr().out
    assert "no wheel" in told
    assert "| /opt/lame | FAILED |" in told
    assert re.search(r"^\| /opt/sound \| \d+ s, 1 MiB \| \d+ s, well \|", told, re.MULTILINE)


def test_the_tests_do_not_try_every_python() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    [rule] = [line for line in makefile.splitlines() if line.startswith("test:")]
    assert "pythons" not in rule.partition("##")[0]
