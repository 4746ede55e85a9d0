"""A whole service as a person starts it: the command, its workers, its database, on a free port of this machine."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx

from tests.ports import free_port

READY_MAX_S = 120
WORK = ("-m", "bubbles", "work")
POLL_S = 0.1


@dataclass
class Service:
    """A running `bubbles serve`: its process, what it said, and how to run other commands beside it."""

    process: subprocess.Popen[str]
    environment: dict[str, str]
    url: str
    said: list[str] = field(default_factory=list)

    def command(self, *arguments: str, check: bool = True, timeout_s: float = 300) -> str:
        """What `bubbles ...` prints."""
        ran = subprocess.run(
            [sys.executable, "-m", "bubbles", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert ran.returncode == 0 or not check, ran.stderr
        return ran.stdout.strip()

    def client(self, token: str = "") -> httpx.Client:
        """A client of the API; with a token, its holder."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def line(self, pattern: str) -> re.Match[str]:
        """The first line said that matches, waited for."""
        return wait_for(lambda: next(filter(None, (re.search(pattern, line) for line in self.said)), None))

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ends the service as Ctrl-C does; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(READY_MAX_S)


@contextmanager
def running(folder: Path, *, log: IO[str] | None = None, **settings: str) -> Iterator[Service]:
    """A service that keeps its data in `folder`; `settings` are names without `BUBBLES_`. `log` takes what it logs."""
    port = free_port()
    serve, settings = ("-m", "bubbles", "serve"), {"PORT": str(port)} | settings
    with _started(serve, folder, settings, f"http://127.0.0.1:{port}", log=log) as service:
        service.line(r"Bubbles is at")
        yield service


@contextmanager
def working(
    folder: Path, *options: str, command: Sequence[str] = WORK, starts: bool = True, **settings: str
) -> Iterator[Service]:
    """A worker alone, as on a machine of its own that keeps its data in `folder`; `starts`: it can."""
    with _started((*command, *options), folder, settings) as worker:
        if starts:
            worker.line("worker_started")
        yield worker


@contextmanager
def _started(
    command: tuple[str, ...], folder: Path, settings: dict[str, str], url: str = "", *, log: IO[str] | None = None
) -> Iterator[Service]:
    given = environment({"DATA_DIR": str(folder / "data")} | settings)
    process = subprocess.Popen(
        [sys.executable, *command],
        env=given,
        stdout=subprocess.PIPE,
        stderr=log if url else subprocess.STDOUT,  # a worker speaks by its log alone
        text=True,
    )
    service = Service(process, given, url)
    threading.Thread(target=_listen, args=(service,), daemon=True).start()
    try:
        yield service
    finally:
        if process.poll() is None:
            service.stop()


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """That of this process, with these settings, named without `BUBBLES_`, and no other."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("BUBBLES_")}  # noqa: TID251
    return others | {f"BUBBLES_{name}": value for name, value in settings.items()}


def _listen(service: Service) -> None:
    assert service.process.stdout
    for line in service.process.stdout:
        service.said.append(line.rstrip())


def wait_for(look, *, timeout_s: float = READY_MAX_S):
    """What `look` gives once it is true; fails after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(POLL_S)
    raise AssertionError(f"waited {timeout_s} s in vain")
