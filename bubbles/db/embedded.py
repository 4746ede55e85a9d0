"""The embedded PostgreSQL server: the first command that needs it starts it, the last to leave stops it.

The server has a session of its own, so that Ctrl-C reaches it last, and outlives a starter that is killed; the next
user adopts it. One that dies while it is used is started again. Three locks of the kernel's tell who is there:
`server_folder.py` lists them.
"""

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import structlog
from psycopg import pq, sql

from bubbles.db.server_folder import ENVIRONMENT, Cluster, binary, unprivileged
from bubbles.errors import Missing

__all__ = ["binary", "running"]

LOG_MAX_BYTES = 4 * 1024 * 1024
START_MAX_S = 600.0  # crash recovery of a busy server takes minutes
STOP_MAX_S = 120.0
STOP_AT_ONCE_MAX_S = 10.0
SAY_EVERY_S = 5.0
POLL_S = 0.05
WATCH_EVERY_S = 2.0
SETTINGS = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "fsync=on",
    "shared_buffers=128MB",
    "max_connections=100",
    "min_wal_size=48MB",
    "max_wal_size=512MB",
    "timezone=UTC",
    "log_timezone=UTC",
    # A statement holds what people said and wrote: none is logged, nor the values in an error's detail.
    "log_min_messages=log",
    "log_min_error_statement=panic",
    "log_statement=none",
    "log_checkpoints=off",
)

OLDER = (
    "Run bubbles backup with the release of Bubbles that wrote it, move the data folder away, "
    "then run bubbles restore with this release."
)
NEWER = "It is of a newer release of Bubbles: install that one, or set BUBBLES_DATA_DIR to another folder."

Say = Callable[[str], None]
log = structlog.get_logger()


@contextmanager
def running(folder: Path, *, on_progress: Say = lambda _: None) -> Iterator[str]:
    """Keep the server of `folder` up for the block; give SQLAlchemy's URL of its database `bubbles`.

    Folder and database are made when absent. `on_progress` is told, in a few words, what takes time. A process
    that forks without exec shares its parent's hold on the server.

    Raises Missing("database", what to do): another major version wrote the folder, or the server does not start.
    """
    cluster = Cluster(folder.resolve())
    cluster.make_private()
    users = _open_lock(cluster, "users")
    try:
        with _alone(cluster, on_progress):
            fcntl.flock(users, fcntl.LOCK_SH)
            _refuse_another_major(cluster)
            _bring_up(cluster, on_progress)
            _make_database(cluster)
        with _watched(cluster, on_progress):
            yield cluster.url("bubbles", driver="+psycopg")
    finally:
        with _alone(cluster, on_progress):
            if _is_free(users):
                _stop(cluster)
            os.close(users)


# Locks


def _open_lock(cluster: Cluster, name: str) -> int:
    return os.open(cluster.folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)


def _is_free(lock: int) -> bool:
    """Take the lock alone if nobody else holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _alone(cluster: Cluster, say: Say) -> Iterator[None]:
    """Hold the lock under which the server is started and stopped."""
    lock = _open_lock(cluster, "start")
    try:
        if not _is_free(lock):
            say("Waiting for another command that starts or stops the database")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


# Start


def _refuse_another_major(cluster: Cluster) -> None:
    try:
        theirs = (cluster.data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return
    version = subprocess.check_output([binary("postgres"), "--version"], env=ENVIRONMENT, text=True)
    ours = version.split()[2].split(".")[0]
    if theirs != ours:
        told = f"The database in {cluster.folder} was written by PostgreSQL {theirs}, and this is PostgreSQL {ours}. "
        raise Missing("database", told + (NEWER if theirs.isdigit() and int(theirs) > int(ours) else OLDER))


def _bring_up(cluster: Cluster, say: Say) -> None:
    """Return when the server takes connections: one that runs already, or a new one."""
    begun_s = said_s = time.monotonic()
    _bound_log(cluster.log)
    while (state := cluster.ping()) != pq.Ping.OK:
        now_s = time.monotonic()
        if now_s - begun_s > START_MAX_S:
            raise Missing("database", f"The database is not up after {START_MAX_S:.0f} s; see {cluster.log}.")
        if now_s - said_s > SAY_EVERY_S:
            say("Waiting for the database, which may be recovering from a crash")
            said_s = now_s
        if state == pq.Ping.NO_RESPONSE and cluster.process() is None:
            _start(cluster, say)
        time.sleep(POLL_S)


def _bound_log(said: Path) -> None:
    """Empty an overgrown log. The server appends to it, so that this is safe while it runs."""
    with suppress(FileNotFoundError):
        if said.stat().st_size > LOG_MAX_BYTES:
            os.truncate(said, 0)


def _start(cluster: Cluster, say: Say) -> None:
    """Start the server, unless some process of the one before is still about: then the caller tries again."""
    lock = _open_lock(cluster, "server")
    try:
        if _is_free(lock):
            prefix = unprivileged(cluster)
            if not cluster.data.exists():
                say("Creating the database")
                cluster.create(prefix)
            cluster.clear_remains()
            say("Starting the database")
            _launch(cluster, prefix, lock)
    finally:
        os.close(lock)


def _launch(cluster: Cluster, prefix: list[str], lock: int) -> None:
    """Return when the server listens; raise Missing if it ends before that. All its processes inherit the lock."""
    cluster.log.unlink(missing_ok=True)
    options = [f"--{setting}" for setting in (*SETTINGS, f"unix_socket_directories={cluster.sockets}")]
    with os.fdopen(os.open(cluster.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)) as said:
        process = subprocess.Popen(
            [*prefix, binary("postgres"), "-D", cluster.data, *options],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=ENVIRONMENT,
            cwd="/",
            pass_fds=[lock],
            start_new_session=True,
        )
    # It may end long after us, or while we live: then somebody must reap it.
    threading.Thread(target=process.wait, daemon=True).start()
    try:
        while cluster.ping() == pq.Ping.NO_RESPONSE:
            if process.returncode is not None:
                raise cluster.fault("does not start", cluster.log.read_text(errors="replace"))
            time.sleep(POLL_S)
    except BaseException:  # a signal, while there is no pid file yet by which to stop it
        process.send_signal(signal.SIGINT)
        raise


def _make_database(cluster: Cluster) -> None:
    """Make the database `bubbles` and its owner, who may make other databases but is no superuser.

    The server runs as the kernel's root in a user namespace: a superuser could reach root's files.
    """
    with suppress(psycopg.OperationalError):
        psycopg.connect(cluster.url("bubbles")).close()
        return
    with _superuser(cluster) as connection:
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = 'bubbles'").fetchone():
            secret = sql.Literal(cluster.secret())
            connection.execute(sql.SQL("CREATE ROLE bubbles LOGIN CREATEDB PASSWORD {}").format(secret))
        if not connection.execute("SELECT FROM pg_database WHERE datname = 'bubbles'").fetchone():
            connection.execute("CREATE DATABASE bubbles OWNER bubbles")


def _superuser(cluster: Cluster) -> psycopg.Connection:
    try:
        return psycopg.connect(cluster.url("postgres"), autocommit=True)
    except psycopg.OperationalError as error:
        raise Missing(
            "database", f"The database refuses the password in {cluster.password}: put back the right one. {error}"
        ) from error


# Watch


@contextmanager
def _watched(cluster: Cluster, say: Say) -> Iterator[None]:
    """Has the server started again should it die meanwhile. All of its users do: the lock lets one of them."""
    left = threading.Event()

    def watch() -> None:
        while not left.wait(WATCH_EVERY_S):
            # Asked only when it cannot be seen: libpq may wait for an answer, and all threads with it.
            if cluster.process() is None and cluster.ping() == pq.Ping.NO_RESPONSE:
                _bring_back(cluster, say)

    watcher = threading.Thread(target=watch, name="embedded database", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        left.set()
        watcher.join()


def _bring_back(cluster: Cluster, say: Say) -> None:
    log.error("database_died")
    try:
        with _alone(cluster, say):
            _bring_up(cluster, say)
    except (Missing, OSError) as error:  # it is tried again
        log.error("database_not_started", exc_info=error)


# Stop


def _stop(cluster: Cluster) -> None:
    """Ask for a fast shutdown, then for an immediate one, which recovers at the next start."""
    for number, patience_s in ((signal.SIGINT, STOP_MAX_S), (signal.SIGQUIT, STOP_AT_ONCE_MAX_S)):
        deadline_s = time.monotonic() + patience_s
        if (pid := cluster.process()) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        while cluster.process() is not None and time.monotonic() < deadline_s:
            time.sleep(POLL_S)
