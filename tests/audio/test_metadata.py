"""GPS and device tags never survive: exiftool reads what players do not, the binary atoms too."""

import json
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest

from bubbles.audio.press import press
from bubbles.audio.sandbox import Limits, decode

EXIFTOOL = Path(__file__).parents[2] / "web/node_modules/exiftool-vendored.pl/bin/exiftool"
SECRETS = {"title": "Maison de Zoé", "artist": "Zoé Martin", "comment": "taken at home", "encoder": "PixelPhone 12"}
LOCATION = "+48.8566+002.3522/"
FORMATS = {"m4a": ("ipod", "aac"), "mp3": ("mp3", "libmp3lame"), "flac": ("flac", "flac"), "ogg": ("ogg", "libopus")}

TOLD = {
    "SourceFile", "ExifTool:ExifToolVersion", "ExifTool:Warning", "File:", "Composite:AvgBitrate",
    "QuickTime:MajorBrand", "QuickTime:MinorVersion", "QuickTime:CompatibleBrands", "QuickTime:MovieHeaderVersion",
    "QuickTime:CreateDate", "QuickTime:ModifyDate", "QuickTime:TimeScale", "QuickTime:Duration",
    "QuickTime:Preferred", "QuickTime:Matrix", "QuickTime:Preview", "QuickTime:Poster", "QuickTime:Selection",
    "QuickTime:CurrentTime", "QuickTime:NextTrackID", "QuickTime:Track", "QuickTime:Media", "QuickTime:Handler",
    "QuickTime:Balance", "QuickTime:Audio", "QuickTime:MovieData", "QuickTime:Sample", "QuickTime:Chunk",
    "QuickTime:TimeToSample", "QuickTime:BufferSize", "QuickTime:MaxBitrate", "QuickTime:AverageBitrate",
    "QuickTime:EditList", "QuickTime:Free", "QuickTime:Unknown_edts", "QuickTime:Unknown_esds",
    "Opus:OpusVersion", "Opus:AudioChannels", "Opus:SampleRate", "Opus:OutputGain", "Vorbis:Vendor",
}  # fmt: skip
"""All that may be told of a rendition: how it is coded. A name stands for those that begin with it."""


def tagged(kind: str, path: Path) -> Path:
    """A recording of a second with a name, a device and a place in its tags."""
    container_format, codec = FORMATS[kind]
    tone = (np.sin(np.arange(48_000) / 20) * 8000).astype(np.int16).reshape(1, -1)
    with av.open(str(path), "w", format=container_format) as container:
        container.metadata.update(SECRETS | {"location": LOCATION, "location-eng": LOCATION, "GPSLatitude": "48.8566"})
        stream = container.add_stream(codec, 48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.rate = 48_000
        resampler = av.AudioResampler(stream.format, "mono", 48_000, frame_size=stream.codec_context.frame_size or 960)
        for part in (*resampler.resample(frame), None):
            container.mux(stream.encode(part))
    return path


def tags(path: Path) -> dict[str, object]:
    """What exiftool reads in a file, duplicates and unknown atoms included."""
    ran = subprocess.run(["perl", EXIFTOOL, "-json", "-G", "-a", "-u", "-ee", path], capture_output=True, check=True)
    return json.loads(ran.stdout)[0]


@pytest.mark.parametrize("kind", FORMATS)
def test_no_tag_of_the_upload_is_in_a_rendition(tmp_path, kind):
    source = tagged(kind, tmp_path / f"source.{kind}")
    assert "Zoé" in json.dumps(tags(source), ensure_ascii=False)
    pcm = decode(source, Limits()).pcm
    for made in press(pcm, tmp_path, deadline_s=60):
        unexpected = {name for name in tags(made.path) if not name.startswith(tuple(TOLD))}
        assert unexpected == set()
        kept = made.path.read_bytes()
        assert not any(secret.encode() in kept for secret in (*SECRETS.values(), LOCATION, "48.8566"))
