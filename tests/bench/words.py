"""Wrong words and processor time of our transcriber beside plain faster-whisper, in one run.

    .venv/bin/python tests/bench/words.py [--files N] [--threads N]

Reads the samples in BUBBLES_SPEECH_DIR (default ../shared/speech beside the checkout): recordings with a reference
text of the same name, the language second in the name. Words are compared in lower case without punctuation,
apostrophes kept; the rate is over all files at once; unsure cues count. Both start from the file: decoding counts.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from faster_whisper import WhisperModel, decode_audio  # noqa: E402

from bubbles.speech import models  # noqa: E402
from bubbles.speech.whisper import WhisperTranscriber  # noqa: E402

RATE_HZ = 16_000

Listen = Callable[[Path, str | None], tuple[str, str | None]]
"""(file, language or None) to (text, language)."""


@dataclass
class Tally:
    wrong: int = 0
    words: int = 0
    cpu_s: float = 0.0
    sound_s: float = 0.0
    languages_right: int = 0

    @property
    def error_rate(self) -> float:
        return self.wrong / self.words

    @property
    def cpu_per_s(self) -> float:
        return self.cpu_s / self.sound_s


def words(text: str) -> list[str]:
    return re.sub(r"[^\w\s']|_", " ", text.lower().replace("’", "'")).split()


def distance(reference: list[str], heard: list[str]) -> int:
    """Least substitutions, insertions and deletions (Levenshtein) between two lists of words."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(reference, 1):
        fresh = [at]
        for to, other in enumerate(heard, 1):
            fresh.append(min(row[to] + 1, fresh[-1] + 1, row[to - 1] + (word != other)))
        row = fresh
    return row[-1]


def measure(tally: Tally, listen: Listen, file: Path, given: bool) -> None:
    language = file.name.split("-")[1]
    reference = words(file.with_suffix(".txt").read_text())
    begun = time.process_time()
    text, heard_language = listen(file, language if given else None)
    tally.cpu_s += time.process_time() - begun
    tally.sound_s += len(decode_audio(str(file))) / RATE_HZ
    tally.wrong += distance(reference, words(text))
    tally.words += len(reference)
    tally.languages_right += heard_language == language


def plain(folder: Path, threads: int) -> Listen:
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)

    def listen(file: Path, language: str | None) -> tuple[str, str | None]:
        segments, told = model.transcribe(str(file), language=language, beam_size=5)
        return " ".join(segment.text for segment in segments), told.language

    return listen


def ours(folder: Path) -> Listen:
    transcriber = WhisperTranscriber(folder, "base")

    def listen(file: Path, language: str | None) -> tuple[str, str | None]:
        heard = transcriber.transcribe(decode_audio(str(file)), language=language)
        return " ".join(cue.text for cue in heard.cues), heard.language

    return listen


def show(title: str, tallies: dict[str, Tally], files: int) -> None:
    print(f"\n{title}\n{'':14}{'word error rate':>16}{'CPU-s per s':>13}{'languages':>11}")
    for name, tally in tallies.items():
        right = f"{tally.languages_right}/{files}"
        print(f"{name:14}{tally.error_rate:16.4f}{tally.cpu_per_s:13.4f}{right:>11}")
    mine, theirs = tallies["ours"], tallies["plain"]
    print(f"{'ours / plain':14}{mine.wrong / theirs.wrong:16.3f}{mine.cpu_per_s / theirs.cpu_per_s:13.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, help="how many files, spread over the languages; default: all")
    parser.add_argument("--threads", type=int, default=0, help="threads of plain faster-whisper; default: its own")
    chosen = parser.parse_args()
    folder = models.fetch("base", CHECKOUT / ".cache" / "models", lambda done, total: None)
    given_dir = os.environ.get("BUBBLES_SPEECH_DIR")  # noqa: TID251 - the samples are no setting of the service
    samples = Path(given_dir or CHECKOUT.parent / "shared" / "speech")
    # By number first, so that a few files still speak all languages.
    files = sorted(samples.glob("*.ogg"), key=lambda file: file.stem.split("-")[::-1])[: chosen.files]
    listeners = {"plain": plain(folder, chosen.threads), "ours": ours(folder)}
    for title, given in (("language given", True), ("language detected", False)):
        tallies = {name: Tally() for name in listeners}
        for file in files:
            for name, listen in listeners.items():
                measure(tallies[name], listen, file, given)
        show(title, tallies, len(files))


if __name__ == "__main__":
    main()
