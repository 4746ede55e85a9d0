"""Serve: the web in this process, workers and uploads beside it, and what was started stopped at the end."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from threading import Event, Thread

import psycopg
import structlog
import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from bubbles import accounts, chores, data_folder, sign_in
from bubbles.absences import ABSENCES
from bubbles.app import NO_PROXY, House, open_house
from bubbles.config import COMMAND, PYTHON, Settings
from bubbles.db import accounts as account_rows
from bubbles.db import indexes, towns
from bubbles.errors import Missing
from bubbles.http.asgi import create_app
from bubbles.http.bounds import Bounds
from bubbles.http.connection import Connection
from bubbles.ports import Port
from bubbles.speech import models

STOP_S = 20
UPLOADS_NICENESS = 8
"""Of the process for uploads: behind who listens, before its decoders and the workers."""

RESTART_AFTER_S = 1.0
KEEP_ALIVE_S = 20
"""How long an idle connection is kept: longer than clients do (httpx 5 s, aiohttp 15 s), and the shipped proxy, so that
no request meets a connection that is being closed."""

Say = Callable[[str], None]
log = structlog.get_logger()


def serve(settings: Settings, say: Say) -> None:
    """Serves until SIGINT or SIGTERM. Raises `Missing` for a data folder or a port that cannot be had."""
    port = Port(settings.host, settings.port, "BUBBLES_PORT")
    data_folder.prepare(settings.data_dir)
    with data_folder.served_alone(settings.data_dir), port.held() as listener:
        if settings.upload_port:  # who is to listen there is started beside, and again when it ends: it tells nobody
            _upload_port(settings).await_free(say)
        with (
            open_house(settings, on_progress=say) as house,
            beside(settings),
            loading(house, say),
            chores.tidying(house),
        ):
            _serve_at(port, listener, house, on_started=lambda: announce(house, say))
        say("Stopped.")


def receive(settings: Settings) -> None:
    """Serves the same at the port for uploads, giving way to `serve`. Raises `Missing` as that does."""
    os.nice(UPLOADS_NICENESS)
    at_port = settings.model_copy(update={"port": settings.upload_port, "base_url": settings.public_url})
    data_folder.prepare(settings.data_dir)
    port = _upload_port(settings)
    with port.held() as listener, open_house(at_port, patient=True) as house:
        _serve_at(port, listener, house)


def _upload_port(settings: Settings) -> Port:
    return Port(settings.host, settings.upload_port, "BUBBLES_UPLOAD_PORT")


def _serve_at(
    port: Port, listener: socket.socket, house: House, *, on_started: Callable[[], None] = lambda: None
) -> None:
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again once it has stopped
        _Server(configuration(house), port, on_started=on_started).run(sockets=[listener])


def configuration(house: House) -> uvicorn.Config:
    """How a house is served."""
    return uvicorn.Config(
        create_app(house),
        http=partial(Connection, bounds=Bounds(house.settings)),  # type: ignore[arg-type]  # it makes one, as a class does
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=KEEP_ALIVE_S,
    )


@contextmanager
def loading(house: House, say: Say) -> Iterator[None]:
    """Takes the list of places in beside, which takes seconds the first time; until then places have no names.

    Then looks for the speech model, which is verified the first time, and says how it is fetched. Indexes of large
    tables that are not there yet are made, too: without them searches are slower.
    """
    Thread(target=_index, args=(house,), name="indexes", daemon=True).start()  # it may wait for a backup
    loader = Thread(target=_load, args=(house, say), name="places")
    loader.start()
    try:
        yield
    finally:
        loader.join()


def _load(house: House, say: Say) -> None:
    _load_places(house)
    try:
        if house.settings.workers:
            models.locate(house.settings.whisper_model, house.settings.models_dir)
    except Missing as missing:
        say(f"{missing.detail} Until then recordings wait for their words.")


def _load_places(house: House) -> None:
    try:
        if towns.load(house.database, house.settings.places_file):
            log.info("places_loaded")
    except Missing as missing:
        ABSENCES.missed(missing.part, missing.detail)
    except SQLAlchemyError as error:
        log.error("places_not_loaded", error=type(error.__cause__ or error).__name__)


def _index(house: House) -> None:
    try:
        indexes.make(house.database)
    except psycopg.Error as error:  # the next start makes them
        log.warning("index_not_made", error=type(error).__name__)


class _Server(uvicorn.Server):
    """Tells when it listens, or why it cannot: two sockets may hold a port, and only one listen."""

    def __init__(self, config: uvicorn.Config, port: Port, *, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._port = port
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        with self._port.told():  # by itself: uvloop keeps to itself that a socket cannot listen
            for held in sockets or ():
                held.listen(self.config.backlog)
        await super().startup(sockets=sockets)
        self._on_started()


def announce(house: House, say: Say) -> None:
    """Says where the service is, and how its first owner gets in, until they did; who comes later is no such owner."""
    say(f"Bubbles is at {house.settings.public_url}")
    if house.settings.public_url.startswith("https:") and not house.settings.trusted_proxies:
        log.warning("no_trusted_proxies", detail=NO_PROXY)
    valid_for = timedelta(hours=house.settings.sign_in_link_hours)
    with house.database.transaction() as session:
        account = accounts.first(session, now=house.now())
        if account is None:
            say(f"Make an account: {COMMAND} account create HANDLE, then account link HANDLE")
            return
        if account_rows.has_signed_in(session, account.id):
            say(f"Sign in again: {COMMAND} account link {account.handle}")
            return
        secret = sign_in.new_link(session, account, now=house.now(), valid_for=valid_for)
    say(f"Sign in as @{account.handle}, once: {house.settings.public_url}/sign-in/{secret}")


@contextmanager
def beside(settings: Settings) -> Iterator[None]:
    """Keeps workers and the process for uploads running; they leave at the end, each given `STOP_S`, then killed."""
    leaving = Event()
    commands = ["work"] * settings.workers + ["receive"] * bool(settings.upload_port)
    keepers = [
        Thread(target=_keep, args=(command, leaving), name=f"{command}-{number}")
        for number, command in enumerate(commands)
    ]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        leaving.set()
        for keeper in keepers:
            keeper.join()


def _keep(command: str, leaving: Event) -> None:
    """Starts a process, again when it dies. This thread outlives it, since the parent-death signal is the thread's."""
    program = [*PYTHON, "-m", "bubbles", command, "--parent", str(os.getpid())]
    while not leaving.is_set():
        try:
            process = subprocess.Popen(program, stdin=subprocess.DEVNULL)
        except OSError as error:
            log.error("process_not_started", command=command, error=str(error))
            leaving.wait(RESTART_AFTER_S)
            continue
        while process.poll() is None and not leaving.wait(0.2):
            pass
        if leaving.is_set():
            _stop(process)
        else:
            log.error("process_died", command=command, exit_status=process.returncode)
            leaving.wait(RESTART_AFTER_S)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
