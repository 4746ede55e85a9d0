"""From the 202 to playable and to ready, for 10, 60 and 120 s of speech; and the memory of web and worker meanwhile.

python -m tests.bench.journey
"""

import tempfile
import time
import wave
from contextlib import suppress
from pathlib import Path

import httpx

from bubbles.audio.sandbox import PCM_RATE_HZ, Limits, decode
from tests.conftest import speech_folder
from tests.journey.service import Service, running, wait_for

LENGTHS_S = (10, 60, 120)


def speech_of(length_s: int, path: Path) -> None:
    """A WAV of `length_s` seconds of people reading English."""
    recordings = sorted(speech_folder().glob("fleurs-en-*.ogg"))
    pcm = b"".join(decode(recording, Limits()).pcm for recording in recordings)
    frames = length_s * PCM_RATE_HZ * 2
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, PCM_RATE_HZ, 0, "NONE", "none"))
        file.writeframes((pcm * (frames // len(pcm) + 1))[:frames])


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def family(pid: int) -> dict[str, int]:
    """The processes that a service started, by what they are."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):  # one that has just ended
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    worker = next(child for child, parent in parents.items() if parent == pid and "bubbles work" in command(child))
    whisper = next((child for child, parent in parents.items() if parent == worker), None)
    return {"web": pid, "worker": worker} | ({"speech": whisper} if whisper else {})


def command(pid: int) -> str:
    """A process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def journey(service: Service, client: httpx.Client, sound: bytes) -> tuple[float, float, float]:
    """Seconds to the 202, then from it to playable and to ready."""
    began_s = time.monotonic()
    code = client.post("/api/bubbles", files={"audio": ("speech.wav", sound)}).raise_for_status().json()["code"]
    accepted_s = time.monotonic()

    def reached(*states: str) -> float:
        wait_for(lambda: client.get(f"/api/bubbles/{code}").json()["state"] in states, timeout_s=600)
        return time.monotonic() - accepted_s

    return accepted_s - began_s, reached("playable", "ready"), reached("ready")


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), LOG_LEVEL="warning") as service:
        client = service.client(service.command("token", "create", "owner"))
        print("| speech | to the 202 | 202 to playable | 202 to ready |\n|---|---|---|---|")
        for length_s in LENGTHS_S:
            path = Path(folder) / f"{length_s}.wav"
            speech_of(length_s, path)
            took = journey(service, client, path.read_bytes())
            note = " (the model loads)" if length_s == LENGTHS_S[0] else ""
            print(f"| {length_s} s{note} | " + " | ".join(f"{seconds:.1f} s" for seconds in took) + " |", flush=True)
        print("\n| process | resident |\n|---|---|")
        for name, pid in family(service.process.pid).items():
            print(f"| {name} | {resident_mib(pid):.0f} MiB |")


if __name__ == "__main__":
    main()
