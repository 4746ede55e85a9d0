"""Real speech as a microphone hears it."""

import wave
from pathlib import Path

from bubbles.audio.sandbox import PCM_RATE_HZ, Limits, decode
from tests.conftest import SPOKEN, Speech, speak, speech_folder

SENTENCES = (
    SPOKEN,
    "A green umbrella with a wooden handle was left beside the fountain on Sunday.",
    "The old library opens its garden tonight for everybody who brings a candle.",
)
"""What is said where no real speech lies."""


def recorded(folder: Path, number: int = 0) -> Speech:
    """The English recording of that number of someone reading, as a file; a TTS voice's where there is none."""
    path = speech_folder() / f"fleurs-en-{number:03}.ogg"
    if path.is_file():
        return Speech(path, path.with_suffix(".txt").read_text().strip(), "en")
    path = folder / f"spoken-{number}.wav"
    text = SENTENCES[number % len(SENTENCES)]
    speak(text, path)
    return Speech(path, text.lower().rstrip("."), "en")


def for_microphone(
    speech: Speech, path: Path, *, lead_s: float = 0.5, tail_s: float = 1.0, length_s: float | None = None
) -> Speech:
    """The speech as 48 kHz mono 16-bit WAV at `path`, silence before and after.

    With `length_s` the speech is said again and again, for so long in all.
    """
    pcm = bytes(decode(speech.path, Limits()).pcm)
    sound = silence(lead_s) + pcm + silence(tail_s)
    if length_s is not None:
        wanted = _even(length_s)
        sound = (sound * (wanted // len(sound) + 1))[:wanted]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, PCM_RATE_HZ, 0, "NONE", "none"))
        file.writeframes(sound)
    return Speech(path, speech.text, speech.language)


def silence(length_s: float) -> bytes:
    """PCM without sound."""
    return bytes(_even(length_s))


def _even(length_s: float) -> int:
    return int(length_s * PCM_RATE_HZ) * 2
