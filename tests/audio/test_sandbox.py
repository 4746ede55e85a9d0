"""Which recordings pass the door, what they become, and how the others are refused."""

from pathlib import Path

import bombs
import numpy as np
import pytest
from soundmaking import Shape, tone, voice, written

from bubbles.audio.sandbox import PCM_RATE_HZ, Decoded, Limits, decode
from bubbles.errors import Code, Refused

WAV = Shape(".wav", "wav", "pcm_s16le")
STEREO = Shape(".wav", "wav", "pcm_s16le", layout="stereo")


def decoded(folder: Path, data: bytes, limits: Limits | None = None) -> Decoded:
    path = folder / "recording"
    path.write_bytes(data)
    return decode(path, limits or Limits())


def refusal(folder: Path, data: bytes, limits: Limits | None = None) -> Code:
    with pytest.raises(Refused) as refused:
        decoded(folder, data, limits)
    return refused.value.code


def samples(sound: Decoded) -> np.ndarray:
    return np.frombuffer(sound.pcm, dtype="<i2").astype(float)


def test_what_was_recorded_comes_out(leaves_nothing: Path) -> None:
    sound = voice(3.7)
    result = decoded(leaves_nothing, written(sound, WAV))
    assert (result.duration_s, result.container, result.codec) == (3.7, "wav", "pcm_s16le")
    assert (result.rate_hz, result.channels) == (48_000, 1)
    assert result.pcm == sound.tobytes()


def test_the_source_is_described_and_the_pcm_is_ours(tmp_path: Path) -> None:
    shape = Shape(".flac", "flac", "flac", 22_050, "stereo")
    result = decoded(tmp_path, written(voice(2, 22_050), shape))
    assert (result.rate_hz, result.channels, result.codec) == (22_050, 2, "flac")
    assert len(result.pcm) == pytest.approx(2 * PCM_RATE_HZ * 2, abs=100)


@pytest.mark.parametrize(
    ("duration_s", "code"),
    [(119.9, None), (120.0, None), (120.4, None), (120.6, Code.TOO_LONG), (122.0, Code.TOO_LONG)],
)
def test_two_minutes_and_half_a_second_pass(tmp_path: Path, duration_s: float, code: Code | None) -> None:
    data = bombs.wav(bytes(round(duration_s * 8_000) * 2), rate_hz=8_000)
    if code is None:
        assert decoded(tmp_path, data).duration_s == duration_s
    else:
        assert refusal(tmp_path, data) is code


def test_a_click_is_too_short(tmp_path: Path) -> None:
    assert refusal(tmp_path, written(voice(0.29), WAV)) is Code.TOO_SHORT
    assert decoded(tmp_path, written(voice(0.31), WAV)).duration_s == pytest.approx(0.31)


def test_the_limits_are_the_callers(tmp_path: Path) -> None:
    data = written(voice(5), WAV)
    assert refusal(tmp_path, data, Limits(duration_max_s=3)) is Code.TOO_LONG
    assert refusal(tmp_path, data, Limits(duration_min_s=6)) is Code.TOO_SHORT
    assert decoded(tmp_path, data, Limits(duration_max_s=3, tolerance_s=2)).duration_s == 5


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"\0" * 4_096, b"RIFF", b"OggS", b"%PDF-1.7\n", b"<html><audio src=x></audio></html>"],
    ids=["empty", "text", "zeros", "riff", "ogg", "pdf", "html"],
)
def test_what_is_no_sound_is_refused(leaves_nothing: Path, data: bytes) -> None:
    assert refusal(leaves_nothing, data) is Code.NOT_AUDIO


def test_a_file_without_a_sample_is_no_sound(tmp_path: Path) -> None:
    assert refusal(tmp_path, bombs.wav(b"", rate_hz=48_000)) is Code.NOT_AUDIO


def test_opposite_channels_do_not_cancel(tmp_path: Path) -> None:
    sound = tone(1)
    for left, right in ((sound, -sound), (sound, -(sound // 10 * 9))):
        heard = samples(decoded(tmp_path, written(np.stack([left, right], axis=1), STEREO)))
        assert np.abs(heard).max() == pytest.approx(np.abs(sound).max(), rel=0.01)


def test_both_channels_are_heard(tmp_path: Path) -> None:
    left, right = tone(1, pitch_hz=400), tone(1, pitch_hz=1_000)
    heard = samples(decoded(tmp_path, written(np.stack([left, right], axis=1), STEREO)))
    spectrum = np.abs(np.fft.rfft(heard))
    assert {400, 1_000} == set(np.argsort(spectrum)[-2:])


def test_one_silent_channel_leaves_the_other(tmp_path: Path) -> None:
    sound = tone(1)
    heard = samples(decoded(tmp_path, written(np.stack([sound, np.zeros_like(sound)], axis=1), STEREO)))
    assert np.abs(heard).max() == pytest.approx(np.abs(sound).max() / 2, rel=0.01)


@pytest.mark.parametrize("mask", [0, 1, 4, 8], ids=["unnamed", "front left", "centre", "bass"])
def test_a_single_channel_may_have_any_name(tmp_path: Path, mask: int) -> None:
    sound = tone(1)
    assert decoded(tmp_path, bombs.wav(sound.tobytes(), rate_hz=48_000, channel_mask=mask)).pcm == sound.tobytes()


@pytest.mark.parametrize("rate_hz", [100, 3_999, 400_000])
def test_a_rate_that_no_recorder_has_is_refused(tmp_path: Path, rate_hz: int) -> None:
    assert refusal(tmp_path, bombs.wav(bytes(rate_hz * 4), rate_hz=rate_hz)) is Code.NOT_AUDIO


def test_damage_in_the_middle_is_skipped(tmp_path: Path) -> None:
    data = bytearray(written(voice(4), Shape(".ogg", "ogg", "libopus")))
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    assert 2.5 <= decoded(tmp_path, bytes(data)).duration_s <= 4


def test_tags_that_are_not_utf8_do_no_harm(tmp_path: Path) -> None:
    shape = Shape(".mp3", "mp3", "libmp3lame", 44_100)
    data = written(voice(1, 44_100), shape, {"title": "PLACEHOLDER"}).replace(
        b"PLACEHOLDER", b"\xe9t\xe9 \xff\xfe\xe0 a"
    )
    assert decoded(tmp_path, data).duration_s == pytest.approx(1, abs=0.1)


def test_only_the_first_sound_of_a_film_is_taken(tmp_path: Path) -> None:
    film = Path(tmp_path / "film.mp4")
    _write_film(film)
    result = decoded(tmp_path, film.read_bytes())
    assert result.codec == "aac"
    assert result.duration_s == pytest.approx(2, abs=0.1)
    assert np.argmax(np.abs(np.fft.rfft(samples(result)))) == pytest.approx(400 * result.duration_s, abs=5)


def _write_film(path: Path) -> None:
    """Moving pictures, and two sounds of 400 and 1,000 Hz."""
    import av

    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        sounds = [container.add_stream("aac", rate=48_000, layout="mono") for _ in range(2)]
        for second in range(2):
            for turn in range(10):
                frame = av.VideoFrame(64, 64, "yuv420p")
                frame.pts = second * 10 + turn
                container.mux(picture.encode(frame))
            for stream, pitch_hz in zip(sounds, (400, 1_000), strict=True):
                beep = av.AudioFrame.from_ndarray(tone(1, pitch_hz=pitch_hz).reshape(1, -1), "s16", "mono")
                beep.sample_rate, beep.pts = 48_000, second * 48_000
                container.mux(stream.encode(beep))
        for stream in (picture, *sounds):
            container.mux(stream.encode(None))
