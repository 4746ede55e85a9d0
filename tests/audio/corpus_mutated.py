"""Some four hundred broken recordings: ten kinds of file, each damaged in ten ways, with a fixed seed.

    for name, data in recordings(): ...

Put this folder on `sys.path` to import it from elsewhere. Nothing is random beyond the seed: the same bytes each time.
"""

import functools
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from soundmaking import Shape, voice, written

SEED = 20_130_613
ROUNDS = 4
LIVE = {"live": "1", "cluster_time_limit": "500"}
FRAGMENTED = {"movflags": "+frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}

SHAPES = {
    "wav": Shape(".wav", "wav", "pcm_s16le", 16_000),
    "aiff": Shape(".aiff", "aiff", "pcm_s16be", 16_000),
    "flac": Shape(".flac", "flac", "flac", 44_100, "stereo"),
    "mp3": Shape(".mp3", "mp3", "libmp3lame", 44_100),
    "opus": Shape(".ogg", "ogg", "libopus"),
    "vorbis": Shape(".ogg", "ogg", "vorbis", 44_100, "stereo"),
    "webm": Shape(".webm", "webm", "libopus", seekable=False, options=LIVE),
    "m4a": Shape(".m4a", "ipod", "aac", 44_100, "stereo"),
    "mp4": Shape(".mp4", "mp4", "libopus", options=FRAGMENTED),
    "amr": Shape(".3gp", "3gp", "libopencore_amrnb", 8_000),
}


@functools.cache
def base(kind: str) -> bytes:
    """The good file that its broken ones start from."""
    shape = SHAPES[kind]
    return written(voice(2.5, shape.rate_hz, seed=len(kind)), shape)


def _flip_one(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _flip_many(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(2, 400)):
        _flip_one(data, chance)


def _flip_header(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 12)):
        data[chance.randrange(min(512, len(data)))] = chance.randrange(256)


def _truncate(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _cut_out(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.randrange(1, 4_000)]


def _repeat(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    data[start:start] = data[start : start + chance.randrange(1, 4_000)] * chance.randrange(1, 5)


def _splice(data: bytearray, chance: random.Random) -> None:
    other = base(chance.choice(list(SHAPES)))
    start, taken = chance.randrange(len(data)), chance.randrange(len(other))
    data[start:start] = other[taken : taken + chance.randrange(1, 4_000)]


def _wrong_size(data: bytearray, chance: random.Random) -> None:
    value = chance.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0, chance.randrange(1 << 32)])
    at = chance.randrange(min(1_200, len(data) - 4))
    data[at : at + 4] = value.to_bytes(4, chance.choice(["big", "little"]))


def _swap_header(data: bytearray, chance: random.Random) -> None:
    length = chance.randrange(4, 600)
    data[:length] = base(chance.choice(list(SHAPES)))[:length]


def _append_junk(data: bytearray, chance: random.Random) -> None:
    data += chance.randbytes(chance.randrange(1, 60_000))


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip_one,
    _flip_many,
    _flip_header,
    _truncate,
    _cut_out,
    _repeat,
    _splice,
    _wrong_size,
    _swap_header,
    _append_junk,
)


def recordings() -> Iterator[tuple[str, bytes]]:
    """All of them: every kind with every damage, `ROUNDS` times over."""
    for kind, shape in SHAPES.items():
        for damage in DAMAGES:
            for turn in range(ROUNDS):
                name = f"{kind}{damage.__name__}-{turn}{shape.suffix}"
                data = bytearray(base(kind))
                damage(data, random.Random(f"{SEED} {name}"))
                yield name, bytes(data)
