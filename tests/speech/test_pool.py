"""Several transcribers as one."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from bubbles.speech.pool import SpeechPool
from bubbles.speech.transcriber import FakeTranscriber, Heard, Samples

SOUND = np.ones(16_000, np.float32)


class Slow(FakeTranscriber):
    """Answers only once another is at work too."""

    def __init__(self, together: Barrier) -> None:
        super().__init__()
        self._together = together

    def transcribe(self, samples: Samples, *, language: str | None) -> Heard:
        self._together.wait(timeout=60)
        return super().transcribe(samples, language=language)


class Failing(FakeTranscriber):
    def transcribe(self, samples: Samples, *, language: str | None) -> Heard:
        raise TimeoutError


def test_as_many_are_heard_at_once_as_there_are_transcribers() -> None:
    together = Barrier(2)
    pool = SpeechPool([Slow(together), Slow(together)])
    with ThreadPoolExecutor(2) as threads:
        heard = [threads.submit(pool.transcribe, SOUND, language="en") for _ in range(2)]
        assert all(each.result(60).cues for each in heard)


def test_one_that_fails_is_asked_again() -> None:
    pool = SpeechPool([Failing()])
    for _ in range(2):
        with pytest.raises(TimeoutError):
            pool.transcribe(SOUND, language=None)
