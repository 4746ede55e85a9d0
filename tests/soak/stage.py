"""Where a soak is played: a database, a bucket, what stands before them, and machines that are started again."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import httpx
import psycopg
import structlog

from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db import embedded
from bubbles.db.engine import Database
from bubbles.db.server_folder import Cluster
from bubbles.speech.transcriber import FakeTranscriber
from tests.blobs.seaweed import SeaweedS3, seaweed
from tests.faults.lives import Clock, Ground, Life
from tests.faults.proxy import FaultProxy
from tests.journey.service import environment, wait_for
from tests.ports import free_port

RESTART_AFTER_S = 1.0
LOOK_EVERY_S = 0.1
LEAVE_MAX_S = 40.0
WELL_MAX_S = 10.0


@dataclass(frozen=True)
class Death:
    """A process that ended, and nobody had said that the soak is over."""

    machine: str
    at_s: float
    status: int


@dataclass
class Machine:
    """A process of the service with a data folder of its own, started again whenever it ends, as systemd would."""

    name: str
    folder: Path
    settings: dict[str, str]
    url: str = ""
    deaths: list[Death] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What all its lives wrote."""
        return self.folder / "log"

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    def start(self) -> subprocess.Popen[bytes]:
        """A new life."""
        command = [sys.executable, "-m", "tests.soak.unlucky", str(self.folder), "serve" if self.url else "work"]
        given = environment(self.settings)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=given, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.process

    def keep(self, leaving: Event) -> None:
        """Has it live again and again."""
        while not leaving.is_set():
            process = self.start()
            while process.poll() is None and not leaving.wait(LOOK_EVERY_S):
                pass
            if not leaving.is_set():
                self.deaths.append(Death(self.name, time.time(), process.returncode))
                leaving.wait(RESTART_AFTER_S)

    def send(self, number: signal.Signals) -> None:
        """Sends its present life a signal."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def ended(self) -> int:
        """The exit status of its last life, which was asked to leave; negative if it had to be killed."""
        assert self.process
        try:
            return self.process.wait(LEAVE_MAX_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def is_well(self) -> bool:
        """Whether it lives, and answers with all its parts if it is a web."""
        if self.process is None or self.process.poll() is not None:
            return False
        try:
            return not self.url or _is_well(httpx.get(f"{self.url}/readyz", timeout=WELL_MAX_S).json())
        except (httpx.HTTPError, ValueError):
            return False


def _is_well(told: dict[str, dict[str, str]]) -> bool:
    return all(told["parts"][name] == "ok" for name in ("database", "store"))


@dataclass
class Stage:
    """Everything that a soak plays with."""

    folder: Path
    url: str
    s3: SeaweedS3
    store: FaultProxy
    database: FaultProxy
    machines: list[Machine]
    life: Life

    @property
    def webs(self) -> list[Machine]:
        """The machines that people ask."""
        return [machine for machine in self.machines if machine.url]

    @property
    def workers(self) -> list[Machine]:
        """The machines that work."""
        return [machine for machine in self.machines if not machine.url]

    @property
    def cluster(self) -> Cluster:
        """The database's folder."""
        return Cluster(self.folder.resolve() / "postgresql")

    def wait_for_another_server(self, ended: int | None) -> None:
        """Until the database, which whoever uses it starts again, is another process than this one, and answers."""
        wait_for(lambda: self.cluster.process() not in {ended, None} and self.asked("SELECT 1"))

    def asked(self, query: str) -> int | None:
        """The number that the database answers with, not by way of what stands before it; None while it is away."""
        with suppress(psycopg.Error), psycopg.connect(self.life.house.database.libpq_url, connect_timeout=2) as direct:
            row = direct.execute(query).fetchone()  # type: ignore[arg-type] # our own
            return int(row[0]) if row else None
        return None

    def is_well(self) -> bool:
        """Whether every machine is."""
        return all(machine.is_well() for machine in self.machines)


@contextmanager
def staged(folder: Path, *, webs: int, workers: int) -> Iterator[Stage]:
    """All of it up, and no machine started."""
    with ExitStack() as stack:
        url = stack.enter_context(embedded.running(folder / "postgresql"))
        s3 = stack.enter_context(seaweed(folder / "seaweed"))
        store = stack.enter_context(FaultProxy.before(s3.endpoint))
        database = stack.enter_context(FaultProxy.before(url))
        life = stack.enter_context(_watching(folder, url, s3))
        settings = {
            "DATABASE_URL": database.through(url),
            "BLOB_URL": s3.url("soak").replace(s3.endpoint, f"http://127.0.0.1:{store.port}"),
            "S3_ACCESS_KEY_ID": s3.access_key,
            "S3_SECRET_ACCESS_KEY": s3.secret_key,
            "WORKERS": "0",
        }
        names = [*(f"web-{n + 1}" for n in range(webs)), *(f"worker-{n + 1}" for n in range(workers))]
        machines = [_machine(folder / name, settings) for name in names]
        yield Stage(folder, url, s3, store, database, machines, life)


def _machine(folder: Path, settings: dict[str, str]) -> Machine:
    folder.mkdir()
    own = settings | {"DATA_DIR": str(folder / "data")}
    if not folder.name.startswith("web"):
        return Machine(folder.name, folder, own)
    port = free_port()
    return Machine(folder.name, folder, own | {"PORT": str(port)}, url=f"http://127.0.0.1:{port}")


@contextmanager
def _watching(folder: Path, url: str, s3: SeaweedS3) -> Iterator[Life]:
    """Somebody who looks past all that stands before database and bucket, and remembers what people were told."""
    ground = Ground(folder / "watching", url, s3.url("soak"), None)  # type: ignore[arg-type] # sends no sound
    ground.folder.mkdir()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory((ground.folder / "log").open("a")))
    settings = Settings(data_dir=ground.folder / "data", database_url=url, blob_url=ground.blob_url)
    settings.data_dir.mkdir()
    database, clock = Database(url), Clock()
    database.migrate()
    store = open_store(ground.blob_url, access_key_id=s3.access_key, secret_access_key=s3.secret_key)
    house = House(settings, database, store, FakeTranscriber(), now=clock)
    with ExitStack() as stack:
        yield Life(ground, house, clock, stack)
    database.close()


@contextmanager
def playing(stage: Stage) -> Iterator[None]:
    """Every machine is up during the block, and is kept so."""
    leaving = Event()
    keepers = [Thread(target=machine.keep, args=(leaving,)) for machine in stage.machines]
    for keeper in keepers:
        keeper.start()
    try:
        wait_for(stage.is_well)
        yield
    finally:
        leaving.set()
        for keeper in keepers:
            keeper.join()
        _leave(stage)


def _leave(stage: Stage) -> None:
    """Has every machine leave as on SIGTERM, and notes who could not."""
    for machine in stage.machines:
        machine.send(signal.SIGCONT)
        machine.send(signal.SIGTERM)
    for machine in stage.machines:
        if (status := machine.ended()) != 0:
            machine.deaths.append(Death(machine.name, time.time(), status))
