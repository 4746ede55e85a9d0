"""The embedded server, on real folders with real processes."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import pq
from sqlalchemy import create_engine, text

import bubbles
from bubbles.db import embedded
from bubbles.db.embedded import LOG_MAX_BYTES, running
from bubbles.db.server_folder import Cluster
from bubbles.errors import Missing
from tests.journey.service import wait_for

WAIT_S = 60
ANSWER_MAX_S = 20
USER = """
import sys
from pathlib import Path
from bubbles.db.embedded import running
with running(Path(sys.argv[1])):
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose server has run once: initdb takes most of a second."""
    folder = tmp_path_factory.mktemp("embedded") / "postgres"
    with running(folder):
        pass
    return folder


@pytest.fixture
def other_user(used: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the server, until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", USER, used],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(bubbles.__file__).parent.parent,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(WAIT_S) == 0


def postmaster(folder: Path) -> int | None:
    return Cluster(folder).process()


def wait_until_dead(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([handle], [], [], WAIT_S)[0]
    os.close(handle)


def value(url: str, query: str) -> object:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload] # the query is the test's own
        assert row is not None
        return row[0]


def test_sqlalchemy_takes_the_url(used: Path) -> None:
    with running(used) as url:
        engine = create_engine(url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT current_database() || current_user")).scalar() == "bubblesbubbles"
        engine.dispose()


def test_two_users_share_one_server_and_the_last_stops_it(used: Path, other_user: subprocess.Popen[str]) -> None:
    first = postmaster(used)
    assert first is not None
    with running(used):
        assert postmaster(used) == first
        leave(other_user)
        assert postmaster(used) == first
    assert postmaster(used) is None
    wait_until_dead(first)


def test_the_starter_may_leave_before_the_others(used: Path, other_user: subprocess.Popen[str]) -> None:
    with running(used):
        server = postmaster(used)
    assert postmaster(used) == server
    leave(other_user)
    assert postmaster(used) is None


def test_the_server_has_a_session_of_its_own(used: Path) -> None:
    with running(used):
        server = postmaster(used)
        assert server is not None
        assert os.getsid(server) == server


def test_a_killed_starter_leaves_the_server_to_the_next_user(used: Path, other_user: subprocess.Popen[str]) -> None:
    server = postmaster(used)
    assert server is not None
    other_user.kill()
    other_user.wait(WAIT_S)
    assert postmaster(used) == server
    with running(used) as url:
        assert postmaster(used) == server
        assert value(url, "SELECT 1") == 1
    assert postmaster(used) is None
    wait_until_dead(server)


def test_a_killed_server_recovers_what_was_committed(used: Path) -> None:
    with running(used) as url:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS kept")
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            server = postmaster(used)
            assert server is not None
            os.kill(server, signal.SIGKILL)
        with running(used) as again:
            assert postmaster(used) != server
            assert value(again, "SELECT answer FROM kept") == 42


def test_a_server_that_dies_while_it_is_used_comes_back_by_itself(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "WATCH_EVERY_S", 0.05)
    with running(used) as url:
        server = postmaster(used)
        assert server is not None
        os.kill(server, signal.SIGKILL)
        wait_until_dead(server)
        wait_for(lambda: Cluster(used).ping() == pq.Ping.OK)
        assert value(url, "SELECT 42") == 42
        assert postmaster(used) not in {None, server}
    assert postmaster(used) is None


ECHO = """
import sys
from pathlib import Path
from bubbles.db import embedded
embedded.WATCH_EVERY_S = 0.01
with embedded.running(Path(sys.argv[1])):
    for line in sys.stdin:
        print(line, end="", flush=True)
"""


def test_who_uses_a_server_that_stands_still_goes_on(used: Path) -> None:
    """libpq waits for an answer in such a way that all threads do."""
    command, place = [sys.executable, "-c", ECHO, used], Path(bubbles.__file__).parent.parent
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=place) as user:
        echoes(user, within_s=WAIT_S)  # it begins with starting the server
        server = postmaster(used)
        assert server is not None
        os.kill(server, signal.SIGSTOP)
        try:
            for _ in range(20):
                time.sleep(0.02)  # for a look of the watcher's, or two
                echoes(user)
        finally:
            os.kill(server, signal.SIGCONT)
            user.kill()
    with running(used):  # and stopped
        pass


def echoes(process: subprocess.Popen[bytes], *, within_s: float = ANSWER_MAX_S) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"are you there?\n")
    process.stdin.flush()
    assert select.select([process.stdout], [], [], within_s)[0]
    assert process.stdout.readline() == b"are you there?\n"


def test_processes_that_outlive_the_postmaster_are_waited_for(used: Path) -> None:
    """A backend in a long computation does not notice that its postmaster is dead."""
    code = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT count(*) FROM n"
    with running(used) as url, psycopg.connect(url.replace("+psycopg", "")) as connection:
        backend = Path(f"/proc/{connection.info.backend_pid}/cmdline")
        connection.pgconn.send_query(code.encode())
        server = postmaster(used)
        assert server is not None
        os.kill(server, signal.SIGKILL)
        with running(used) as again:
            with suppress(FileNotFoundError, ProcessLookupError):  # gone, or only not yet reaped
                assert backend.read_bytes() == b""
            assert value(again, "SELECT 1") == 1
        connection.close()


@pytest.mark.parametrize("content", ["{pid}\n{cluster}\n1\n5432\n", ""], ids=["another process", "empty"])
def test_a_stale_pid_file_is_removed(used: Path, content: str) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:  # postgres itself takes its parent's id for stale
        stale = content.format(pid=other.pid, cluster=used / "cluster")
        (used / "cluster" / "postmaster.pid").write_text(stale)
        (used / "socket" / ".s.PGSQL.5432.lock").write_text(stale)
        with running(used) as url:
            assert value(url, "SELECT 1") == 1
        assert other.poll() is None


def test_a_server_that_cannot_start_says_why(used: Path) -> None:
    control = used / "cluster" / "global" / "pg_control"
    kept = control.read_bytes()
    control.write_bytes(b"")
    try:
        with pytest.raises(Missing, match=r"does not start: .*pg_control"), running(used):
            pass
    finally:
        control.write_bytes(kept)


def test_a_lost_password_is_named(used: Path) -> None:
    kept = (used / "password").read_text()
    try:
        (used / "password").write_text("other")
        with pytest.raises(Missing, match="refuses the password in"), running(used):
            pass
        (used / "password").unlink()
        with pytest.raises(Missing, match="put it back from the backup"), running(used):
            pass
    finally:
        (used / "password").write_text(kept)
    assert postmaster(used) is None


def test_the_log_is_bounded_and_holds_no_statement(used: Path) -> None:
    log = used / "server.log"
    with running(used) as url:
        with pytest.raises(psycopg.errors.DivisionByZero):
            value(url, "SELECT 1 / 0 AS spoken_words")
        assert "spoken_words" not in log.read_text()
        with log.open("ab") as stream:
            stream.truncate(LOG_MAX_BYTES + 1)
        with running(used):
            assert log.stat().st_size == 0
    assert 0 < log.stat().st_size < 4096
