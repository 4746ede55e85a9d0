"""How the tests come by their proxy."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.infra.proxy import INSTALL


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A path with what make itself needs, and no nginx."""
    (tmp_path / "find").symlink_to(str(shutil.which("find")))
    return tmp_path


def make_nginx(tools: Path, user_id: int) -> subprocess.CompletedProcess[str]:
    """`make nginx` on a machine where nothing but `tools` is on the path, as that user."""
    (tools / "id").write_text(f"#!/bin/sh\necho {user_id}\n")
    for tool in tools.iterdir():
        tool.chmod(0o755) if not tool.is_symlink() else None
    command = [str(shutil.which("make")), "--no-print-directory", "nginx", "SBIN="]
    return subprocess.run(
        command, cwd=CHECKOUT, env={"PATH": str(tools)}, capture_output=True, text=True, check=False, timeout=60
    )


def test_who_may_not_install_it_is_told_the_command(tools: Path) -> None:
    ran = make_nginx(tools, user_id=1000)
    assert ran.returncode != 0
    assert f'sudo sh -c "{INSTALL}"' in ran.stderr


def test_who_may_has_it_installed(tools: Path) -> None:
    (tools / "apt-get").write_text('#!/bin/sh\necho "apt-get $*"\n')
    ran = make_nginx(tools, user_id=0)
    assert ran.returncode == 0
    assert ran.stdout.splitlines() == INSTALL.split(" && ")


def test_one_that_is_there_is_taken(tools: Path) -> None:
    (tools / "nginx").write_text("#!/bin/sh\n")
    ran = make_nginx(tools, user_id=1000)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_the_tests_begin_with_what_only_the_system_has() -> None:
    """A user without it is told so before anything slow begins."""
    rule = next(line for line in (CHECKOUT / "Makefile").read_text().splitlines() if line.startswith("test:"))
    assert rule.split()[1:3] == ["chromium", "nginx"]
