"""A hundred good recordings, as phones, browsers and editors make them: 8 to 96 kHz, mono and stereo, 0.5 to 119.9 s.

    for name, data in recordings(): ...
    DURATION_S[name]

Put this folder on `sys.path` to import it from elsewhere. Nothing is random: the same bytes each time.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from soundmaking import Shape, voice, written

LIVE = {"live": "1", "cluster_time_limit": "1000"}
FRAGMENTED = {"movflags": "+frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}

_KINDS: dict[str, tuple[Shape, tuple[int, ...], tuple[str, ...]]] = {
    "wav": (Shape(".wav", "wav", "pcm_s16le"), (8_000, 11_025, 44_100, 96_000), ("mono", "stereo")),
    "aiff": (Shape(".aiff", "aiff", "pcm_s16be"), (22_050, 48_000), ("mono", "stereo")),
    "caf": (Shape(".caf", "caf", "pcm_s16le"), (44_100,), ("mono", "stereo")),
    "flac": (Shape(".flac", "flac", "flac"), (8_000, 16_000, 48_000, 96_000), ("mono", "stereo")),
    "mp3": (Shape(".mp3", "mp3", "libmp3lame"), (16_000, 24_000, 44_100, 48_000), ("mono", "stereo")),
    "ogg-opus": (Shape(".ogg", "ogg", "libopus"), (16_000, 24_000, 48_000), ("mono", "stereo")),
    "ogg-vorbis": (Shape(".ogg", "ogg", "vorbis"), (44_100, 48_000), ("stereo",)),
    "ogg-flac": (Shape(".oga", "ogg", "flac"), (44_100,), ("mono", "stereo")),
    "webm-opus": (Shape(".webm", "webm", "libopus"), (48_000,), ("mono", "stereo")),
    "recorder-webm": (
        Shape(".webm", "webm", "libopus", seekable=False, options=LIVE),
        (48_000,),
        ("mono", "stereo"),
    ),
    "mka-flac": (Shape(".mka", "matroska", "flac"), (48_000,), ("mono",)),
    "mp4-aac": (Shape(".mp4", "mp4", "aac"), (22_050, 44_100, 48_000), ("mono", "stereo")),
    "recorder-mp4-opus": (Shape(".mp4", "mp4", "libopus", options=FRAGMENTED), (48_000,), ("mono", "stereo")),
    "recorder-mp4-aac": (Shape(".mp4", "mp4", "aac", options=FRAGMENTED), (48_000,), ("mono",)),
    "m4a-aac": (
        Shape(".m4a", "ipod", "aac"),
        (44_100, 48_000, 96_000),
        ("mono", "stereo"),
    ),
    "m4a-alac": (Shape(".m4a", "ipod", "alac"), (44_100,), ("mono", "stereo")),
    "mov-pcm": (Shape(".mov", "mov", "pcm_s16le"), (44_100,), ("mono", "stereo")),
    "3gp-amr": (Shape(".3gp", "3gp", "libopencore_amrnb"), (8_000,), ("mono",)),
    "amr": (Shape(".amr", "amr", "libopencore_amrnb"), (8_000,), ("mono",)),
    "aac-adts": (Shape(".aac", "adts", "aac"), (44_100, 48_000), ("mono", "stereo")),
}

_SHORT_S = (0.5, 1.0, 2.3, 3.7, 5.2, 8.0)
_LONG = (
    ("recorder-webm", 48_000, "mono", 119.9),
    ("recorder-mp4-opus", 48_000, "mono", 90.0),
    ("ogg-opus", 48_000, "stereo", 119.9),
    ("m4a-aac", 44_100, "mono", 60.0),
    ("mp3", 24_000, "mono", 119.9),
    ("flac", 96_000, "stereo", 60.0),
    ("flac", 16_000, "mono", 119.9),
    ("wav", 96_000, "stereo", 119.9),
    ("wav", 8_000, "mono", 119.9),
    ("3gp-amr", 8_000, "mono", 119.9),
    ("aac-adts", 48_000, "mono", 30.0),
)


def _specs() -> Iterator[tuple[str, int, str, float]]:
    """Kind, rate, layout, length: each kind at all its rates and layouts, mono at two lengths; then the long ones."""
    turn = 0
    for kind, (_, rates_hz, layouts) in _KINDS.items():
        for rate_hz in rates_hz:
            for layout in layouts:
                for _ in range(2 if layout == "mono" else 1):
                    yield kind, rate_hz, layout, _SHORT_S[turn % len(_SHORT_S)]
                    turn += 1
    yield from _LONG


def _named() -> dict[str, tuple[str, int, str, float]]:
    return {
        f"{kind}-{rate_hz}-{layout}-{duration_s}s{_KINDS[kind][0].suffix}": (kind, rate_hz, layout, duration_s)
        for kind, rate_hz, layout, duration_s in _specs()
    }


_SPECS = _named()
DURATION_S = {name: duration_s for name, (_, _, _, duration_s) in _SPECS.items()}
NAMES = list(_SPECS)


def recording(name: str) -> bytes:
    """One of them by name."""
    kind, rate_hz, layout, duration_s = _SPECS[name]
    base = _KINDS[kind][0]
    shape = Shape(base.suffix, base.muxer, base.codec, rate_hz, layout, base.seekable, base.options, base.codec_options)
    return written(voice(duration_s, rate_hz, seed=len(name)), shape)


def recordings() -> Iterator[tuple[str, bytes]]:
    """All of them, made one by one: together they are 120 MB."""
    for name in NAMES:
        yield name, recording(name)
