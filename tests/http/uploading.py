"""An upload as anybody may send it."""

import io
import math
import struct
import wave

from httpx import Response
from starlette.testclient import TestClient


def tone(seconds: float = 1.0, *, level: float = 0.3, rate_hz: int = 16_000) -> bytes:
    """A WAV of a sine at 440 Hz."""
    samples = (int(level * 32767 * math.sin(2 * math.pi * 440 * n / rate_hz)) for n in range(int(seconds * rate_hz)))
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setparams((1, 2, rate_hz, 0, "NONE", "none"))
        opened.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()


def post(client: TestClient, author: dict[str, str], sound: bytes | None = None, **fields: str) -> Response:
    """Sends a recording, with these fields, and `key` as its Idempotency-Key."""
    audio = {"audio": ("sound.wav", tone() if sound is None else sound, "audio/wav")}
    headers = author | {"Idempotency-Key": fields.pop("key")} if "key" in fields else author
    return client.post("/api/bubbles", files=audio, data=fields, headers=headers)
