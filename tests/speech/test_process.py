"""The speech process: whatever happens in it, we are told and go on."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bubbles import machine
from bubbles.errors import Died, Missing
from bubbles.speech.process import SpeechProcess
from bubbles.speech.transcriber import RATE_HZ, Samples

SOUND = np.ones(RATE_HZ, np.float32)

# A child that obeys the first sample: it answers with its process id as the model, or misbehaves.
CHILD = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from bubbles.speech import child, frames
from bubbles.speech.transcriber import FakeTranscriber

child._die_with(int(sys.argv[1]))
requests, answers = child._pipes()

class Wilful:
    def transcribe(self, samples, *, language):
        deed = int(samples[0]) if len(samples) else 0
        if deed == 2: Path(sys.argv[-1], "hangs").touch(); time.sleep(600)
        if deed == 3: os.kill(os.getpid(), signal.SIGKILL)
        if deed == 4: os._exit(3)
        if deed == 5: raise MemoryError
        if deed == 6: raise ValueError("a fault")
        if deed == 8: sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\\n"); os.abort()
        if deed == 9: os.kill(os.getpid(), signal.SIGSEGV)
        if deed == 10: held = bytearray(460 << 20); time.sleep(5); os.abort()
        if deed == 7: print("noise " * 10_000, flush=True); os.write(1, b"more")
        heard = FakeTranscriber(model_words()).transcribe(samples, language=language)
        return heard

def model_words():
    return f"process {os.getpid()}"

child.serve(requests, answers, Wilful)
"""


def deed(number: int) -> Samples:
    return np.full(RATE_HZ, number, np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a model."""
    (tmp_path / "model.bin").touch()
    return tmp_path


@pytest.fixture
def opened(folder: Path) -> Iterator[Callable[..., SpeechProcess]]:
    made: list[SpeechProcess] = []

    def open_process(*, idle_s: float = 60) -> SpeechProcess:
        command = [sys.executable, "-c", CHILD]
        made.append(SpeechProcess(str(folder), folder, memory_mib=512, deadline_s=60, idle_s=idle_s, command=command))
        return made[-1]

    yield open_process
    for process in made:
        process.close()


def asked(process: SpeechProcess, samples: Samples = SOUND) -> int:
    """The id of the process that answered."""
    cue = process.transcribe(samples, language=None).cues[0]
    return int(cue.text.split()[1])


def until(condition: Callable[[], bool], limit_s: float = 60) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_it_starts_when_asked_and_stays(opened: Callable[..., SpeechProcess]) -> None:
    process = opened()
    assert process.pid is None
    assert asked(process) == asked(process) == process.pid != os.getpid()


def test_a_hang_is_killed_at_the_deadline_and_the_next_is_heard(
    opened: Callable[..., SpeechProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = opened()
    first = asked(process)
    with monkeypatch.context() as hurried, pytest.raises(TimeoutError):
        hurried.setattr(process, "_deadline_s", 1)  # less than a process may take to start
        process.transcribe(deed(2), language=None)
    assert is_gone(first)
    assert asked(process) != first


@pytest.mark.parametrize("number", [5, 8, 10])
def test_a_lack_of_memory_is_told_when_a_limit_says_so(opened: Callable[..., SpeechProcess], number: int) -> None:
    process = opened()
    with pytest.raises(Missing) as told:
        process.transcribe(deed(number), language=None)
    assert told.value.part == "memory"
    assert "512 MiB" in told.value.detail
    assert asked(process)


def test_a_process_that_is_ended_from_outside_lacks_no_memory(opened: Callable[..., SpeechProcess]) -> None:
    process = opened()
    with pytest.raises(Died) as died:
        process.transcribe(deed(3), language=None)
    assert died.value.part == "speech"
    assert asked(process)


class Counting:
    """The kernel's counts of memory that ran out, as they are read before a process begins and after it has died."""

    def __init__(self, *told: machine.Shortages) -> None:
        self._told = list(told)

    def __call__(self) -> machine.Shortages:
        return self._told.pop(0)


@pytest.mark.parametrize(
    ("after", "part"),
    [(machine.Shortages(3, 5), "memory"), (machine.Shortages(2, 5), "speech"), (machine.Shortages(3, 4), "speech")],
    ids=["our own limit", "another's account", "no kill"],
)
def test_who_the_kernel_ends_lacks_memory_only_when_a_limit_was_reached(
    opened: Callable[..., SpeechProcess], monkeypatch: pytest.MonkeyPatch, after: machine.Shortages, part: str
) -> None:
    process = opened()
    monkeypatch.setattr(machine, "shortages", Counting(machine.Shortages(2, 4), after))
    with pytest.raises(Missing) as told:
        process.transcribe(deed(3), language=None)
    assert told.value.part == part


def test_memory_that_ran_out_before_a_recording_says_nothing_of_it(
    opened: Callable[..., SpeechProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is kept warm for hours: what happened meanwhile is not held against what it hears then."""
    process = opened()
    ran_out = machine.Shortages(3, 5)
    monkeypatch.setattr(machine, "shortages", Counting(machine.Shortages(2, 4), ran_out, ran_out))
    assert asked(process)
    with pytest.raises(Died):
        process.transcribe(deed(3), language=None)


def test_what_a_process_complains_of_is_no_line_of_the_log(
    opened: Callable[..., SpeechProcess], capfd: pytest.CaptureFixture[str]
) -> None:
    process = opened()
    asked(process, deed(7))
    process.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("number", "reason"), [(4, "status 3"), (6, "ValueError: a fault"), (9, "status -11")])
def test_a_fault_is_told_as_a_fault(opened: Callable[..., SpeechProcess], number: int, reason: str) -> None:
    process = opened()
    with pytest.raises(RuntimeError, match=reason):
        process.transcribe(deed(number), language=None)
    assert asked(process)


def test_what_libraries_print_does_not_disturb(opened: Callable[..., SpeechProcess]) -> None:
    process = opened()
    assert asked(process, deed(7)) == asked(process)


def test_one_that_was_killed_between_two_requests_is_started_again(opened: Callable[..., SpeechProcess]) -> None:
    process = opened()
    first = asked(process)
    os.kill(first, signal.SIGKILL)
    until(lambda: process.pid is None)
    assert asked(process) != first


def test_an_idle_process_ends_and_comes_back(opened: Callable[..., SpeechProcess]) -> None:
    process = opened(idle_s=0.2)
    first = asked(process)
    until(lambda: process.pid is None and is_gone(first))
    assert asked(process) != first


def test_many_threads_are_served_one_after_the_other(opened: Callable[..., SpeechProcess]) -> None:
    process = opened()
    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda _: asked(process), range(24)))
    assert answers == {process.pid}


def test_it_outlives_the_thread_that_asked_first(opened: Callable[..., SpeechProcess]) -> None:
    process = opened()
    thread = threading.Thread(target=asked, args=[process])
    thread.start()
    thread.join()
    first = process.pid
    assert asked(process) == first is not None


def test_closing_ends_what_is_under_way(opened: Callable[..., SpeechProcess], folder: Path) -> None:
    process = opened()
    first = asked(process)
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(process.transcribe, deed(2), language=None)
        until((folder / "hangs").exists)
        process.close()
        with pytest.raises(Missing):
            hanging.result(timeout=20)
    assert is_gone(first) and process.pid is None


def test_it_dies_with_its_parent(models_dir: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(models_dir)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
        # Too busy to notice that nobody asks any more.
        os.kill(child, signal.SIGSTOP)
        parent.kill()
        parent.wait()
    until(lambda: is_gone(child))


PARENT = """
import sys, time
from pathlib import Path
import numpy as np
from bubbles.speech.process import SpeechProcess
process = SpeechProcess("base", Path(sys.argv[1]), memory_mib=3072, deadline_s=600)
process.transcribe(np.zeros(16000, np.float32), language=None)
print(process.pid, flush=True)
time.sleep(600)
"""


def test_a_missing_model_is_told_without_a_process(tmp_path: Path) -> None:
    process = SpeechProcess("base", tmp_path, memory_mib=512, deadline_s=60)
    with pytest.raises(Missing) as told:
        process.transcribe(SOUND, language=None)
    assert told.value.part == "model"
    assert process.pid is None
    process.close()


def test_a_model_that_does_not_load_is_told(folder: Path) -> None:
    process = SpeechProcess(str(folder), folder, memory_mib=3072, deadline_s=60)
    with pytest.raises(Missing) as told:
        process.transcribe(SOUND, language=None)
    assert told.value.part == "model"
    process.close()


def test_too_little_memory_for_the_real_model_is_told(models_dir: Path) -> None:
    process = SpeechProcess("base", models_dir, memory_mib=256, deadline_s=60)
    with pytest.raises(Missing) as told:
        process.transcribe(SOUND, language=None)
    assert told.value.part == "memory"
    process.close()


def test_we_never_import_whisper_ourselves() -> None:
    script = "import sys, bubbles.speech.process; print([name for name in sys.argv[1:] if name in sys.modules])"
    names = ["faster_whisper", "ctranslate2", "onnxruntime", "huggingface_hub", "tokenizers"]
    printed = subprocess.run([sys.executable, "-c", script, *names], check=True, capture_output=True, text=True)
    assert printed.stdout == "[]\n"
