"""The embedded server's folder: who reaches it, as whom it runs, what it understands."""

import os
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from bubbles.db import server_folder
from bubbles.db.embedded import binary, running
from bubbles.db.server_folder import Cluster
from bubbles.errors import Missing


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose server has run once: initdb takes most of a second."""
    folder = tmp_path_factory.mktemp("cluster") / "postgres"
    with running(folder):
        pass
    return folder


def postmaster(folder: Path) -> int | None:
    return Cluster(folder).process()


def value(url: str, query: str) -> object:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload] # the query is the test's own
        assert row is not None
        return row[0]


def test_accented_letters_are_letters(used: Path) -> None:
    with running(used) as url, psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        connection.execute("CREATE EXTENSION IF NOT EXISTS unaccent")
        row = connection.execute(
            "SELECT lower('ÉTÉ ΣΟΦΊΑ'), unaccent('Zürich'), similarity('été', 'ÉTÉ'), to_tsvector('simple', 'l’Élève')"
        ).fetchone()
        connection.rollback()
    assert row == ("été σοφία", "Zurich", 1.0, "'l':1 'élève':2")


def test_it_is_durable_and_listens_on_no_network(used: Path) -> None:
    with running(used) as url:
        settings = {name: value(url, f"SHOW {name}") for name in ("fsync", "listen_addresses", "log_statement")}
    assert settings == {"fsync": "on", "listen_addresses": "", "log_statement": "none"}


def test_only_the_owner_reaches_folder_socket_and_password(used: Path) -> None:
    with running(used):
        modes = {name: stat.S_IMODE((used / name).stat().st_mode) for name in ("", "socket", "cluster", "password")}
    assert modes == {"": 0o700, "socket": 0o700, "cluster": 0o700, "password": 0o600}


def test_a_wrong_password_is_rejected(used: Path) -> None:
    with running(used) as url, pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace("+psycopg", ""), password="guess")


def test_the_application_is_no_superuser(used: Path) -> None:
    with running(used) as url, pytest.raises(psycopg.errors.InsufficientPrivilege):
        value(url, "SELECT pg_read_file('/etc/passwd')")


def test_the_server_holds_no_capability_and_no_account_is_made(tmp_path: Path) -> None:
    accounts = Path("/etc/passwd").read_bytes()
    modes = [(path, path.stat().st_mode) for path in tmp_path.parents]
    with running(tmp_path / "postgres"):
        status = Path(f"/proc/{postmaster(tmp_path / 'postgres')}/status").read_text()
    assert "CapPrm:\t0000000000000000" in status
    assert "CapEff:\t0000000000000000" in status
    assert Path("/etc/passwd").read_bytes() == accounts
    assert [(path, path.stat().st_mode) for path in tmp_path.parents] == modes


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another account")
def test_without_user_namespaces_root_runs_it_as_another_account(monkeypatch: pytest.MonkeyPatch) -> None:
    prefix, _ = server_folder._disguises(Path("/"))[-1]
    if not server_folder._reaches(prefix, Path("/tmp")):  # noqa: S108
        pytest.skip("no other account can reach the installed packages")
    disguises = server_folder._disguises
    monkeypatch.setattr(
        server_folder, "_disguises", lambda folder: [(["unshare", "--no-such"], 0), *disguises(folder)[1:]]
    )
    parent = Path("/tmp") / f"bubbles-test-{os.getpid()}"  # noqa: S108 - pytest's own folders are closed to others
    parent.mkdir()
    try:
        for _ in range(2):
            with running(parent / "postgres"):
                status = Path(f"/proc/{postmaster(parent / 'postgres')}/status").read_text()
            assert "Uid:\t0" not in status
    finally:
        subprocess.run(["rm", "-r", parent], check=True)


def test_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / 'it\'s 100% "odd" $HOME'
    with running(folder) as url:
        sockets = Cluster(folder).sockets
        assert sockets.parent == Path("/tmp")  # noqa: S108
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert value(url, "SELECT 1") == 1
    assert list(sockets.iterdir()) == []
    sockets.rmdir()


def test_a_socket_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    sockets = Cluster(folder).sockets
    sockets.symlink_to(tmp_path)
    try:
        with pytest.raises(Missing, match="belongs to somebody else"), running(folder):
            pass
    finally:
        sockets.unlink()


def test_another_major_version_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "cluster"
    data.mkdir()
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(Missing, match=r"PostgreSQL 17, .* PostgreSQL 18.* backup .* restore"), running(tmp_path):
        pass
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_folder_of_a_newer_release_asks_for_that_release(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("99\n")
    with pytest.raises(Missing, match=r"PostgreSQL 99, .* newer release of Bubbles: install that"), running(tmp_path):
        pass


def test_half_of_a_new_cluster_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "cluster.new").mkdir()
    (tmp_path / "cluster.new" / "PG_VERSION").write_text("18\n")
    said: list[str] = []
    with running(tmp_path, on_progress=said.append) as url:
        assert value(url, "SELECT 1") == 1
    assert said == ["Creating the database", "Starting the database"]
    assert not (tmp_path / "cluster.new").exists()


@pytest.mark.parametrize("name", ["pg_dump", "pg_restore", "psql"])
def test_the_programs_run(used: Path, name: str) -> None:
    assert " 18." in subprocess.check_output([binary(name), "--version"], text=True)


def test_an_unknown_program_is_missing() -> None:
    with pytest.raises(Missing, match="install the package"):
        binary("pg_nothing")


def test_a_dump_of_the_database_needs_no_superuser(used: Path) -> None:
    with running(used) as url:
        dump = subprocess.check_output([binary("pg_dump"), url.replace("+psycopg", "")], text=True)
    assert "PostgreSQL database dump complete" in dump
