"""Runs a step of the install: python install/step.py NAME COMMAND...

What it says goes to the terminal and to .cache/install/NAME.log. A step that fails ends with one sentence: why, and
what to do.
"""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
LOGS = CHECKOUT / ".cache" / "install"
KEPT_MAX_BYTES = 1 << 20
INTERRUPTED, KILLED = 130, -9

sys.path.insert(0, str(CHECKOUT))  # before anything is installed
from bubbles.complaints import cause  # noqa: E402 - needs the line above


def run(name: str, command: list[str]) -> None:
    """Returns when the command ends well; else ends this process, with the sentence."""
    status, said = _followed(command)
    log = _kept(name, said)
    if status != 0:
        print(f"\n{sentence(name, status, said.decode(errors='replace'), log)}", file=sys.stderr)
        sys.exit(status if status > 0 else 1)


def _followed(command: list[str]) -> tuple[int, bytes]:
    """Exit status and what was said, its end when it was much, while it is shown as it comes."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        return 127, f"{command[0]}: {error}".encode()
    said, pipe = b"", process.stdout
    assert pipe is not None  # noqa: S101 - for mypy: it was opened as a pipe
    try:
        while chunk := os.read(pipe.fileno(), 1 << 16):
            said = (said + chunk)[-KEPT_MAX_BYTES:]
            with suppress(OSError):  # who looks on may have gone, or have no room: the step goes on
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
        return process.wait(), said
    except KeyboardInterrupt:  # which the command was sent too
        process.wait()
        sys.exit(INTERRUPTED)


def _kept(name: str, said: bytes) -> Path | None:
    """The log; None when there is no room for it."""
    log = LOGS / f"{name}.log"
    with suppress(OSError):
        LOGS.mkdir(parents=True, exist_ok=True)
        log.write_bytes(said)
        return log.relative_to(CHECKOUT)
    return None


def sentence(name: str, status: int, said: str, log: Path | None) -> str:
    """Why a step failed and what to do, in one sentence."""
    where = f" All it said is in {log}." if log else ""
    if told := cause(said):
        return f"{told}, then run make again.{where}"
    if status == KILLED:
        return f"The step {name} was killed, most likely since memory ran out: end other programs, then run make again."
    return f"The step {name} failed (status {status}): mend what stands above, then run make again.{where}"


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
