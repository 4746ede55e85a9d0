"""What the speech tests share: the real model, a voice, and the samples where they are."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bubbles.speech import models
from bubbles.speech.transcriber import RATE_HZ, Samples
from bubbles.speech.whisper import WhisperTranscriber

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The checkout's folder of models, with `base` in it."""
    folder = CHECKOUT / ".cache" / "models"
    models.fetch("base", folder, lambda done, total: None)
    return folder


@pytest.fixture(scope="session")
def whisper(models_dir: Path) -> WhisperTranscriber:
    return WhisperTranscriber(models.locate("base", models_dir), "base")


@pytest.fixture(scope="session")
def say() -> Callable[[str], Samples]:
    """Speaks English at 16 kHz."""
    from hibari import SAMPLE_RATE, Hibari

    voice = Hibari()

    def spoken(text: str) -> Samples:
        sound = voice(text, seed=0)
        at = np.arange(0, len(sound), SAMPLE_RATE / RATE_HZ)
        return np.interp(at, np.arange(len(sound)), sound).astype(np.float32)

    return spoken


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Samples]:
    """A person's recording by its name, such as `fleurs-fr-000`; skips where the samples are not."""
    from faster_whisper import decode_audio

    given_dir = os.environ.get("BUBBLES_SPEECH_DIR")  # noqa: TID251 - the samples are no setting of the service
    folder = Path(given_dir or CHECKOUT.parent / "shared" / "speech")

    def read(name: str) -> Samples:
        file = folder / f"{name}.ogg"
        if not file.is_file():
            pytest.skip(f"no speech samples in {folder}")
        sound: Samples = decode_audio(str(file))
        return sound

    return read
