"""How the tests come by their browser."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.chromium import INSTALL
from tests.conftest import CHECKOUT


def make_chromium(tools: Path, user_id: int) -> subprocess.CompletedProcess[str]:
    """`make chromium` on a machine where nothing but `tools` is on the path, as that user."""
    (tools / "id").write_text(f"#!/bin/sh\necho {user_id}\n")
    (tools / "find").symlink_to(str(shutil.which("find")))
    for tool in tools.iterdir():
        tool.chmod(0o755) if not tool.is_symlink() else None
    make = str(shutil.which("make"))
    return subprocess.run(
        [make, "--no-print-directory", "chromium"],
        cwd=CHECKOUT, env={"PATH": str(tools)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


def test_who_may_not_install_a_browser_is_told_the_command(tools):
    ran = make_chromium(tools, user_id=1000)
    assert ran.returncode != 0
    assert f'sudo sh -c "{INSTALL}"' in ran.stderr


def test_who_may_has_it_installed(tools):
    (tools / "apt-get").write_text('#!/bin/sh\necho "asked for $*"\n')
    ran = make_chromium(tools, user_id=0)
    assert ran.returncode == 0
    asked = [line.removeprefix("asked for ") for line in ran.stdout.splitlines()]
    assert [f"apt-get {line}" for line in asked] == INSTALL.split(" && ")


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_one_that_is_there_is_taken(tools, name):
    (tools / name).write_text("#!/bin/sh\n")
    ran = make_chromium(tools, user_id=1000)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
