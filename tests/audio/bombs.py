"""Small files that unfold to ten hours of sound, and headers that lie about their length.

    BOMBS["flac"]() -> bytes

Containers are written by hand where encoding ten hours would take long.
"""

import functools
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parent))
from soundmaking import Shape, voice, written

TEN_HOURS_S = 36_000
FLAC = Shape(".flac", "flac", "flac", 4_000, codec_options={"frame_size": "16384", "compression_level": "0"})


@functools.cache
def flac() -> bytes:
    """Silence at 4 kHz, coded: some bytes for four seconds."""
    return written(np.zeros(TEN_HOURS_S * FLAC.rate_hz, dtype="<i2"), FLAC)


def flac_saying(duration_s: float, data: bytes, rate_hz: int) -> bytes:
    """The same stream with another length in its header: the last 36 bits of STREAMINFO's second quarter."""
    samples = int(duration_s * rate_hz)
    return data[:21] + bytes([data[21] & 0xF0 | samples >> 32]) + struct.pack(">I", samples & 0xFFFFFFFF) + data[26:]


def mp3() -> bytes:
    """One frame of silence over and over."""
    shape = Shape(".mp3", "mp3", "libmp3lame", 8_000, options={"write_xing": "0", "id3v2_version": "0"})
    coded = written(np.zeros(8_000 * 4, dtype="<i2"), Shape(**{**vars(shape), "codec_options": {"b": "8000"}}))
    frame_bytes, frame_samples = 72, 576
    return coded[:frame_bytes] * (TEN_HOURS_S * shape.rate_hz // frame_samples)


def opus() -> bytes:
    """Packets of two bytes that hold six lost frames of 20 ms each: a decoder fills them in."""
    head = b"OpusHead" + struct.pack("<BBHIHB", 1, 1, 312, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I6sI", 6, b"bubble", 0)
    packet, packet_samples, packets_a_page = bytes([0b00001011, 6]), 5_760, 255
    pages = [_ogg_page([head], 0, 0, 2), _ogg_page([tags], 0, 1, 0)]
    for number in range(TEN_HOURS_S * 48_000 // (packet_samples * packets_a_page)):
        granule = (number + 1) * packets_a_page * packet_samples
        pages.append(_ogg_page([packet] * packets_a_page, granule, number + 2, 0))
    return b"".join(pages)


def _ogg_page(packets: list[bytes], granule: int, number: int, flags: int) -> bytes:
    """RFC 3533: a page of packets shorter than 255 bytes."""
    lengths = bytes(len(packet) for packet in packets)
    head = b"OggS" + struct.pack("<BBqIII", 0, flags, granule, 1, number, 0) + bytes([len(lengths)]) + lengths
    page = head + b"".join(packets)
    return page[:22] + struct.pack("<I", _ogg_crc(page)) + page[26:]


def _crc_table() -> Iterator[int]:
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        yield value


_CRC = tuple(_crc_table())


def _ogg_crc(page: bytes) -> int:
    crc = 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _CRC[crc >> 24 ^ byte]
    return crc


def wav_at_1_hz() -> bytes:
    """72 kB; the same seconds at 48 kHz would be 3.5 GB."""
    return wav(np.zeros(TEN_HOURS_S, dtype="<i2").tobytes(), rate_hz=1)


def wav(data: bytes, *, rate_hz: int, saying_bytes: int | None = None, channel_mask: int | None = None) -> bytes:
    """Mono s16le, with a length in its header that need not be true; with a mask in the extensible form."""
    length_bytes = len(data) if saying_bytes is None else saying_bytes
    form = struct.pack("<HHIIHH", 1 if channel_mask is None else 0xFFFE, 1, rate_hz, rate_hz * 2, 2, 16)
    if channel_mask is not None:
        form += struct.pack("<HHI", 22, 16, channel_mask) + bytes.fromhex("0100000000001000800000aa00389b71")
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", length_bytes)
    return b"RIFF" + struct.pack("<I", min(len(chunks) + 4 + length_bytes, 0xFFFFFFFF)) + b"WAVE" + chunks + data


def mov() -> bytes:
    """A second of PCM that the index names 36,000 times."""
    return movie(chunks=TEN_HOURS_S, samples_a_chunk=8_000)


def mov_index() -> bytes:
    """An index of a thousand million samples in a few hundred bytes."""
    return movie(chunks=1, samples_a_chunk=1_000_000_000, codec=b"mp4a")


def movie(*, chunks: int, samples_a_chunk: int, codec: bytes = b"sowt", elsewhere: bytes = b"") -> bytes:
    """QuickTime: one track of 8 kHz mono whose chunks all lie at the same place, or in a file elsewhere."""
    samples = chunks * samples_a_chunk
    sound = np.zeros(8_000, dtype="<i2").tobytes()
    start = _box(b"ftyp", b"qt  \0\0\0\0qt  ") + _box(b"mdat", sound)
    entry = _box(codec, bytes(6), struct.pack(">HHHIHHHHI", 1, 0, 0, 0, 1, 16, 0, 0, 8_000 << 16))
    place = _box(b"alis" if elsewhere else b"url ", struct.pack(">I", 0 if elsewhere else 1), elsewhere)
    table = _box(
        b"stbl",
        _box(b"stsd", struct.pack(">II", 0, 1), entry),
        _box(b"stts", struct.pack(">IIII", 0, 1, samples, 1)),
        _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, samples_a_chunk, 1)),
        _box(b"stsz", struct.pack(">III", 0, 2, samples)),
        _box(b"stco", struct.pack(">II", 0, chunks), struct.pack(">I", len(start) - len(sound)) * chunks),
    )
    media = _box(b"minf", _box(b"smhd", bytes(8)), _box(b"dinf", _box(b"dref", struct.pack(">II", 0, 1), place)), table)
    timing = struct.pack(">IIIIIHH", 0, 0, 0, 8_000, min(samples, 0x7FFFFFFF), 0, 0)
    handler = _box(b"hdlr", bytes(4), b"mhlrsoun", bytes(13))
    track = _box(
        b"trak",
        _box(b"tkhd", struct.pack(">IIIII", 1, 0, 0, 1, 0), bytes(64)),
        _box(b"mdia", _box(b"mdhd", timing), handler, media),
    )
    head = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 8_000, 8_000), bytes(80))
    return start + _box(b"moov", head, track)


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + name + body


def five_seconds() -> bytes:
    """A short honest FLAC, to give lying headers to."""
    return written(voice(5, 16_000), Shape(".flac", "flac", "flac", 16_000))


BOMBS: dict[str, Callable[[], bytes]] = {
    "flac": flac,
    "flac saying 60 s": lambda: flac_saying(60, flac(), FLAC.rate_hz),
    "mp3": mp3,
    "opus": opus,
    "wav at 1 Hz": wav_at_1_hz,
    "mov": mov,
    "mov index": mov_index,
}
