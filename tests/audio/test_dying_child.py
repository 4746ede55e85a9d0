"""The decoder may die at any moment: the parent refuses, and nothing stays behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from leftovers import children, first_at_work
from soundmaking import Shape, voice, written

from bubbles.audio import sandbox
from bubbles.audio.sandbox import Decoded, Limits, decode
from bubbles.errors import Code, Died, Missing, Refused
from tests.journey.service import wait_for


@pytest.fixture
def endless(leaves_nothing: Path) -> Iterator[Path]:
    """A recording whose next byte never comes: a pipe that is held open and never written to."""
    path = leaves_nothing / "recording"
    os.mkfifo(path)
    held = os.open(path, os.O_RDWR)
    yield path
    os.close(held)


def refused(result: "Future[Decoded]") -> Refused:
    with pytest.raises(Refused) as refusal:
        result.result(timeout=60)
    return refusal.value


@pytest.mark.parametrize("signalled", [signal.SIGSEGV, signal.SIGABRT])
def test_a_child_that_dies_is_a_refusal(endless: Path, signalled: signal.Signals) -> None:
    before = children()
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(decode, endless, Limits(timeout_s=60))
        os.kill(first_at_work(lambda: children() - before), signalled)
        assert refused(result).code is Code.NOT_AUDIO


@pytest.mark.parametrize("signalled", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_is_ended_from_outside_says_nothing_of_the_recording(
    endless: Path, signalled: signal.Signals
) -> None:
    before = children()
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(decode, endless, Limits(timeout_s=60))
        os.kill(first_at_work(lambda: children() - before), signalled)
        with pytest.raises(Died) as died:
            result.result(timeout=60)
    assert died.value.part == "decoder"


def test_a_child_that_used_up_its_time_on_a_core_was_not_ended_from_outside(
    endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel ends it by the same signal."""
    monkeypatch.setattr(sandbox, "_worked_s", lambda pid: 60.0)
    before = children()
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(decode, endless, Limits(timeout_s=60))
        os.kill(first_at_work(lambda: children() - before), signal.SIGKILL)
        assert refused(result).code is Code.NOT_AUDIO


def test_a_child_that_hangs_is_killed(endless: Path) -> None:
    with pytest.raises(Refused) as refusal:
        decode(endless, Limits(timeout_s=8))  # some of it goes by before a busy machine has started the child
    assert refusal.value.code is Code.NOT_AUDIO


def test_a_child_that_no_core_was_free_for_says_nothing_of_the_recording(
    endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "_waited_s", lambda pid: 4.5)
    with pytest.raises(Missing, match="too busy") as missing:
        decode(endless, Limits(timeout_s=8))
    assert missing.value.part == "decoder"


def test_who_waits_for_a_core_is_told_from_who_waits_for_a_byte() -> None:
    core = min(os.sched_getaffinity(0))
    spin = f"import os; os.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    commands = [[sys.executable, "-c", spin], [sys.executable, "-c", spin], [sys.executable, "-c", "input()"]]
    with ExitStack() as stack:
        processes = [stack.enter_context(subprocess.Popen(each, stdin=subprocess.PIPE)) for each in commands]
        for process in processes:
            stack.callback(process.kill)
        wait_for(lambda: all(sandbox._waited_s(process.pid) > 1 for process in processes[:2]))
        assert sandbox._waited_s(processes[2].pid) < 1
    assert sandbox._waited_s(processes[0].pid) == 0


def test_a_child_that_eats_memory_is_refused(leaves_nothing: Path) -> None:
    path = leaves_nothing / "recording"
    path.write_bytes(written(voice(100), Shape(".flac", "flac", "flac")))
    with pytest.raises(Refused) as refusal:
        decode(path, Limits(memory_mib=136))
    assert refusal.value.code is Code.NOT_AUDIO
    assert decode(path, Limits()).duration_s == 100


def test_the_child_dies_with_its_parents_thread(endless: Path) -> None:
    """As when the service is killed: the kernel takes the child along."""
    script = f"""
from pathlib import Path
from bubbles.audio.sandbox import Limits, decode
decode(Path({str(endless)!r}), Limits(timeout_s=60))
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    child = first_at_work(lambda: children(parent.pid))
    parent.kill()
    parent.wait()
    until = time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not Path(f"/proc/{child}").exists()


def test_a_decoder_that_does_not_start_is_no_fault_of_the_recording(
    leaves_nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = leaves_nothing / "recording"
    path.write_bytes(written(voice(1), Shape(".flac", "flac", "flac")))
    monkeypatch.setattr(sandbox, "START", "import nothing_of_this_name")
    with pytest.raises(Missing):
        decode(path, Limits())
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(FileNotFoundError):
        decode(path, Limits())


@pytest.mark.parametrize(
    "answer",
    ["", "{", "[]", '{"reason": "nonsense"}', '{"duration_s": NaN}', "x" * 10_000],
)
def test_a_child_that_was_taken_over_is_not_believed(
    leaves_nothing: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    path = leaves_nothing / "recording"
    path.write_bytes(b"")
    monkeypatch.setattr(sandbox, "START", f"print('ready'); print({answer!r})")
    with pytest.raises(Refused) as refusal:
        decode(path, Limits())
    assert refusal.value.code is Code.NOT_AUDIO


def test_a_child_that_never_stops_talking_is_cut_off(leaves_nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = leaves_nothing / "recording"
    path.write_bytes(b"")
    talk = "import os; os.write(1, b'ready\\n{}\\n')\nwhile True: os.write(1, bytes(1 << 20))"
    monkeypatch.setattr(sandbox, "START", talk)
    with pytest.raises(Refused):
        decode(path, Limits())


def test_many_threads_decode_at_once(leaves_nothing: Path) -> None:
    path = leaves_nothing / "recording"
    path.write_bytes(written(voice(2), Shape(".flac", "flac", "flac")))
    before = set(threading.enumerate())
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: decode(path, Limits()).pcm, range(16)))
    assert len(set(results)) == 1
    assert set(threading.enumerate()) <= before
