"""A transcriber in a process of its own: what Whisper does to memory, time or itself stays there.

One thread owns the process. The kernel's parent-death signal counts from the thread that started it, so that thread
must live as long as the process; and one thread means one transcription at a time. Nothing here imports Whisper.
"""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from bubbles.absences import ABSENCES
from bubbles.errors import Missing
from bubbles.model.cue import Cue
from bubbles.speech import frames, models
from bubbles.speech.signs import Signs, died, no_memory
from bubbles.speech.transcriber import ON_CPU, Engine, Heard, Samples

_PACKAGE_PARENT = Path(__file__).resolve().parents[2]
_CHILD = (sys.executable, "-m", "bubbles.speech.child")
_MIB = 1024 * 1024
LOOK_EVERY_S = 0.1


@dataclass
class _Job:
    samples: Samples
    language: str | None
    heard: "Future[Heard]" = field(default_factory=Future)


_Jobs = queue.SimpleQueue[_Job | None]


class SpeechProcess:
    """Whisper behind a pipe: started by the first transcription, kept warm, ended when idle, started again when dead.

    `name` and `models_dir` are those of `models.locate`. `memory_mib` is what the process may take, `deadline_s` what
    one transcription may take, the model's loading included. `engine` is what the model runs on. After `idle_s` without
    work the process ends and gives its memory back. `command` is what to run, for tests. Any thread may call.
    """

    def __init__(
        self,
        name: str,
        models_dir: Path,
        *,
        memory_mib: int,
        deadline_s: float,
        idle_s: float = 300.0,
        threads: int = 1,
        engine: Engine = ON_CPU,
        command: Sequence[str] = _CHILD,
    ) -> None:
        self._name = name
        self._models_dir = models_dir
        self._memory_mib = memory_mib
        self._deadline_s = deadline_s
        self._idle_s = idle_s
        self._threads = threads
        self._engine = engine
        self._command = command
        self._child: _Child | None = None
        self._jobs: _Jobs | None = None
        self._owner: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The process, None when none runs."""
        child = self._child
        return child.pid if child and child.runs else None

    def transcribe(self, samples: Samples, *, language: str | None) -> Heard:
        """See Transcriber. Raises RuntimeError when Whisper itself fails."""
        job = _Job(samples, language)
        with self._lock:
            if self._jobs is None:
                self._jobs = queue.SimpleQueue()
                self._owner = threading.Thread(target=self._work, args=[self._jobs], name="speech", daemon=True)
                self._owner.start()
            self._jobs.put(job)
        return job.heard.result()

    def close(self) -> None:
        """End the process at once; transcriptions under way or waiting raise `Missing("model")`."""
        with self._lock:
            jobs, self._jobs = self._jobs, None
            if jobs and self._owner:
                jobs.put(None)
                while self._owner.is_alive():  # it may be about to start one
                    if child := self._child:
                        child.kill()
                    self._owner.join(timeout=0.1)

    # What follows runs on the owning thread only.

    def _work(self, jobs: _Jobs) -> None:
        while job := self._next(jobs):
            try:
                job.heard.set_result(self._transcribe(job, jobs))
            except BaseException as error:
                job.heard.set_exception(error)
        self._end()

    def _next(self, jobs: _Jobs) -> _Job | None:
        try:
            return jobs.get(timeout=self._idle_s if self._child else None)
        except queue.Empty:
            self._end()
            return jobs.get()

    def _transcribe(self, job: _Job, jobs: _Jobs) -> Heard:
        try:
            if self._jobs is jobs:
                child = self._started()
                answer = child.ask(job.samples, job.language, self._deadline_s)
                return _heard(answer, self._memory_mib)
        except EOFError:
            status = self._end()
            if self._jobs is jobs:
                raise died(status, child.signs, self._memory_mib) from None
        except TimeoutError:
            self._end()
            raise
        raise Missing("model", "The speech process was closed.")

    def _started(self) -> "_Child":
        folder = models.locate(self._name, self._models_dir)
        if self._child is None or not self._child.runs:
            self._end()
            limits = [str(os.getpid()), str(self._memory_mib * _MIB), str(self._threads)]
            engine = [self._engine.device, self._engine.compute_type]
            command = [*self._command, *limits, *engine, self._name, str(folder)]
            self._child = _Child(command, memory_bytes=self._memory_mib * _MIB)
        return self._child

    def _end(self) -> int | None:
        child, self._child = self._child, None
        return child.end() if child else None


class _Child:
    """A running child.py."""

    def __init__(self, command: Sequence[str], *, memory_bytes: int) -> None:
        self._process = subprocess.Popen(
            command, cwd=_PACKAGE_PARENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        self.pid = self._process.pid
        self.signs = Signs(self.pid, cast(BinaryIO, self._process.stderr), memory_bytes=memory_bytes)

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()

    def ask(self, samples: Samples, language: str | None, deadline_s: float) -> frames.Head:
        """Its answer. Raises TimeoutError when it was killed at its deadline, EOFError when it died otherwise."""
        self.signs.begin()
        answered, late = threading.Event(), threading.Event()
        watch = threading.Thread(target=self._watch, args=(answered, late, deadline_s), daemon=True)
        watch.start()
        try:
            body = np.ascontiguousarray(samples, np.float32).tobytes()
            frames.send(self._requests, {"language": language}, body)
            return frames.receive(self._answers)[0]
        except (EOFError, BrokenPipeError) as error:
            if late.is_set():
                raise TimeoutError(f"The transcription took more than {deadline_s:g} seconds.") from error
            raise EOFError from error
        finally:
            answered.set()
            watch.join()

    def _watch(self, answered: threading.Event, late: threading.Event, deadline_s: float) -> None:
        """Looks how much memory it takes until it has answered, and kills it at its deadline."""
        until_s = time.monotonic() + deadline_s
        while not answered.wait(LOOK_EVERY_S):
            self.signs.look()
            if time.monotonic() >= until_s and not late.is_set():
                late.set()
                self.kill()

    def end(self) -> int:
        """End it and return its exit status, negative for a signal. It holds nothing that could be lost."""
        with self._answers, self.signs.closing():
            try:
                self._requests.close()
            except BrokenPipeError:
                # It died with a part of the request unread: its status tells the rest.
                return self._process.wait()
            return self._waited()

    def _waited(self) -> int:
        try:
            return self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()


def _heard(answer: frames.Head, memory_mib: int) -> Heard:
    match answer:
        case {"heard": dict(fields)}:
            ABSENCES.worked("model")
            return Heard(**{**fields, "cues": tuple(Cue(**cue) for cue in fields["cues"])})
        case {"missing": ["memory", _]}:
            raise no_memory(memory_mib)
        case {"missing": [str(part), str(detail)]}:
            raise Missing(part, detail)
    raise RuntimeError(f"The speech process failed: {answer.get('failed')}")
