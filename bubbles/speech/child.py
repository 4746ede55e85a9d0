"""The speech process: reads sound from its standard input, writes what it heard to its standard output.

Started by process.py as `python -m bubbles.speech.child PARENT_PID MEMORY_BYTES THREADS DEVICE COMPUTE_TYPE NAME
FOLDER`. The model is loaded with the first request and stays. It ends with its input, or with its parent.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from bubbles.speech import frames

if TYPE_CHECKING:
    from bubbles.speech.transcriber import Heard
    from bubbles.speech.whisper import WhisperTranscriber

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Obey the parent until it hangs up."""
    parent_pid, memory_bytes, threads = (int(number) for number in sys.argv[1:4])
    device, compute_type, name, folder = sys.argv[4:8]
    _die_with(parent_pid)
    # The parent decides when we end; Ctrl-C and a service manager reach the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if device == "cpu":  # a GPU's driver maps far more than it takes
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    requests, answers = _pipes()
    serve(requests, answers, lambda: _load(Path(folder), name, threads, device, compute_type))


def serve(requests: BinaryIO, answers: BinaryIO, load: "Callable[[], WhisperTranscriber]") -> None:
    """Answer each request: `{language}` and float32 samples with `{heard}`, `{missing}` or `{failed}`."""
    transcriber: WhisperTranscriber | None = None
    while True:
        try:
            head, samples = frames.receive(requests)
        except EOFError:
            return
        try:
            transcriber = transcriber or load()
            heard = transcriber.transcribe(np.frombuffer(samples, np.float32), language=_text(head["language"]))
            answer = _told(heard)
        except Exception as error:
            answer = _fault(error)
        frames.send(answers, answer)


def _load(folder: Path, name: str, threads: int, device: str, compute_type: str) -> "WhisperTranscriber":
    # It takes a second to import, and the memory limit must be in force.
    from bubbles.speech.transcriber import Engine  # noqa: PLC0415
    from bubbles.speech.whisper import WhisperTranscriber  # noqa: PLC0415

    return WhisperTranscriber(folder, name, threads=threads, engine=Engine(device, compute_type))


def _told(heard: "Heard") -> frames.Head:
    return {"heard": asdict(heard)}


def _fault(error: Exception) -> frames.Head:
    from bubbles.errors import Missing  # noqa: PLC0415

    if isinstance(error, Missing):
        return {"missing": [error.part, error.detail]}
    if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in frames.OUT_OF_MEMORY):
        return {"missing": ["memory", ""]}
    return {"failed": f"{type(error).__name__}: {error}"}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our own ends of the pipes; whatever a library prints goes where complaints go."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb")


def _die_with(parent_pid: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it was quicker than we
        os._exit(1)


if __name__ == "__main__":
    main()
