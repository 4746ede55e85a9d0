"""The files that people hear: made from our own PCM, equally loud, with nothing of the upload but its sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from bubbles.audio.filters import PCM_RATE_HZ, frames
from bubbles.audio.loudness import made_equal, true_peak_dbtp

TRUE_PEAK_MAX_DBTP = -1.5
"""Players and small speakers clip above it."""

CEILINGS_DBFS = (-3.0, -5.0, -8.0, -12.0)
"""A codec's reconstruction swings over its input: the ceiling is lowered until the decoded peaks hold."""

MINUTE_S = 60.0
"""A download is counted from the header and one minute of sound (IAB podcast guidelines 2.3)."""


@dataclass(frozen=True)
class Recipe:
    """How a rendition is coded."""

    kind: str
    media_type: str
    codec: str
    rate_bits_s: int
    options: dict[str, str]
    container_options: dict[str, str]


RECIPES = (
    Recipe("m4a", "audio/mp4", "aac", 64_000, {"aac_coder": "fast"}, {"movflags": "+faststart"}),
    Recipe("ogg", "audio/ogg", "libopus", 32_000, {"compression_level": "5"}, {}),
)


@dataclass(frozen=True)
class Encoded:
    """A rendition on disk. `kind` is `m4a` or `ogg`.

    `minute_bytes` counts from the start of the file: header and one minute of sound, or all of a shorter file.
    """

    kind: str
    media_type: str
    path: Path
    length_bytes: int
    duration_s: float
    minute_bytes: int


def render(pcm: bytes, folder: Path) -> list[Encoded]:
    """Writes `sound.m4a` and `sound.ogg` into the folder, from mono s16le at 48 kHz; at least one sample.

    The same PCM gives the same bytes.
    """
    for ceiling_dbfs in CEILINGS_DBFS:
        sound = made_equal(pcm, ceiling_dbfs)
        paths = [_encode(sound, recipe, folder) for recipe in RECIPES]
        if max(true_peak_dbtp(_decoded(path)) for path in paths) < TRUE_PEAK_MAX_DBTP:
            break
    duration_s = len(sound) / 2 / PCM_RATE_HZ
    return [_described(recipe, path, duration_s) for recipe, path in zip(RECIPES, paths, strict=True)]


def _encode(pcm: bytes, recipe: Recipe, folder: Path) -> Path:
    path = folder / f"sound.{recipe.kind}"
    # Bit-exact: no version of the encoder, no date, no random serial.
    with av.open(str(path), "w", options={"fflags": "+bitexact", **recipe.container_options}) as container:
        options = {"flags": "+bitexact", **recipe.options}
        stream = cast(AudioStream, container.add_stream(recipe.codec, PCM_RATE_HZ, options=options, layout="mono"))
        stream.bit_rate = recipe.rate_bits_s
        for frame in (*frames(pcm), None):
            container.mux(stream.encode(frame))
    return path


def _decoded(path: Path) -> Iterator[AudioFrame]:
    with av.open(str(path)) as container:
        yield from container.decode(audio=0)


def _described(recipe: Recipe, path: Path, duration_s: float) -> Encoded:
    length_bytes = path.stat().st_size
    minute_bytes = _minute_bytes(path, length_bytes)
    return Encoded(recipe.kind, recipe.media_type, path, length_bytes, duration_s, minute_bytes)


def _minute_bytes(path: Path, length_bytes: int) -> int:
    """Where the first packet (in Ogg: page) lies that comes after all that sound in the first minute."""
    with av.open(str(path)) as container:
        places = list(_places(container))
    last_inside = max((at_byte for at_s, at_byte in places if at_s < MINUTE_S), default=0)
    return min((at_byte for _, at_byte in places if at_byte > last_inside), default=length_bytes)


def _places(container: InputContainer) -> Iterator[tuple[float, int]]:
    """When each packet sounds, in seconds, and where it lies, in bytes. The last packet is empty and has neither."""
    for packet in container.demux(audio=0):
        if packet.pts is not None and packet.pos is not None:
            yield float(packet.pts * packet.time_base), packet.pos
