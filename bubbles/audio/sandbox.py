"""The only door for untrusted bytes: a recording is decoded in a child process that can reach nothing else.

The child (`inside.py`) is handed the open recording and an empty environment. It may be killed at any moment, and
what it answers is believed only as far as it can be checked here.
"""

import contextlib
import importlib.util
import json
import math
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bubbles.absences import ABSENCES
from bubbles.audio.downmix import to_mono
from bubbles.errors import Code, Died, Missing, Refused
from bubbles.machine import FROM_OUTSIDE

PCM_RATE_HZ = 48_000
"""Rate of all PCM that leaves the sandbox: mono, s16le."""

READY = b"ready\n"
VERDICT_MAX_BYTES = 4_096
CPU_SLACK_S = 1.0
ENDS_MAX_S = 1.0
"""From its last word to its end."""

STARVED_PART = 0.5
"""Of its time: a child that waited for a core as long as this tells nothing of the recording."""

PIPE_BYTES = 1024 * 1024
NICENESS = 9
"""Of a decoder, one more where whoever asks for it gives way as much: behind who listens or sends, before workers."""

GIVE_WAY = f"os.nice(max(1, {NICENESS} - os.nice(0)))"
START = f"import os, sys; {GIVE_WAY}; sys.path += sys.argv[2:]; from bubbles.audio.inside import main; main()"
"""It gives way from the first line on: what it imports takes longer than most recordings."""

SENTENCES = {
    "format": "This file is not a sound recording in a format that we read.",
    "no_audio": "There is no sound in this file.",
    "codec": "The sound in this file is coded in a way that we do not read.",
    "rate": "The sampling rate of this sound is not one that we read (4 to 384 kHz).",
    "channels": "This sound has more channels than we read (8).",
    "damaged": "This file is too damaged to be read.",
    "empty": "No sound could be read from this file.",
    "memory": "Reading this file takes more memory than a recording may need.",
}


@dataclass(frozen=True)
class Limits:
    """What a recording may be, in decoded seconds, and what reading it may cost."""

    duration_max_s: float = 120.0
    tolerance_s: float = 0.5
    duration_min_s: float = 0.3
    timeout_s: float = 20.0
    memory_mib: int = 512

    @property
    def stop_after_s(self) -> float:
        """Decoding ends here: enough to know that a sound is too long."""
        return self.duration_max_s + self.tolerance_s + 0.5


@dataclass(frozen=True)
class Decoded:
    """A recording as sound: `pcm` is mono s16le at `PCM_RATE_HZ`; the rest says what it was before.

    `container` and `codec` are FFmpeg's short names (`matroska,webm`, `opus`), `rate_hz` and `channels` the source's.
    """

    pcm: bytes
    duration_s: float
    container: str
    codec: str
    rate_hz: int
    channels: int


def decode(path: Path, limits: Limits) -> Decoded:
    """Decodes the first audio stream of the file, all of it, in a child that ends before this returns.

    Raises Refused (`not_audio`, `too_long`, `too_short`), Missing when the child cannot do its work here, and OSError
    when it cannot be started at all.
    """
    task = {
        "rate_hz": PCM_RATE_HZ,
        "stop_after_s": limits.stop_after_s,
        "memory_mib": limits.memory_mib,
        "cpu_s": math.ceil(limits.timeout_s),
    }
    # Two channels of 16 bits, and a second for the resampler's rounding.
    pcm_max_bytes = math.ceil(limits.stop_after_s + 1) * PCM_RATE_HZ * 2 * 2
    with path.open("rb") as recording:
        verdict, pcm = _ask(recording, task, limits.timeout_s, pcm_max_bytes)
    ABSENCES.worked("decoder")
    if "reason" in verdict:
        raise _refusal(str(verdict["reason"]), limits)
    return _within(_believed(verdict, pcm), limits)


def isolation() -> dict[str, bool]:
    """Which walls this kernel lets the child raise: `network_namespace`, `landlock`, and like. For `bubbles doctor`.

    Raises Missing or OSError when the child does not start.
    """
    with Path(os.devnull).open("rb") as nothing:
        walls, _ = _ask(nothing, {"memory_mib": 512, "cpu_s": 20}, timeout_s=20, pcm_max_bytes=0)
    return {name: stands is True for name, stands in walls.items()}


def _ask(
    recording: BinaryIO, task: dict[str, float], timeout_s: float, pcm_max_bytes: int
) -> tuple[dict[str, object], memoryview]:
    """The child's verdict and PCM, unchecked but bounded. Raises Refused when it dies over its work."""
    with _child(recording, task) as child:
        until = time.monotonic() + timeout_s
        answer = _read(child, until, len(READY) + VERDICT_MAX_BYTES + pcm_max_bytes)
        ends_at, waited_s = answer.find(b"\n", len(READY)), _waited_s(child.pid)
        killed = ends_at < 0 and _was_killed(child, until) and _worked_s(child.pid) < task["cpu_s"] - CPU_SLACK_S
    if killed:
        raise Died("decoder", "The part that reads recordings was ended from outside.")
    if ends_at < 0 and waited_s > timeout_s * STARVED_PART:
        raise Missing("decoder", "This machine is too busy to read recordings.")
    if not answer.startswith(READY):
        raise Missing("decoder", "The part that reads recordings does not start; `bubbles doctor` says more.")
    if ends_at < 0:
        raise Refused(Code.NOT_AUDIO, "Reading this file took too long, or went wrong: it may be damaged.")
    return _parsed(answer[len(READY) : ends_at]), memoryview(answer)[ends_at + 1 :]


@contextlib.contextmanager
def _child(recording: BinaryIO, task: dict[str, float]) -> Iterator[subprocess.Popen[bytes]]:
    """A decoder at work on the open recording; it and whatever it started are gone at the end of the block."""
    told = json.dumps({**task, "parent_pid": os.getpid()})
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", START, told, *_folders("av", "bubbles")],
        stdin=recording,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        # Not a session of its own: where the kernel shares by session, its niceness would count for nothing.
        process_group=0,
        pipesize=PIPE_BYTES,
    ) as child:
        try:
            yield child
        finally:
            # Not yet waited for, so the number still belongs to it even when it has ended.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def _folders(*packages: str) -> list[str]:
    """The folders that packages lie in, found without importing them. An isolated interpreter knows neither."""
    found = [importlib.util.find_spec(package) for package in packages]
    return [str(Path(spec.origin).parent.parent) for spec in found if spec and spec.origin]


def _read(child: subprocess.Popen[bytes], until: float, length_max_bytes: int) -> bytearray:
    """What the child writes until it ends, the clock (`time.monotonic`) strikes or it writes more than it may."""
    assert child.stdout is not None  # noqa: S101 for mypy: it was opened as a pipe
    poll = select.poll()
    poll.register(child.stdout, select.POLLIN)
    answer = bytearray()
    while len(answer) <= length_max_bytes and poll.poll(max(0.0, until - time.monotonic()) * 1000):
        part = os.read(child.stdout.fileno(), PIPE_BYTES)
        if not part:
            break
        answer += part
    return answer


def _worked_s(pid: int) -> float:
    """How long a process ran (proc_pid_schedstat); 0 where nobody counts."""
    return _scheduled_s(pid, 0)


def _waited_s(pid: int) -> float:
    """How long a process was ready to run while no core was free for it; 0 where nobody counts."""
    return _scheduled_s(pid, 1)


def _scheduled_s(pid: int, place: int) -> float:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[place]) / 1e9
    return 0.0


def _was_killed(child: subprocess.Popen[bytes], until: float) -> bool:
    """Whether it was ended by a signal that none of its own faults sends, before the clock (`time.monotonic`) struck.

    It stays to be waited for. The kernel sends `SIGKILL` too, when its time on a core is used up.
    """
    until = min(until, time.monotonic() + ENDS_MAX_S)
    while (ended := os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is None:
        if time.monotonic() >= until:
            return False
        time.sleep(0.01)
    return ended.si_code == os.CLD_KILLED and ended.si_status in FROM_OUTSIDE


def _parsed(line: bytearray) -> dict[str, object]:
    """The verdict as a dictionary; a child that writes anything else was taken over by what it read."""
    try:
        verdict = json.loads(line)
    except ValueError:
        verdict = None
    if not isinstance(verdict, dict):
        raise Refused(Code.NOT_AUDIO, SENTENCES["damaged"])
    return verdict


def _believed(verdict: dict[str, object], pcm: memoryview) -> Decoded:
    """The verdict checked against the PCM and against what such values can be. Raises Refused."""
    match verdict:
        case {
            "duration_s": float(duration_s),
            "container": str(container),
            "codec": str(codec),
            "rate_hz": int(rate_hz),
            "channels": int(channels),
            "pcm_channels": 1 | 2 as pcm_channels,
        } if _names(container, codec) and _agree(duration_s, len(pcm) / (2 * pcm_channels * PCM_RATE_HZ)):
            mono = to_mono(pcm, pcm_channels)
            return Decoded(mono, duration_s, container, codec, rate_hz, channels)
    raise Refused(Code.NOT_AUDIO, SENTENCES["damaged"])


def _names(*names: str) -> bool:
    return all(re.fullmatch(r"[a-z0-9_,]{1,64}", name) for name in names)


def _agree(duration_s: float, pcm_duration_s: float) -> bool:
    """Whether the counted length and the PCM's are the same sound: resampling moves a length by milliseconds."""
    return abs(duration_s - pcm_duration_s) <= 0.1


def _within(decoded: Decoded, limits: Limits) -> Decoded:
    if decoded.duration_s > limits.duration_max_s + limits.tolerance_s:
        raise _refusal("too_long", limits)
    if decoded.duration_s < limits.duration_min_s:
        raise Refused(
            Code.TOO_SHORT, f"This sound is shorter than {limits.duration_min_s:g} seconds: there is nothing to hear."
        )
    return decoded


def _refusal(reason: str, limits: Limits) -> Refused:
    if reason == "too_long":
        return Refused(
            Code.TOO_LONG, f"This sound is longer than the {limits.duration_max_s:g} seconds that a bubble may last."
        )
    return Refused(Code.NOT_AUDIO, SENTENCES.get(reason, SENTENCES["damaged"]))
