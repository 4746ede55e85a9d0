"""From a kill to the step running again elsewhere, and to the web answering, for each kind of kill.

python -m tests.bench.recovery
"""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy.exc import OperationalError

from bubbles import publish
from bubbles.app import House, open_house
from bubbles.config import Settings
from bubbles.db import steps
from bubbles.model.step import Step, StepName
from tests.bench.journey import family, speech_of
from tests.journey.service import Service, running, wait_for

SPEECH_S = 120
PATIENCE_S = 180


@dataclass
class Scene:
    """A service with a worker that writes a long recording down."""

    folder: Path
    stack: ExitStack
    service: Service
    house: House

    def step(self, bubble_id: int) -> Step | None:
        """How far the words are; None while the database is away."""
        try:
            with self.house.database.transaction() as session:
                return steps.of(session, bubble_id, StepName.TRANSCRIBE)
        except OperationalError:
            return None

    def answers(self) -> bool:
        """Whether the web does, from the database."""
        try:
            return httpx.get(f"{self.service.url}/api/bubbles", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


def kill_worker(scene: Scene) -> None:
    """As the kernel does when memory runs out."""
    os.kill(family(scene.service.process.pid)["worker"], signal.SIGKILL)


def kill_speech(scene: Scene) -> None:
    """The process that holds the model."""
    os.kill(family(scene.service.process.pid)["speech"], signal.SIGKILL)


def kill_web(scene: Scene) -> None:
    """The process that was started, whose worker leaves with it; it is started anew at once."""
    scene.service.stop(signal.SIGKILL)
    scene.service = scene.stack.enter_context(running(scene.folder, LOG_LEVEL="error"))


def crash_database(scene: Scene) -> None:
    """The server and all that it was at; whoever needs it next starts it."""
    postmaster = (scene.folder / "data" / "postgresql").rglob("postmaster.pid")
    os.kill(int(next(iter(postmaster)).read_text().split()[0]), signal.SIGKILL)


KILLS: dict[str, Callable[[Scene], None]] = {
    "worker": kill_worker,
    "speech process": kill_speech,
    "web": kill_web,
    "database": crash_database,
}


def recovery(scene: Scene, wav: Path, kill: Callable[[Scene], None]) -> tuple[float, float, float]:
    """Seconds from the kill until the web answers, the step runs again, and the bubble is ready."""
    bubble = publish.publish(scene.house, wav, {"language": "en"})
    wait_for(lambda: (step := scene.step(bubble.id)) and step.started_at, timeout_s=PATIENCE_S)
    time.sleep(2)  # in the middle of it
    before = scene.step(bubble.id)
    assert before
    assert before.finished_at is None
    began_s = time.perf_counter()
    kill(scene)

    def after_s(seen: Callable[[], object]) -> float:
        wait_for(seen, timeout_s=PATIENCE_S)
        return time.perf_counter() - began_s

    answered_s = after_s(scene.answers)
    again_s = after_s(lambda: (step := scene.step(bubble.id)) and step.attempt > before.attempt)
    return answered_s, again_s, after_s(lambda: (step := scene.step(bubble.id)) and step.finished_at)


def main() -> None:
    """Prints the table."""
    print("| killed | web answers | step runs again | ready |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        wav = Path(name) / "speech.wav"
        speech_of(SPEECH_S, wav)
        for kind, kill in KILLS.items():
            with ExitStack() as stack:
                folder = Path(name) / kind.replace(" ", "-")
                service = stack.enter_context(running(folder, LOG_LEVEL="error"))
                house = stack.enter_context(open_house(Settings(data_dir=folder / "data")))
                took = recovery(Scene(folder, stack, service, house), wav, kill)
                print(f"| {kind} | " + " | ".join(f"{seconds:.1f} s" for seconds in took) + " |", flush=True)


if __name__ == "__main__":
    main()
