"""The inside of the sandbox: decodes one recording, with nothing else within reach.

`sandbox.py` runs `main` in a process of its own; nobody else imports this. Standard input is the recording. Standard
output is the line `ready`, sent when the walls stand and no byte has been read, then one line of JSON (the verdict),
then PCM: s16le, interleaved, one or two channels.

The first argument is JSON: `parent_pid`, `memory_mib`, `cpu_s`, and for decoding `rate_hz` and `stop_after_s`. Without
those two the verdict is the list of the walls that stand.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import av
import av.filter

# PyAV imports these over its first file, when the walls forbid to open any.
import av.subtitles.codeccontext
import av.subtitles.stream
import av.video.stream
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from bubbles.audio.walls import confine, tie_to

DEMUXERS = "matroska,webm,mov,mp4,m4a,3gp,3g2,mp3,ogg,flac,wav,w64,aac,amr,amrnb,amrwb,aiff,caf"
"""Formats that hold their own sound. Playlists (hls, concat, dash, sdp), images and texts are not among them."""

_PCM = "s8 u8 s16le s16be s24le s24be s32le s32be f32le f32be f64le f64be alaw mulaw"
_CODED = (
    "opus libopus vorbis libvorbis aac aac_latm mp3 mp3float mp2 mp2float mp1 mp1float flac alac ac3 eac3 speex "
    "amrnb amrwb libopencore_amrnb libopencore_amrwb adpcm_ima_wav adpcm_ima_qt adpcm_ms gsm_ms"
)
DECODERS = [*_CODED.split(), *(f"pcm_{layout}" for layout in _PCM.split())]

RATE_MIN_HZ = 4_000
RATE_MAX_HZ = 384_000
CHANNELS_MAX = 8
BAD_PACKETS_MAX = 1_000
"""A player skips a damaged packet; a file that is nothing else is given up. 120 s of Opus are 6,000 packets."""


class Hopeless(Exception):
    """This recording cannot become a bubble. The argument is a reason that `sandbox.py` has a sentence for."""


class Converter:
    """Turns frames of one shape into interleaved s16le at `rate_hz`, in `layout` (mono or stereo)."""

    def __init__(self, frame: AudioFrame, layout: str, rate_hz: int) -> None:
        self.shape = shape_of(frame)
        self._channels = 1 if layout == "mono" else 2
        self._graph = av.filter.Graph()
        self._graph.threads = 1
        source = self._graph.add(
            "abuffer",
            sample_rate=str(frame.sample_rate),
            sample_fmt=frame.format.name,
            channel_layout=frame.layout.name,
            time_base=f"1/{frame.sample_rate}",
        )
        steps = [self._graph.add("aformat", sample_rates=str(rate_hz), sample_fmts="s16", channel_layouts=layout)]
        if frame.layout.nb_channels == self._channels:
            # Some recorders call their only channel `front left`, which would not be mixed: they are taken in order.
            order = "c0=c0" if self._channels == 1 else "c0=c0|c1=c1"
            steps.insert(0, self._graph.add("pan", f"{layout}|{order}"))
        self._graph.link_nodes(source, *steps, self._graph.add("abuffersink")).configure()

    def convert(self, frame: AudioFrame | None) -> Iterator[bytes]:
        """The PCM that is ready after `frame`; None gives the rest."""
        if frame is not None:
            frame.pts = None
        self._graph.push(frame)
        while True:
            try:
                ready = cast(AudioFrame, self._graph.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            length_bytes = ready.samples * self._channels * 2
            yield memoryview(ready.planes[0])[:length_bytes].tobytes()


def shape_of(frame: AudioFrame) -> tuple[int, str, str]:
    """What a converter is made for: rate in Hz, sample format, layout."""
    return frame.sample_rate, frame.format.name, frame.layout.name


class Ear:
    """Counts what the decoder gives, and keeps it as PCM while it can still become a bubble.

    Length is counted before resampling, at the source's own rate: a second of sound at 1 Hz is one sample here, and
    48,000 behind the resampler.
    """

    def __init__(self, rate_hz: int, stop_after_s: float) -> None:
        self._rate_hz, self._stop_after_s = rate_hz, stop_after_s
        self._samples_by_rate: Counter[int] = Counter()
        self._converter: Converter | None = None
        self.layout = ""
        self.pcm: list[bytes] = []
        self.reason = ""

    @property
    def duration_s(self) -> float:
        """Seconds heard so far."""
        return sum(samples / rate_hz for rate_hz, samples in self._samples_by_rate.items())

    def hear(self, frame: AudioFrame) -> None:
        """Takes the next frame. Raises Hopeless when the sound is longer than any bubble."""
        if frame.sample_rate < 1:
            raise Hopeless("rate")
        self._samples_by_rate[frame.sample_rate] += frame.samples
        if self.duration_s > self._stop_after_s:
            raise Hopeless("too_long")
        self.reason = self.reason or unusable(frame.sample_rate, frame.layout.nb_channels)
        if not self.reason and frame.samples:
            self._keep(frame)

    def _keep(self, frame: AudioFrame) -> None:
        self.layout = self.layout or ("mono" if frame.layout.nb_channels == 1 else "stereo")
        if self._converter is None or self._converter.shape != shape_of(frame):
            self.finish()
            self._converter = Converter(frame, self.layout, self._rate_hz)
        self.pcm.extend(self._converter.convert(frame))

    def finish(self) -> None:
        """Takes what is left in the converter."""
        if self._converter is not None:
            self.pcm.extend(self._converter.convert(None))


def unusable(rate_hz: int, channels: int) -> str:
    """Why sound of this kind is not resampled; empty when it is."""
    if not RATE_MIN_HZ <= rate_hz <= RATE_MAX_HZ:
        return "rate"
    return "" if 1 <= channels <= CHANNELS_MAX else "channels"


def refuse_nested_open(*_wanted: object) -> None:
    """What a demuxer is told that wants a second file: it would name address, flags and options."""
    raise PermissionError(1, "a recording is one file")


def open_sound() -> InputContainer:
    """The recording on standard input. Tags of any encoding pass, since they are dropped anyway."""
    try:
        return av.open(
            open(0, "rb", buffering=0, closefd=False),
            "r",
            options={"format_whitelist": DEMUXERS, "codec_whitelist": ",".join(DECODERS), "threads": "1"},
            metadata_errors="replace",
            io_open=refuse_nested_open,
        )
    except av.FFmpegError as error:
        raise Hopeless("memory" if isinstance(error, MemoryError) else "format") from error


def first_audio(container: InputContainer) -> AudioStream:
    """The first audio stream, to be decoded in this thread."""
    if not container.streams.audio:
        raise Hopeless("no_audio")
    stream = container.streams.audio[0]
    if stream.codec_context is None or stream.codec_context.name not in DECODERS:
        raise Hopeless("codec")
    stream.codec_context.thread_count = 1
    return stream


def frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """All that can be decoded: a damaged packet is skipped, a damaged container ends the sound."""
    bad_packets = 0
    packets = container.demux(stream)
    while bad_packets <= BAD_PACKETS_MAX:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            packet = None
        try:
            yield from stream.decode(packet)
        except av.error.EOFError:
            return
        except av.FFmpegError:
            bad_packets += 1
        if packet is None:
            return
    raise Hopeless("damaged")


def decode(rate_hz: int, stop_after_s: float) -> tuple[dict[str, Any], bytes]:
    """The verdict and the PCM. Raises Hopeless."""
    ear = Ear(rate_hz, stop_after_s)
    with open_sound() as container:
        stream = first_audio(container)
        for frame in frames(container, stream):
            ear.hear(frame)
        ear.finish()
        if ear.reason or not ear.pcm:
            raise Hopeless(ear.reason or "empty")
        verdict = {
            "duration_s": ear.duration_s,
            "container": container.format.name,
            "codec": stream.codec_context.name,
            "rate_hz": stream.codec_context.sample_rate,
            "channels": stream.codec_context.layout.nb_channels,
            "pcm_channels": 1 if ear.layout == "mono" else 2,
        }
    return verdict, b"".join(ear.pcm)


def judge(task: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The verdict on the recording, whatever it does."""
    try:
        return decode(task["rate_hz"], task["stop_after_s"])
    except Hopeless as hopeless:
        return {"reason": str(hopeless)}, b""
    except MemoryError:
        return {"reason": "memory"}, b""
    except Exception:
        # Whatever PyAV raises over hostile bytes is the file's fault: this process was made to fail.
        return {"reason": "damaged"}, b""


def main() -> None:
    """Walls first, then the bytes."""
    task = json.loads(sys.argv[1])
    tie_to(task["parent_pid"])
    walls = confine(task["memory_mib"] * 1024 * 1024, task["cpu_s"])
    with open(1, "wb", buffering=0, closefd=False) as answer:
        answer.write(b"ready\n")
        verdict, pcm = judge(task) if "stop_after_s" in task else (walls, b"")
        answer.write(json.dumps(verdict).encode() + b"\n")
        rest = memoryview(pcm)
        while rest:
            rest = rest[answer.write(rest) :]
    os._exit(0)
