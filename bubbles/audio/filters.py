"""Our own PCM through FFmpeg's filters, in this process. Nothing from outside comes here."""

from collections.abc import Iterable, Iterator
from typing import cast

import av
import av.filter
import numpy as np
from av.audio.frame import AudioFrame

PCM_RATE_HZ = 48_000
FRAME_SAMPLES = PCM_RATE_HZ

Step = tuple[str, dict[str, str]]
"""A filter's name and its options."""


def frames(pcm: bytes) -> Iterator[AudioFrame]:
    """Mono s16le at 48 kHz as frames of a second, the last one shorter."""
    samples = np.frombuffer(pcm, dtype="<i2").reshape(1, -1)
    for at in range(0, samples.shape[1], FRAME_SAMPLES):
        frame = AudioFrame.from_ndarray(samples[:, at : at + FRAME_SAMPLES], format="s16", layout="mono")
        frame.sample_rate = PCM_RATE_HZ
        frame.pts = at
        yield frame


def through(sound: Iterable[AudioFrame], *steps: Step) -> Iterator[AudioFrame]:
    """What the filters make of mono frames, all of one rate and sample format."""
    graph: av.filter.Graph | None = None
    for frame in sound:
        graph = graph or _graph(frame, steps)
        graph.push(frame)
        yield from _ready(graph)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


def _graph(frame: AudioFrame, steps: tuple[Step, ...]) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add(
        "abuffer",
        sample_rate=str(frame.sample_rate),
        sample_fmt=frame.format.name,
        channel_layout="mono",
        time_base=f"1/{frame.sample_rate}",
    )
    filters = [graph.add(name, **options) for name, options in steps]
    graph.link_nodes(source, *filters, graph.add("abuffersink")).configure()
    return graph


def _ready(graph: av.filter.Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            yield cast(AudioFrame, graph.pull())
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def samples(frame: AudioFrame) -> bytes:
    """The bytes of a mono frame, without the padding of its plane."""
    return memoryview(frame.planes[0])[: frame.samples * frame.format.bytes].tobytes()
