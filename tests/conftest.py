"""What all tests share: where speech comes from."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
SPOKEN = "The lighthouse keeper sold fresh lemons near the old harbour every morning."


@dataclass(frozen=True)
class Speech:
    """A recording of someone speaking, and what they say, in lower case without punctuation."""

    path: Path
    text: str
    language: str


def speech_folder() -> Path:
    """Where real speech with reference texts lies, if it does."""
    return Path(os.environ.get("BUBBLES_SPEECH_DIR", CHECKOUT.parent / "shared" / "speech"))  # noqa: TID251 - a test


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Speech:
    """Real English speech from `BUBBLES_SPEECH_DIR`, else the same sentence from a TTS voice."""
    path = speech_folder() / "fleurs-en-000.ogg"
    if path.is_file():
        return Speech(path, path.with_suffix(".txt").read_text().strip(), "en")
    path = tmp_path_factory.mktemp("speech") / "spoken.wav"
    speak(SPOKEN, path)
    return Speech(path, SPOKEN.lower().rstrip("."), "en")


def speak(text: str, path: Path) -> None:
    """Writes a WAV of a voice that says `text`."""
    from hibari import Hibari

    Hibari().save(text, str(path))
