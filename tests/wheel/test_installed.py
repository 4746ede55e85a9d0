"""The wheel, installed where there is no checkout: it serves from an empty folder, to root and to an ordinary user."""

import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.accounts_here import IS_ROOT, as_user, as_user_by_name, folder_of_user, python_of_user
from tests.conftest import CHECKOUT
from tests.journey.service import wait_for
from tests.ports import free_port

ENDS_MAX_S = 120


@pytest.fixture(params=["root", "user"])
def account(request: pytest.FixtureRequest) -> Iterator[tuple[list[str], Path]]:
    """How a command is run by that account, and a home of its own with nothing in it."""
    if request.param == "root" and not IS_ROOT:
        pytest.skip("root alone can try it as root")
    with folder_of_user() as home:
        is_other = request.param == "user" and python_of_user() is not None
        if not is_other:
            os.chown(home, os.geteuid(), os.getegid())
        yield as_user() if is_other else (as_user_by_name() if request.param == "user" else []), home


def environment(home: Path, **settings: str) -> dict[str, str]:
    """That of somebody who has just signed in: no Node, no variables of ours."""
    told = {f"BUBBLES_{name}": value for name, value in settings.items()}
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"} | told


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path: in the table of settings no line breaks."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def said(installed: Path, *arguments: str, home: Path, check: bool = True, **variables: str) -> str:
    """What a command of the wheel prints, run in `home`."""
    ran = subprocess.run(
        [installed / "bin" / "bubbles", *arguments],
        env=environment(home) | variables, cwd=home, capture_output=True, text=True, check=False, timeout=ENDS_MAX_S,
    )  # fmt: skip
    assert (ran.returncode == 0) is check, ran.stderr
    assert "Traceback" not in ran.stderr
    return ran.stdout + ran.stderr


@contextmanager
def served(command: list[str], home: Path) -> Iterator[tuple[str, list[str]]]:
    """`bubbles serve` in an empty folder; its address, and all that it says."""
    port = free_port()
    process = subprocess.Popen(
        [*command, "serve"], env=environment(home, PORT=str(port)), cwd=home,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines: list[str] = []
    listener = threading.Thread(target=lambda: [lines.append(line) for line in process.stdout or ()], daemon=True)
    listener.start()
    try:
        wait_for(lambda: process.poll() is not None or any("Bubbles is at" in line for line in lines))
        assert process.poll() is None, "".join(lines)
        yield f"http://localhost:{port}", lines
        process.send_signal(signal.SIGINT)
        assert process.wait(ENDS_MAX_S) == 0
    finally:
        process.kill()
        process.wait()


def test_it_serves_from_an_empty_folder(installed: Path, account: tuple[list[str], Path]) -> None:
    before, home = account
    with served([*before, str(installed / "bin" / "bubbles")], home) as (url, lines):
        client = httpx.Client(base_url=url, timeout=60)
        page = client.get("/").text
        assert all(client.get(asset).status_code == 200 for asset in re.findall(r'"(/assets/[^"]+)"', page))
        assert "bulles" in client.get("/", headers={"Accept-Language": "fr"}).text.lower()
        assert client.get("/map").status_code == 200
        (tiles,) = set(re.findall(r'pmtiles://[^"]*?(/[^"]+?)"', client.get("/map/style.json").text)) or {""}
        assert client.get(tiles, headers={"Range": "bytes=0-6"}).content == b"PMTiles"
        wait_for(lambda: client.get("/api/places?q=Villeurbanne").json().get("items"))
        wait_for(lambda: any("worker_started" in line for line in lines))
        wait_for(lambda: any("`bubbles model fetch`" in line for line in lines))
    assert str(CHECKOUT) not in "".join(lines)
    assert {path.name for path in home.iterdir()} <= {"data", ".cache"}
    assert (home / "data").stat().st_uid == home.stat().st_uid


@pytest.mark.parametrize(
    ("named", "cache"),
    [("", "{home}/.cache/bubbles"), ("/elsewhere", "/elsewhere/bubbles"), ("not/absolute", "{home}/.cache/bubbles")],
)
def test_nothing_is_read_or_kept_in_a_checkout(named: str, cache: str, installed: Path, home: Path) -> None:
    told = said(installed, "settings", home=home, XDG_CACHE_HOME=named)
    assert str(CHECKOUT) not in told
    assert re.search(rf"BUBBLES_CACHE_DIR +{cache.format(home=home)} ", told)
    assert re.search(rf"BUBBLES_PAGES_DIR +{installed.resolve()}/lib/", told)
    assert re.search(rf"BUBBLES_DATA_DIR +{home}/data ", told)


def test_what_lies_where_it_is_started_is_not_run(installed: Path, home: Path) -> None:
    """Processes that it starts are of the same wheel, whatever is in the folder."""
    (home / "bubbles").mkdir()
    for planted in (home / "bubbles" / "__init__.py", home / "structlog.py"):
        planted.write_text("import pathlib; pathlib.Path('planted').touch(); raise SystemExit(3)\n")
    with served([str(installed / "bin" / "bubbles")], home) as (_, lines):
        wait_for(lambda: any("worker_started" in line for line in lines))
    assert not (home / "planted").exists()


def test_a_model_that_cannot_be_kept_is_a_sentence(installed: Path, home: Path) -> None:
    (home / ".cache").write_text("a file")
    told = said(installed, "model", "fetch", home=home, check=False)
    assert "BUBBLES_CACHE_DIR" in told


def test_the_version_says_which_wheel_it_is(installed: Path, home: Path) -> None:
    first, second = said(installed, "--version", home=home).splitlines()
    assert re.fullmatch(r"bubbles \d+\.\d+\.\d+", first)
    assert "Python 3." in second
    assert str(installed) in second
