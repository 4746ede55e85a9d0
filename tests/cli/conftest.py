"""The command line, run in this process as the shell would."""

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import structlog

from bubbles import cli, logs
from bubbles.app import House, open_house
from bubbles.config import Settings

BASE = "https://bubbles.example"


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A fresh data folder whose server stays up for the whole file, and no speech model."""
    folder = tmp_path_factory.mktemp("data")
    named = {"BUBBLES_DATA_DIR": str(folder), "BUBBLES_BASE_URL": BASE, "BUBBLES_WHISPER_MODEL": str(folder / "none")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in named.items():
            patch.setenv(name, value)
        patch.setattr(logs, "configure", lambda level: None)  # it would keep the standard error of one test
        structlog.configure(logger_factory=structlog.testing.CapturingLoggerFactory())
        with open_house(Settings()) as opened:
            yield opened
        structlog.reset_defaults()


@pytest.fixture
def run(house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command in this process, as the shell would."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["bubbles", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return Ran(int(left.value.code or 0), *capsys.readouterr())

    before = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, before)
