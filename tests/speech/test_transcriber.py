"""What is true of every transcriber."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bubbles.speech.process import SpeechProcess
from bubbles.speech.transcriber import RATE_HZ, FakeTranscriber, Samples, Transcriber
from bubbles.speech.vtt import clean
from bubbles.speech.whisper import WhisperTranscriber

WORDS = "Good morning from the old harbour. The market opens at nine, and the boats are already back."


@pytest.fixture(scope="module", params=["fake", "whisper", "process"])
def transcriber(request: pytest.FixtureRequest, models_dir: Path, whisper: WhisperTranscriber) -> Iterator[Transcriber]:
    made: dict[str, Callable[[], Transcriber]] = {
        "fake": lambda: FakeTranscriber(WORDS),
        "whisper": lambda: whisper,
        "process": lambda: SpeechProcess("base", models_dir, memory_mib=3072, deadline_s=120),
    }
    opened = made[request.param]()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def speech(say: Callable[[str], Samples]) -> Samples:
    return say(WORDS)


@pytest.mark.parametrize("language", ["en", "en-GB", None])
def test_what_was_heard_is_well_formed(transcriber: Transcriber, speech: Samples, language: str | None) -> None:
    heard = transcriber.transcribe(speech, language=language)
    duration_s = len(speech) / RATE_HZ
    starts = [cue.start_s for cue in heard.cues]
    assert starts == sorted(starts)
    for cue in heard.cues:
        assert math.isfinite(cue.start_s) and 0 <= cue.start_s <= cue.end_s <= duration_s
        assert cue.text == clean(cue.text) != ""
    assert heard.language == "en" and not heard.language_doubtful
    assert 0 < heard.language_probability <= 1
    assert heard.model
    assert "market" in " ".join(cue.text for cue in heard.cues)


@pytest.mark.parametrize(
    "samples", [np.zeros(0, np.float32), np.zeros(100, np.float32), np.zeros(2 * RATE_HZ, np.float32)]
)
def test_without_sound_there_are_no_cues(transcriber: Transcriber, samples: Samples) -> None:
    heard = transcriber.transcribe(samples, language="en")
    assert heard.cues == ()
    assert heard.language is None


def test_the_language_asked_for_is_obeyed(transcriber: Transcriber, speech: Samples) -> None:
    heard = transcriber.transcribe(speech, language="de-AT")
    assert (heard.language, heard.language_probability, heard.language_doubtful) == ("de", 1.0, False)


def test_it_hears_again_after_it_was_closed(transcriber: Transcriber, speech: Samples) -> None:
    transcriber.close()
    transcriber.close()
    assert transcriber.transcribe(speech, language="en").cues


def test_the_fake_says_what_it_was_given_every_time() -> None:
    fake = FakeTranscriber("one two three", language="pt", words_per_cue=2)
    heard = fake.transcribe(np.ones(RATE_HZ, np.float32), language=None)
    assert [(cue.start_s, cue.end_s, cue.text) for cue in heard.cues] == [(0.0, 0.5, "one two"), (0.5, 1.0, "three")]
    assert heard.language == "pt"
    assert heard == fake.transcribe(np.ones(RATE_HZ, np.float32), language=None)
