"""What keeps a command from starting is told in one sentence that says what to do, with status 1."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import uvicorn
from sqlalchemy.engine import make_url
from starlette.applications import Starlette

from bubbles import data_folder
from bubbles.cli.sentences import sentence
from bubbles.errors import Missing
from bubbles.ports import Port
from bubbles.serve import _Server
from tests.accounts_here import IS_ROOT, as_user, folder_of_user
from tests.conftest import libpq
from tests.journey.service import environment, running, working
from tests.ports import free_port

ENDS_MAX_S = 120
BUBBLES = [sys.executable, "-m", "bubbles"]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        yield port


def told(*arguments: str, before: list[str] | None = None, **settings: str) -> str:
    """What a command that cannot start says."""
    return one_line([*(before or []), *BUBBLES, *arguments], environment(settings))


def one_line(command: list[str], environment: dict[str, str]) -> str:
    """The one line that a command ends with, and status 1."""
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=ENDS_MAX_S, cwd="/"
    )
    assert ran.returncode == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "[Errno" not in ran.stderr
    (line,) = filter(None, map(sentence_of, ran.stderr.splitlines()))
    return line


def sentence_of(line: str) -> str | None:
    """What a line says of a command's end: as it stands, or in the log of one that somebody else keeps running."""
    if line.startswith("{"):
        told = json.loads(line)
        return told["detail"] if told["event"] == "ended" else None
    return line if line.startswith("bubbles: ") else None


# The port


def test_a_port_that_is_taken_is_named_with_its_setting(taken: int, tmp_path: Path) -> None:
    line = told("serve", PORT=str(taken), DATA_DIR=str(tmp_path / "data"))
    assert f"port {taken} " in line
    assert "BUBBLES_PORT" in line
    assert not (tmp_path / "data" / "postgresql").exists()


def test_a_port_for_uploads_that_is_taken_is_named_with_its_setting(taken: int, tmp_path: Path) -> None:
    settings = {"UPLOAD_PORT": str(taken), "DATA_DIR": str(tmp_path / "data")}
    for command in ("serve", "receive"):
        line = told(command, PORT=str(free_port()), **settings)
        assert f"port {taken} " in line
        assert "BUBBLES_UPLOAD_PORT" in line


def test_a_port_for_uploads_that_is_about_to_be_free_is_waited_for(tmp_path: Path) -> None:
    """The process that a killed `serve` leaves lets go of it in a moment."""
    port = free_port()
    leaving = socket.create_server(("127.0.0.1", port))
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        leaving.close()

    Port("127.0.0.1", port, "BUBBLES_UPLOAD_PORT").await_free(say)
    assert len(said) == 1
    assert str(port) in said[0]


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid", "::2"])
def test_an_address_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(Missing, match="BUBBLES_HOST") as missing, Port(host, free_port(), "BUBBLES_PORT").held():
        pass
    assert host in missing.value.detail


def test_a_port_of_root_alone_is_told_to_others() -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("anybody may listen on port 80 here")
    with folder_of_user() as home:
        line = told("serve", before=as_user(), PORT="80", DATA_DIR=str(home / "data"), HOST="127.0.0.1")
    assert "port 80" in line
    assert "BUBBLES_PORT" in line


def test_who_comes_second_to_a_port_that_two_hold_is_told() -> None:
    """Two that start at once both hold it, until one listens."""
    port = Port("127.0.0.1", free_port(), "BUBBLES_PORT")
    with port.held() as first, port.held() as second:
        first.listen()
        server = _Server(uvicorn.Config(Starlette()), port, on_started=lambda: None)
        with pytest.raises(Missing, match=f"port {port.number} at 127.0.0.1 is taken"):
            server.run(sockets=[second])


# The data folder


def test_a_file_where_the_data_folder_is_to_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    for folder in (tmp_path / "data", tmp_path / "data" / "within"):
        line = told("serve", PORT=str(free_port()), DATA_DIR=str(folder))
        assert "is not a folder" in line
        assert "BUBBLES_DATA_DIR" in line
    assert (tmp_path / "data").read_text() == "mine"


@pytest.mark.parametrize("command", ["serve", "work", "migrate", "doctor"])
def test_a_data_folder_of_somebody_else_is_named(command: str) -> None:
    with folder_of_user() as home:
        locked = home / "locked"
        locked.mkdir(mode=0o700 if IS_ROOT else 0o500)
        for folder in (locked, locked / "data"):
            settings = {"DATA_DIR": str(folder), "PORT": str(free_port())}
            if command == "doctor":
                assert "BUBBLES_DATA_DIR" in examined(**settings)
            else:
                assert "BUBBLES_DATA_DIR" in told(command, before=as_user(), **settings)


def examined(**settings: str) -> str:
    """The doctor's line of the database."""
    command = [*as_user(), sys.executable, "-m", "bubbles", "doctor"]
    ran = subprocess.run(
        command, env=environment(settings), capture_output=True, text=True, check=False, timeout=ENDS_MAX_S, cwd="/"
    )
    assert ran.returncode == 1, ran.stderr
    return next(line for line in ran.stdout.splitlines() if " database " in line)


@pytest.mark.skipif(not IS_ROOT, reason="a small disk is mounted by root alone")
@pytest.mark.parametrize(
    ("size", "fill"),
    [("1m", ""), ("40m", ""), ("200m", '"$@" migrate && { cat /dev/zero > "$0/data/full" 2>/dev/null || true; } &&')],
    ids=["for a file of PostgreSQL's", "for all of them", "for a line of its log"],
)
def test_a_disk_without_room_is_named(size: str, fill: str, tmp_path: Path) -> None:
    script = f'mount -t tmpfs -o size={size} none "$0" && mkdir "$0/data" && {fill} exec "$@" serve'
    command = ["unshare", "--mount", "sh", "-c", script, str(tmp_path), *BUBBLES]
    line = one_line(command, environment({"DATA_DIR": str(tmp_path / "data"), "PORT": str(free_port())}))
    assert "no room" in line


def test_a_second_serve_on_the_same_folder_is_refused_and_all_else_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, UPLOAD_PORT=str(free_port()), WORKERS="1") as service:
        line = told("serve", PORT=str(free_port()), DATA_DIR=str(tmp_path / "data"))
        assert str(tmp_path / "data") in line
        assert f"process {service.process.pid}" in line
        assert "BUBBLES_DATA_DIR" in line
        assert "18." in service.command("migrate")
        with working(tmp_path):
            pass
        service.process.send_signal(signal.SIGKILL)
        service.process.wait()
        with running(tmp_path, WORKERS="0") as again:
            assert again.client().get("/healthz").status_code == 200


def test_who_served_a_folder_before_is_not_in_the_way(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            data_folder.served_alone(tmp_path),
            pytest.raises(Missing, match=f"process {os.getpid()}"),
            data_folder.served_alone(tmp_path),
        ):
            pass


def test_what_serve_starts_does_not_hold_the_folder(tmp_path: Path) -> None:
    with data_folder.served_alone(tmp_path):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with data_folder.served_alone(tmp_path):
            pass
    finally:
        child.kill()
        child.wait()


def test_nobody_else_is_needed_to_serve_a_folder_that_root_served_once() -> None:
    with folder_of_user() as home:
        with data_folder.served_alone(home):
            pass
        assert (home / "serve.lock").stat().st_uid == home.stat().st_uid


# The database


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter2@h:port/x", "postgresql://u:hunter2@[::1/x", "mysql://u:hunter2@h/x"]
)
def test_an_address_that_names_no_database_is_told_without_its_password(url: str, tmp_path: Path) -> None:
    line = told("migrate", DATABASE_URL=url, DATA_DIR=str(tmp_path))
    assert "BUBBLES_DATABASE_URL" in line
    assert "hunter2" not in line


def test_a_database_that_lets_us_only_read_is_told(postgres: str, tmp_path: Path) -> None:
    url = make_url(postgres)
    with psycopg.connect(libpq(url), autocommit=True) as connection:
        connection.execute("CREATE DATABASE only_read")
        connection.execute("ALTER DATABASE only_read SET default_transaction_read_only = on")
    line = told("migrate", DATABASE_URL=libpq(url.set(database="only_read")), DATA_DIR=str(tmp_path))
    assert "does not give us what we need" in line
    assert "doctor" in line


# The rest


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/there"), "Permission denied: /there; give this account"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; make room"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "unshare"), "unshare; install it"),
        (subprocess.CalledProcessError(127, ["/there/postgres", "--version"]), "/there/postgres does not run here"),
        (subprocess.TimeoutExpired(["initdb"], 300), "initdb does not run here"),
        (psycopg.OperationalError("no route"), "does not answer: no route"),
        (psycopg.errors.DiskFull("base/1"), "no room"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(error: Exception, says: str) -> None:
    told = sentence(error)
    assert told
    assert says in told
    assert "\n" not in told


@pytest.mark.parametrize("error", [KeyError("a"), psycopg.errors.UndefinedColumn("b"), AssertionError()])
def test_a_fault_of_ours_is_left_to_raise(error: Exception) -> None:
    assert sentence(error) is None
