"""Files that ask for other files: none is read, and nobody is called.

Beside every trap lie a canary file, watched by inotify, and a listening port.
"""

import ctypes
import os
import select
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import bombs
import pytest
from soundmaking import Shape, voice, written

from bubbles.audio import inside
from bubbles.audio.sandbox import Limits, decode
from bubbles.errors import Code, Refused

Trap = Callable[[str], bytes]

IN_ACCESS, IN_OPEN, IN_NONBLOCK = 0x1, 0x20, 0o4000
MP3 = Shape(".mp3", "mp3", "libmp3lame", 44_100)


@dataclass
class Canary:
    """A sound file that nobody but its owner may touch, and a port that nobody may call."""

    path: Path
    watch: int
    listener: socket.socket

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/canary.wav"

    def touched(self) -> bool:
        return self._readable(self.watch)

    def called(self) -> bool:
        return self._readable(self.listener.fileno())

    @staticmethod
    def _readable(descriptor: int) -> bool:
        return bool(select.select([descriptor], [], [], 0)[0])


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    path = tmp_path / "canary.wav"
    path.write_bytes(written(voice(2), Shape(".wav", "wav", "pcm_s16le")))
    kernel = ctypes.CDLL(None, use_errno=True)
    watch = kernel.inotify_init1(IN_NONBLOCK)
    assert watch >= 0
    assert kernel.inotify_add_watch(watch, os.fsencode(path), IN_ACCESS | IN_OPEN) >= 0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Canary(path, watch, listener)
    os.close(watch)


def hls(target: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n".encode()


def concat(target: str) -> bytes:
    return f"ffconcat version 1.0\nfile '{target}'\nduration 10\n".encode()


def dash(target: str) -> bytes:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT10S">'
        '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="64000" codecs="mp4a.40.2">'
        f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ).encode()


def sdp(target: str) -> bytes:
    port = target.rpartition(":")[2].partition("/")[0] if target.startswith("http") else "5004"
    return f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n".encode()


def rtsp(target: str) -> bytes:
    return f"RTSPtext\n{target.replace('http', 'rtsp')}\n".encode()


def asx(target: str) -> bytes:
    return f'<asx version="3.0"><entry><ref href="{target}"/></entry></asx>'.encode()


def pls(target: str) -> bytes:
    return f"[playlist]\nNumberOfEntries=1\nFile1={target}\n".encode()


def movie_elsewhere(target: str) -> bytes:
    return bombs.movie(chunks=1, samples_a_chunk=8_000, elsewhere=target.encode().ljust(160, b"\0"))


def hls_after_id3(target: str) -> bytes:
    return b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + hls(target)


def hls_in_wav(target: str) -> bytes:
    return bombs.wav(hls(target).ljust(2_000, b"\n"), rate_hz=0)


def hls_before_mp3(target: str) -> bytes:
    return hls(target) + written(voice(1, 44_100), MP3)


def concat_before_ogg(target: str) -> bytes:
    return concat(target) + written(voice(1), Shape(".ogg", "ogg", "libopus"))


TRAPS = [hls, concat, dash, sdp, rtsp, asx, pls, hls_after_id3, hls_in_wav]
AMBIGUOUS = [movie_elsewhere, hls_before_mp3, concat_before_ogg]


def targets(canary: Canary) -> list[str]:
    path = str(canary.path)
    return [path, f"file://{path}", f"subfile,,start,0,end,0,,:{path}", f"concat:{path}", canary.url]


@pytest.mark.parametrize("suffix", [".wav", ".mp3"])
@pytest.mark.parametrize("trap", TRAPS)
def test_a_playlist_reads_no_other_file(canary: Canary, leaves_nothing: Path, trap: Trap, suffix: str) -> None:
    path = leaves_nothing / f"recording{suffix}"
    for target in targets(canary)[:: 1 if suffix == ".wav" else 2]:
        path.write_bytes(trap(target))
        with pytest.raises(Refused) as refusal:
            decode(path, Limits())
        assert refusal.value.code is Code.NOT_AUDIO
    assert not canary.touched()
    assert not canary.called()


@pytest.mark.parametrize("trap", AMBIGUOUS)
def test_a_playlist_with_sound_behind_it_reads_no_other_file(canary: Canary, tmp_path: Path, trap: Trap) -> None:
    """It may pass as the sound that it holds itself (one second), never as what it points at (two)."""
    path = tmp_path / "recording"
    for target in targets(canary):
        path.write_bytes(trap(target))
        try:
            assert decode(path, Limits()).duration_s == pytest.approx(1, abs=0.1)
        except Refused as refused:
            assert refused.code is Code.NOT_AUDIO
    assert not canary.touched()
    assert not canary.called()


def test_the_traps_would_catch_a_naive_reader(canary: Canary, tmp_path: Path) -> None:
    """The same playlists, opened as most programs do: the canary sings, the port is called."""
    path = tmp_path / "naive.ffconcat"
    path.write_bytes(concat(canary.path.name))
    with av.open(str(path)) as container:
        assert next(container.decode(audio=0)).samples
    assert canary.touched()
    path = tmp_path / "naive.m3u8"
    path.write_bytes(hls(canary.url))
    with pytest.raises(av.FFmpegError):
        av.open(str(path), timeout=(2, 2), options={"protocol_whitelist": "file,http,tcp"})
    assert canary.called()


@pytest.mark.parametrize("trap", [hls, concat, dash, sdp])
def test_the_demuxer_list_alone_reads_no_other_file(canary: Canary, tmp_path: Path, trap: Trap) -> None:
    """Opened by its path and without walls, with nothing but the list in force."""
    path = tmp_path / "naive.m3u8"
    path.write_bytes(trap(canary.path.name))
    with pytest.raises(av.FFmpegError):
        av.open(str(path), options={"format_whitelist": inside.DEMUXERS, "safe": "0"})
    assert not canary.touched()


def test_refusing_nested_files_alone_reads_no_other_file(canary: Canary, tmp_path: Path) -> None:
    """As if the list had a hole: the playlist is understood, and what it names is asked for and not given.

    HLS only: FFmpeg's concat demuxer asks nobody, so that the list and the walls are what holds it.
    """
    path, asked = tmp_path / "naive", []

    def refuse(*wanted: object) -> None:
        asked.append(wanted)
        inside.refuse_nested_open(*wanted)

    path.write_bytes(hls(canary.path.name))
    with path.open("rb") as file, pytest.raises(PermissionError):
        av.open(file, format="hls", io_open=refuse)
    assert {wanted[0] for wanted in asked} == {str(canary.path)}
    assert not canary.touched()


def test_a_format_outside_the_list_is_refused(leaves_nothing: Path) -> None:
    """Even one that is harmless: the list is what is read, not what is not."""
    path = leaves_nothing / "recording"
    for shape in (Shape(".au", "au", "pcm_s16be"), Shape(".avi", "avi", "libmp3lame")):
        path.write_bytes(written(voice(1), shape))
        with pytest.raises(Refused) as refusal:
            decode(path, Limits())
        assert refusal.value.code is Code.NOT_AUDIO
