"""Real Whisper on real and on no speech."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bubbles.errors import Missing
from bubbles.speech import models
from bubbles.speech import whisper as room
from bubbles.speech.stretches import Stretch
from bubbles.speech.transcriber import RATE_HZ, Engine, Heard, Samples
from bubbles.speech.whisper import WhisperTranscriber

SECONDS = 10


def noise() -> Samples:
    return np.random.default_rng(7).normal(0, 0.1, SECONDS * RATE_HZ).astype(np.float32)


def melody() -> Samples:
    """A tune with harmonics and vibrato, half a second a note."""
    note_s = np.arange(RATE_HZ // 2) / RATE_HZ
    notes = np.random.default_rng(7).choice([262, 294, 330, 349, 392, 440, 494, 523], SECONDS * 2)
    tune = [
        sum(np.sin(2 * np.pi * h * (hz * note_s + 0.3 * np.sin(2 * np.pi * 5 * note_s))) / h for h in range(1, 6))
        * np.exp(-3 * note_s)
        for hz in notes
    ]
    return (0.2 * np.concatenate(tune)).astype(np.float32)


def hum() -> Samples:
    """Mains hum with a little hiss."""
    at_s = np.arange(SECONDS * RATE_HZ) / RATE_HZ
    hiss = np.random.default_rng(7).normal(0, 0.01, at_s.size)
    return (0.1 * np.sin(2 * np.pi * 50 * at_s) + 0.05 * np.sin(2 * np.pi * 150 * at_s) + hiss).astype(np.float32)


def quiet() -> Samples:
    return np.random.default_rng(7).normal(0, 1e-3, SECONDS * RATE_HZ).astype(np.float32)


def sure_words(heard: Heard) -> list[str]:
    return re.findall(r"[\w']+", " ".join(cue.text for cue in heard.cues if not cue.unsure).lower())


@pytest.mark.parametrize("sound", [noise, melody, hum, quiet])
@pytest.mark.parametrize("language", ["en", None])
def test_no_speech_gives_no_sure_words(
    whisper: WhisperTranscriber, sound: Callable[[], Samples], language: str | None
) -> None:
    assert sure_words(whisper.transcribe(sound(), language=language)) == []


@pytest.mark.parametrize("sound", [noise, melody])
def test_words_over_no_speech_would_be_doubted(
    whisper: WhisperTranscriber, sound: Callable[[], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A gate that lets everything pass: the guards are alone.
    monkeypatch.setattr(room, "_voice", lambda samples: [Stretch(0, len(samples))])
    assert sure_words(whisper.transcribe(sound(), language="en")) == []


@pytest.mark.parametrize("text", ["The ferry leaves the island at noon every morning", "Thank you very much"])
def test_clear_words_are_heard_and_sure(whisper: WhisperTranscriber, say: Callable[[str], Samples], text: str) -> None:
    heard = whisper.transcribe(say(f"{text}."), language="en")
    assert sure_words(heard) == text.lower().split()
    assert len(heard.cues) == 1


def test_times_are_those_of_the_recording(whisper: WhisperTranscriber, say: Callable[[str], Samples]) -> None:
    first, second = say("We start at the church."), say("And here is the railway station.")
    gap = np.zeros(25 * RATE_HZ, np.float32)
    heard = whisper.transcribe(np.concatenate([gap, first, gap, second]), language="en")
    begins = {word: cue.start_s for cue in heard.cues for word in cue.text.lower().split()}
    assert begins["start"] == pytest.approx(25, abs=1)
    assert begins["railway"] == pytest.approx(50 + len(first) / RATE_HZ, abs=1)


def test_a_sentence_said_again_and_again_grows_no_longer(
    whisper: WhisperTranscriber, say: Callable[[str], Samples]
) -> None:
    again = np.concatenate([say("We go home.")] * 12)
    heard = whisper.transcribe(again, language="en")
    assert "home" in " ".join(cue.text for cue in heard.cues).lower()
    assert len(sure_words(heard)) <= 3 * 12


@pytest.mark.parametrize("language", ["fr", "de", "es", "pt"])
def test_languages_are_told_apart(whisper: WhisperTranscriber, sample: Callable[[str], Samples], language: str) -> None:
    heard = whisper.transcribe(sample(f"fleurs-{language}-000"), language=None)
    assert (heard.language, heard.language_doubtful) == (language, False)
    assert sure_words(heard)


def test_an_unknown_language_is_guessed(whisper: WhisperTranscriber, say: Callable[[str], Samples]) -> None:
    heard = whisper.transcribe(say("This is said in plain English, whatever the label says."), language="tlh")
    assert heard.language == "en"
    assert heard.language_probability < 1


def test_a_language_that_cannot_be_told_is_doubtful(
    whisper: WhisperTranscriber, say: Callable[[str], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked = [("nn", 0.45), ("en", 0.4), ("sv", 0.15)]
    monkeypatch.setattr(type(whisper._opened()), "rank_languages", lambda model, features: ranked)
    heard = whisper.transcribe(say("Hm, hello?"), language=None)
    assert (heard.language, heard.language_doubtful) == ("nn", True)


@pytest.mark.parametrize("engine", [Engine("abacus", "int8"), Engine("cpu", "int7")])
def test_an_engine_that_is_not_there_is_a_model_that_is_missing(models_dir: Path, engine: Engine) -> None:
    with pytest.raises(Missing) as missing:
        WhisperTranscriber(models.locate("base", models_dir), "base", engine=engine)
    assert missing.value.part == "model"
