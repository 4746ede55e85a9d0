"""All good recordings decode to their length; no broken one does worse than be refused."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import corpus_good
import corpus_mutated
import pytest

from bubbles.audio.sandbox import PCM_RATE_HZ, Decoded, Limits, decode
from bubbles.errors import Code, Refused

THREADS = 2


def outcomes(
    recordings: Iterable[tuple[str, bytes]], folder: Path
) -> Iterator[tuple[str, Decoded | Refused | BaseException]]:
    """What comes of each file, decoded by two threads at once. PCM is checked for its length and dropped."""

    def outcome(recording: tuple[str, bytes]) -> tuple[str, Decoded | Refused]:
        name, data = recording
        path = folder / f"recording-{name}"
        path.write_bytes(data)
        try:
            return name, decode(path, Limits())
        except Refused as refused:
            return name, refused
        finally:
            path.unlink()

    with ThreadPoolExecutor(THREADS) as threads:
        yield from threads.map(outcome, recordings)


def test_there_are_a_hundred_good_ones_of_every_kind() -> None:
    assert len(corpus_good.NAMES) >= 100
    assert {min(corpus_good.DURATION_S.values()), max(corpus_good.DURATION_S.values())} == {0.5, 119.9}


@pytest.mark.parametrize("part", range(4))
def test_every_good_recording_decodes_to_its_length(leaves_nothing: Path, part: int) -> None:
    names = corpus_good.NAMES[part::4]
    made = ((name, corpus_good.recording(name)) for name in names)
    wrong = {}
    for name, result in outcomes(made, leaves_nothing):
        expected_s = corpus_good.DURATION_S[name]
        if not isinstance(result, Decoded) or not _lasts(result, expected_s):
            wrong[name] = result if isinstance(result, Refused) else result.duration_s
    assert wrong == {}


def _lasts(sound: Decoded, expected_s: float) -> bool:
    pcm_s = len(sound.pcm) / 2 / PCM_RATE_HZ
    return abs(sound.duration_s - expected_s) <= 0.1 and abs(pcm_s - expected_s) <= 0.1


@pytest.mark.parametrize("kind", corpus_mutated.SHAPES)
def test_every_broken_recording_is_sound_or_refused(leaves_nothing: Path, kind: str) -> None:
    broken = [(name, data) for name, data in corpus_mutated.recordings() if name.startswith(f"{kind}_")]
    assert len(broken) >= 40
    codes: dict[str, Code] = {}
    for name, result in outcomes(broken, leaves_nothing):
        if isinstance(result, Refused):
            codes[name] = result.code
        else:
            assert isinstance(result, Decoded)
            assert result.duration_s <= 120.5
    assert set(codes.values()) <= {Code.NOT_AUDIO, Code.TOO_LONG, Code.TOO_SHORT}
    assert len(codes) < len(broken), "a player would play some of these"
