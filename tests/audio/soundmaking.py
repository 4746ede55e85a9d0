"""Sounds that the tests make, and the files that PyAV writes from them. Pure: the same call gives the same bytes."""

import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
FRAME_SAMPLES = 1 << 16


@functools.lru_cache(maxsize=64)
def voice(duration_s: float, rate_hz: int = 48_000, seed: int = 0) -> Samples:
    """Speech-like: a gliding pitch with harmonics, four syllables a second, pauses, a little breath.

    What is longer than ten seconds repeats itself.
    """
    if duration_s > 10:
        return np.resize(voice(10, rate_hz, seed), round(duration_s * rate_hz))
    at_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    pitch_hz = 110 + 40 * (seed % 4) + 15 * np.sin(2 * np.pi * 0.7 * at_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    tone = sum(np.sin(n * phase) / n for n in range(1, 8) if n * 200 < rate_hz / 2)
    syllables = np.clip(np.sin(2 * np.pi * 4 * at_s) + 0.3, 0, 1) * (np.sin(2 * np.pi * 0.3 * at_s) > -0.8)
    breath = np.random.default_rng(seed).normal(0, 0.01, at_s.size)
    return ((tone * syllables * 0.2 + breath) * 32_767 * 0.5).astype("<i2")


def tone(duration_s: float, *, rate_hz: int = 48_000, pitch_hz: float = 440, amplitude: float = 0.5) -> Samples:
    """A plain sine; `amplitude` 0..1 of full scale."""
    at_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return (np.sin(2 * np.pi * pitch_hz * at_s) * amplitude * 32_767).astype("<i2")


@dataclass(frozen=True)
class Shape:
    """A kind of file: FFmpeg's muxer and encoder, and what they are told."""

    suffix: str
    muxer: str
    codec: str
    rate_hz: int = 48_000
    layout: str = "mono"
    seekable: bool = True
    options: dict[str, str] = field(default_factory=dict)
    codec_options: dict[str, str] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        return 1 if self.layout == "mono" else 2


class Stream(io.RawIOBase):
    """A file that cannot be rewound, as a browser's recorder writes one: no length is filled in afterwards."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, part: bytes) -> int:  # type: ignore[override]
        self.data += part
        return len(part)


def written(samples: Samples, shape: Shape, tags: dict[str, str] | None = None) -> bytes:
    """The sound as a file of that shape. `samples` is mono, or (n, 2) for stereo."""
    file: io.BytesIO | Stream = io.BytesIO() if shape.seekable else Stream()
    with av.open(file, "w", format=shape.muxer, options={"fflags": "+bitexact", **shape.options}) as container:
        container.metadata.update(tags or {})
        stream = container.add_stream(
            shape.codec,
            rate=shape.rate_hz,
            layout=shape.layout,
            options={"flags": "+bitexact", "strict": "experimental", **shape.codec_options},
        )
        for frame in (*_frames(samples, shape), None):
            container.mux(stream.encode(frame))
    return bytes(file.getvalue() if isinstance(file, io.BytesIO) else file.data)


def _frames(samples: Samples, shape: Shape) -> Iterator[av.AudioFrame]:
    both = samples if samples.ndim == 2 else np.repeat(samples[:, None], shape.channels, axis=1)
    for at in range(0, len(both), FRAME_SAMPLES):
        packed = np.ascontiguousarray(both[at : at + FRAME_SAMPLES]).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=shape.layout)
        frame.sample_rate = shape.rate_hz
        frame.pts = at
        yield frame
