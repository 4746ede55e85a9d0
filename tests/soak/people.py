"""The people of a soak: who uploads, follows, listens, looks around, corrects and withdraws, steadily."""

import hashlib
import io
import queue
import random
import threading
import time
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from bubbles.audio.sandbox import PCM_RATE_HZ, Limits, decode
from tests.conftest import SPOKEN, speak, speech_folder
from tests.soak.asking import Answer, Asking
from tests.soak.faults import Trouble

AGENTS = [f"Mozilla/5.0 (X11; Linux x86_64; rv:{140 + n}.0) Gecko/20100101 Firefox/{140 + n}.0" for n in range(20)]
ENDED = {"ready", "failed", "refused", "withdrawn"}
PATIENCE_S = 300.0
FOLLOWED_S = 300.0
AGAIN_MAX_S = 5.0
LOUD = 3000
"""A sample of someone who speaks, of 32,767: a pause of theirs alone would be refused as silent."""

WORDS = ("the", "people", "lighthouse", "water", "world", "Number")
PAGES = ("/", "/map", "/search?q=number", "/sitemap.xml", "/method", "/record", "/walk")


@dataclass
class Known:
    """What people know of bubbles: those to listen to, those nobody has changed, those that are going."""

    playable: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    going: set[str] = field(default_factory=set)
    authors: dict[str, str] = field(default_factory=dict)
    fresh: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)

    def is_going(self, asked: str) -> bool:
        """Whether what was asked for names a bubble that may be gone."""
        return any(code in asked for code in self.going)

    def withdraw(self, code: str) -> None:
        """From here on it may be gone at any moment."""
        self.going.add(code)
        with suppress(ValueError):  # a stream that broke off has told nothing
            self.playable.remove(code)


@dataclass
class Voice:
    """People speaking, from which every upload is cut anew."""

    folder: Path

    @cached_property
    def pcm(self) -> bytes:
        """Mono, 16 bit, at `PCM_RATE_HZ`."""
        sounds = sorted(speech_folder().glob("fleurs-en-*.ogg"))
        if not sounds:
            sounds = [self.folder / "spoken.wav"]
            speak(SPOKEN, sounds[0])
        return b"".join(decode(sound, Limits()).pcm for sound in sounds)

    def wav(self, chance: random.Random) -> bytes:
        """Two to five seconds that no other upload has."""
        frames, loudest = int(PCM_RATE_HZ * chance.uniform(2, 5)), 0
        while loudest < LOUD:
            start = 2 * chance.randrange(max(1, len(self.pcm) // 2 - frames))
            loudest = np.abs(np.frombuffer(self.pcm[start : start + 2 * frames], "<i2").astype(int)).max()
        file = io.BytesIO()
        with wave.open(file, "wb") as sound:
            sound.setparams((1, 2, PCM_RATE_HZ, 0, "NONE", "none"))
            sound.writeframes(self.pcm[start : start + 2 * frames])
        return file.getvalue()


@dataclass
class People:
    """All of them, each in a thread of their own."""

    asking: Asking
    told: Callable[..., None]
    tokens: list[str]
    voice: Voice
    seed: int
    upload_every_s: float
    known: Known = field(default_factory=Known)
    counts: Counter[str] = field(default_factory=Counter)
    leaving: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def here(self) -> Iterator[None]:
        """They do what they do during the block; then each ends what they are at."""
        threads = self._come()
        try:
            yield
        finally:
            self.leaving.set()
            for thread in threads:
                thread.join()

    def _come(self) -> list[threading.Thread]:
        habits: list[tuple[Callable[[random.Random], None], float]] = [
            *[(self.upload, 2 * self.upload_every_s)] * 2,
            *[(self.follow, 0.1)] * 4,
            *[(self.listen, 1.0)] * 2,
            *[(self.look_around, 1.0)] * 2,
            (self.change, 2.5 * self.upload_every_s),
        ]
        threads = [threading.Thread(target=self._live, args=(n, *habit)) for n, habit in enumerate(habits)]
        for thread in threads:
            thread.start()
        return threads

    def _live(self, number: int, habit: Callable[[random.Random], None], every_s: float) -> None:
        chance = random.Random(f"{self.seed} {number}")
        while not self.leaving.wait(every_s * chance.uniform(0.5, 1.5)):
            try:
                habit(chance)
            except Exception as error:  # a mistake of ours ends nobody, and is told
                self.asking.note(Trouble(time.time(), time.time(), "", habit.__name__, "a mistake", repr(error)))

    def insist(self, what: str, method: str, path: str, chance: random.Random, **sent: Any) -> Answer | None:
        """Asks until it is granted, as told, at any of the machines; None when nobody would, within `PATIENCE_S`."""
        ends_s, answer = time.monotonic() + PATIENCE_S, None
        while time.monotonic() < ends_s:
            answer = self.asking.ask(what, method, path, chance, unanswered=answer, **sent)
            if answer.is_success:
                return answer
            if answer.is_final:
                break
            time.sleep(min(AGAIN_MAX_S, answer.retry_after_s or 1.0) * chance.uniform(1, 1.5))
        self.counts[f"{what}: never granted"] += 1
        return None

    def upload(self, chance: random.Random) -> None:
        """A recording under a key of its own, until it is in."""
        title, token = f"Number {next(self.numbers)}", chance.choice(self.tokens)
        where = {"latitude": f"{chance.uniform(48, 49):.5f}", "longitude": f"{chance.uniform(2, 3):.5f}"}
        sent = {
            "files": {"audio": ("a.wav", self.voice.wav(chance))},
            "data": {"title": title, "language": "en", "tags": "soak", **where},
            "headers": {"Authorization": f"Bearer {token}", "Idempotency-Key": title},
        }
        self.counts["uploads"] += 1
        if answer := self.insist("upload", "POST", "/api/bubbles", chance, **sent):
            code = answer.json["code"]
            self.told("accepted", title=title, code=code)
            self.counts["acknowledged"] += 1
            self.known.authors[code] = token
            self.known.fresh.put(code)

    def follow(self, chance: random.Random) -> None:
        """The events of a fresh one until its journey has ended, again when the line breaks."""
        try:
            code = self.known.fresh.get(timeout=1)
        except queue.Empty:
            return
        ends_s, state = time.monotonic() + FOLLOWED_S, ""
        while state not in ENDED and time.monotonic() < ends_s and not self.leaving.is_set():
            state = self.asking.follow(f"/api/bubbles/{code}/events", chance, until=self._has_ended)
            if state in {"playable", "ready"} and code not in self.known.playable:
                self.known.playable.append(code)
        self.counts[f"followed until {state or 'nothing'}"] += 1
        if state == "ready":
            self.known.unchanged.append(code)

    def _has_ended(self, told: dict[str, Any]) -> bool:
        return told["state"] in ENDED or self.leaving.is_set()

    def listen(self, chance: random.Random) -> None:
        """The sound in two ranges, held against its tag, and what the player tells."""
        if not self.known.playable:
            return
        code, machine = chance.choice(self.known.playable[-50:]), self.asking.machine(chance)
        agent = {"User-Agent": chance.choice(AGENTS)}
        kind, middle = chance.choice(["m4a", "ogg"]), chance.randrange(1, 4096)
        parts = []
        for span in (f"bytes=0-{middle - 1}", f"bytes={middle}-"):
            headers = agent | {"Range": span}
            answer = self.asking.ask("media", "GET", f"/media/{code}.{kind}", chance, machine=machine, headers=headers)
            if not answer.is_success:
                return
            parts.append(answer)
        if not hashlib.sha256(parts[0].body + parts[1].body).hexdigest().startswith(parts[0].tag):
            self.asking.complain(parts[0], parts[1], "wrong bytes")
        play = {"code": code, "play": f"{chance.getrandbits(64):016x}"}
        for heard in ([], [[0, chance.uniform(1, 2)]]):
            self.asking.ask("beacon", "POST", "/api/listens", chance, json=play | {"heard": heard}, headers=agent)

    def look_around(self, chance: random.Random) -> None:
        """A page, a search, a map, a bubble, what its author is told."""
        west, south = chance.uniform(2, 2.5), chance.uniform(48, 48.5)
        box = f"{west:.3f},{south:.3f},{west + 0.5:.3f},{south + 0.5:.3f}"
        looks = [
            ("search", f"/api/bubbles?q={chance.choice(WORDS)}"),
            ("search", f"/api/bubbles?near={south:.4f},{west:.4f}&limit=50"),
            ("map", f"/api/map?bbox={box}&zoom={chance.randrange(3, 14)}"),
            ("map", f"/api/bubbles.geojson?bbox={box}"),
            ("page", chance.choice(PAGES)),
        ]
        if self.known.playable:
            code = chance.choice(self.known.playable)
            looks += [("look", f"/b/{code}"), ("look", f"/api/bubbles/{code}"), ("look", f"/b/{code}/embed")]
            looks += [("stats", f"/api/bubbles/{code}/stats")]
        what, path = chance.choice(looks)
        headers = {"Authorization": f"Bearer {self.known.authors[code]}"} if what == "stats" else {}
        self.asking.ask(what, "GET", path, chance, headers=headers)

    def change(self, chance: random.Random) -> None:
        """Something that its author changes about one that is ready; each is changed once."""
        if not self.known.unchanged:
            return
        code = self.known.unchanged.pop(0)
        headers = {"Authorization": f"Bearer {self.known.authors[code]}"}
        what = chance.choices(["edited", "corrected", "withdrawn"], [3, 2, 3])[0]
        method, tail, json = self._wish(what, code, chance)
        if self.insist(what, method, f"/api/bubbles/{code}{tail}", chance, headers=headers, json=json):
            self.told(what, code=code, json=json)
            self.counts[what] += 1

    def _wish(self, what: str, code: str, chance: random.Random) -> tuple[str, str, Any]:
        if what == "withdrawn":
            self.known.withdraw(code)
            return "DELETE", "", None
        if what == "edited":
            again = {"language": "fr"} if chance.random() < 0.3 else {}
            return "PATCH", "", {"title": f"Changed {code}", "tags": ["soak", "changed"]} | again
        cues = [{"start_s": 0.0, "end_s": 1.0, "text": f"Corrected {chance.random():.6f}.", "unsure": False}]
        return "PUT", "/transcript", {"language": "en", "cues": cues}
