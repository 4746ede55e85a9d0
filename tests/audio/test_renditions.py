"""The files that people hear: equally loud, never clipping, and nothing of the upload in them but its sound."""

import contextlib
import os
from pathlib import Path

import av
import numpy as np
import pytest
from soundmaking import Samples, Shape, tone, voice, written

from bubbles.audio import renditions
from bubbles.audio.filters import frames
from bubbles.audio.loudness import integrated_lufs, true_peak_dbtp
from bubbles.audio.renditions import Encoded, render
from bubbles.audio.sandbox import Limits, decode

SPEECH = Path(os.getenv("BUBBLES_SPEECH_DIR", Path(__file__).parents[3] / "shared/speech"))  # noqa: TID251 tests only


def loud() -> Samples:
    """Music-like and clipped: noise and chords at full scale."""
    noise = np.random.default_rng(3).normal(0, 0.5, 5 * 48_000)
    chord = sum(tone(5, pitch_hz=pitch_hz) / 32_767 for pitch_hz in (220, 277, 330, 2_217))
    return (np.clip(noise + chord, -1, 1) * 32_767).astype("<i2")


def spoken(name: str) -> Samples:
    """A sentence that a person read."""
    path = SPEECH / name
    if not path.exists():
        pytest.skip("no speech samples here")
    return np.frombuffer(decode(path, Limits()).pcm, dtype="<i2")


SOUNDS = {
    "speech-like": lambda: voice(8),
    "quiet": lambda: (voice(8) * 0.01).astype("<i2"),
    "loud": loud,
    "half a second": lambda: voice(0.5),
    "read aloud": lambda: spoken("fleurs-fr-002.ogg"),
    "read far away": lambda: spoken("fleurs-en-004.ogg"),
}


def heard(rendition: Encoded) -> tuple[Samples, dict[str, str]]:
    """The rendition decoded by plain PyAV, and the last measures of FFmpeg's loudness meter over it."""
    graph = av.filter.Graph()
    source = graph.add("abuffer", sample_rate="48000", sample_fmt="fltp", channel_layout="mono", time_base="1/48000")
    meter = graph.add("ebur128", metadata="1", peak="true")
    graph.link_nodes(source, meter, graph.add("abuffersink")).configure()
    parts, measures = [], {}
    with av.open(str(rendition.path)) as container:
        assert [stream.type for stream in container.streams] == ["audio"]
        for frame in container.decode(audio=0):
            assert (frame.layout.name, frame.sample_rate) == ("mono", 48_000)
            parts.append(frame.to_ndarray()[0])
            graph.push(frame)
    graph.push(None)
    while True:
        try:
            measures.update(graph.pull().metadata)
        except (av.error.BlockingIOError, av.error.EOFError):
            return np.concatenate(parts), measures


@pytest.mark.parametrize("name", SOUNDS)
def test_all_are_equally_loud_and_none_clips(tmp_path: Path, name: str) -> None:
    sound = SOUNDS[name]()
    made = render(sound.tobytes(), tmp_path)
    assert [rendition.kind for rendition in made] == ["m4a", "ogg"]
    for rendition in made:
        samples, measures = heard(rendition)
        assert float(measures["lavfi.r128.true_peak"]) < 10 ** (-1.5 / 20)
        assert len(samples) == pytest.approx(len(sound), abs=1_024)  # a frame of AAC
        assert rendition.duration_s == pytest.approx(len(sound) / 48_000, abs=0.01)
        assert _loudness_lufs(samples) == pytest.approx(-16, abs=1)
        if len(sound) > 48_000:
            assert float(measures["lavfi.r128.I"]) == pytest.approx(-16, abs=1)


def _loudness_lufs(samples: Samples) -> float:
    return integrated_lufs((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())


def _true_peak_dbtp(made: list[Encoded]) -> float:
    return max(true_peak_dbtp(renditions._decoded(rendition.path)) for rendition in made)


def test_a_codec_that_overshoots_is_given_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet voice with claps in it, which reach any ceiling."""
    sound = voice(8) // 20
    sound[::24_000] = 32_767
    monkeypatch.setattr(renditions, "CEILINGS_DBFS", (0.0,))
    assert _true_peak_dbtp(render(sound.tobytes(), tmp_path)) > -1.5
    monkeypatch.setattr(renditions, "CEILINGS_DBFS", (0.0, -6.0))
    assert -8 < _true_peak_dbtp(render(sound.tobytes(), tmp_path)) < -1.5


@pytest.mark.parametrize(
    "sound",
    [np.zeros(48_000, "<i2"), np.zeros(1, "<i2"), tone(0.01), np.full(96_000, 1, "<i2"), np.array([32_767], "<i2")],
    ids=["silence", "one sample", "ten milliseconds", "a constant", "a click"],
)
def test_strange_sounds_stay_finite(tmp_path: Path, sound: Samples) -> None:
    made = render(sound.tobytes(), tmp_path)
    assert -120 <= _true_peak_dbtp(made) < -1.5
    assert all(rendition.length_bytes > 0 for rendition in made)
    assert -70 <= integrated_lufs(sound.tobytes()) < 0
    assert -120 <= true_peak_dbtp(frames(sound.tobytes())) < 3


def test_the_same_sound_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        files.append([rendition.path.read_bytes() for rendition in render(voice(2).tobytes(), folder)])
    assert files[0] == files[1]


def test_renditions_say_what_they_are(tmp_path: Path) -> None:
    m4a, ogg = render(voice(2).tobytes(), tmp_path)
    assert (m4a.media_type, ogg.media_type) == ("audio/mp4", "audio/ogg")
    assert m4a.path.read_bytes().index(b"moov") < m4a.path.read_bytes().index(b"mdat")
    for rendition in (m4a, ogg):
        assert rendition.length_bytes == rendition.path.stat().st_size
    assert {path.name for path in tmp_path.iterdir()} == {"sound.m4a", "sound.ogg"}


@pytest.mark.parametrize("duration_s", [20, 59.9, 61, 90])
def test_a_minute_is_in_the_first_minutes_bytes(tmp_path: Path, duration_s: float) -> None:
    """Whoever was sent that many bytes can play the first minute, or all of a shorter sound."""
    for rendition in render(voice(duration_s).tobytes(), tmp_path):
        whole, data = rendition.length_bytes, rendition.path.read_bytes()
        assert (rendition.minute_bytes == whole) == (duration_s < 60)
        assert rendition.minute_bytes <= whole
        rendition.path.write_bytes(data[: rendition.minute_bytes])
        assert _playable_s(rendition.path) >= min(60, duration_s) - 0.05
        rendition.path.write_bytes(data[: int(rendition.minute_bytes * 0.9)])
        assert _playable_s(rendition.path) < min(60, duration_s) - 1


def _playable_s(path: Path) -> float:
    """Seconds until the end, or until the cut that a player would stop at."""
    samples = 0
    with av.open(str(path)) as container, contextlib.suppress(av.error.InvalidDataError):
        for frame in container.decode(audio=0):
            samples += frame.samples
    return samples / 48_000


TRACES = (b"SECRET", b"48.857", b"002.29", b"\xa9xyz", b"loci", b"Lavf", b"Lavc")
TAGS = {"title": "SECRETTITLE", "artist": "SECRETARTIST", "comment": "SECRETCOMMENT", "location": "+48.8577+002.2950/"}


@pytest.mark.parametrize(
    "shape",
    [
        Shape(".m4a", "mp4", "aac", 44_100, options={"movflags": "+use_metadata_tags"}),
        Shape(".mov", "mov", "aac", 44_100),
        Shape(".mp3", "mp3", "libmp3lame", 44_100),
        Shape(".ogg", "ogg", "libopus"),
    ],
    ids=lambda shape: shape.suffix,
)
def test_tags_of_the_upload_are_gone(tmp_path: Path, shape: Shape) -> None:
    upload = tmp_path / "upload"
    data = written(voice(2, shape.rate_hz), shape, TAGS)
    assert b"SECRETTITLE" in data
    assert b"48.857" in data
    upload.write_bytes(data)
    for rendition in render(decode(upload, Limits()).pcm, tmp_path):
        data = rendition.path.read_bytes()
        assert [word for word in TRACES if word in data] == []
        with av.open(str(rendition.path)) as container:
            assert set(container.metadata) <= {"major_brand", "minor_version", "compatible_brands"}
            assert set(container.streams[0].metadata) <= {"language", "handler_name", "vendor_id"}
            assert container.streams[0].metadata.get("handler_name", "SoundHandler") == "SoundHandler"
            assert container.chapters() == []


def test_loudness_of_a_known_tone() -> None:
    """EBU Tech 3341: a 1 kHz sine at -23 dBFS in one channel reads -23 - 3.01 LUFS, being one channel of two."""
    sine = tone(5, pitch_hz=997, amplitude=10 ** (-20 / 20)).tobytes()
    assert integrated_lufs(sine) == pytest.approx(-23, abs=0.2)
    assert true_peak_dbtp(frames(sine)) == pytest.approx(-20, abs=0.1)
    assert integrated_lufs(bytes(96_000)) == integrated_lufs(b"") == -70
    assert true_peak_dbtp(frames(bytes(96_000))) == -120
