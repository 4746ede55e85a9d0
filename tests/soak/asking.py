"""Asking the machines of a soak, and noting every answer that was not what was asked for."""

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, local
from typing import Any

import httpx

from tests.soak.faults import Trouble

TIMEOUT_S = 60.0
IDLE_MAX_S = 2.0
"""Less than the server keeps an idle connection: else a request may meet its end half way."""

DETAIL_MAX = 200


@dataclass(frozen=True)
class Answer:
    """What came back: a status, or 0 and nothing."""

    machine: str
    at_s: float
    until_s: float
    status: int = 0
    body: bytes = b""
    tag: str = ""
    retry_after_s: float = 0

    @property
    def is_success(self) -> bool:
        """Whether it is what was asked for."""
        return 200 <= self.status < 300

    @property
    def is_final(self) -> bool:
        """Whether asking again would change nothing."""
        return 400 <= self.status < 500 and self.status not in {409, 429}

    @property
    def json(self) -> Any:
        """The body as it is meant."""
        return json.loads(self.body)


@dataclass
class Asking:
    """Who asks for whom, and remembers. `urls` are the machines', by name; `gone` tells that a 404 is right."""

    urls: dict[str, str]
    gone: Callable[[str], bool]
    troubles: list[Trouble] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    took_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _lock: Lock = field(default_factory=Lock)
    _mine: local = field(default_factory=local)

    def machine(self, chance: random.Random) -> str:
        """Any of them."""
        return chance.choice(list(self.urls))

    def _client(self) -> httpx.Client:
        """One for each thread."""
        if not hasattr(self._mine, "client"):
            limits = httpx.Limits(keepalive_expiry=IDLE_MAX_S)
            self._mine.client = httpx.Client(timeout=TIMEOUT_S, limits=limits)
        client: httpx.Client = self._mine.client
        return client

    def ask(
        self,
        what: str,
        method: str,
        path: str,
        chance: random.Random,
        *,
        machine: str = "",
        unanswered: Answer | None = None,
        **sent: Any,
    ) -> Answer:
        """One request; `unanswered` is the try before it, whose end its asker does not know."""
        name, at_s = machine or self.machine(chance), time.time()
        try:
            got = self._client().request(method, self.urls[name] + path, **sent)
        except httpx.TransportError as error:
            self.note(Trouble(at_s, time.time(), name, what, type(error).__name__, f"{method} {path}: {error}"))
            return Answer(name, at_s, time.time())
        answer = Answer(
            name,
            at_s,
            time.time(),
            got.status_code,
            got.content,
            got.headers.get("etag", "").strip('"'),
            float(got.headers.get("retry-after", 0)),
        )
        self._judge(what, f"{path} {sent.get('json', '')}", answer, unanswered)
        return answer

    def _judge(self, what: str, asked: str, answer: Answer, unanswered: Answer | None) -> None:
        with self._lock:
            self.took_s[what].append(answer.until_s - answer.at_s)
        is_own_key = answer.status == 409 and what == "upload" and unanswered is not None
        is_gone = answer.status == 404 and self.gone(asked)
        if answer.is_success or is_own_key or is_gone:
            with self._lock:
                self.answers[f"{what} {answer.status}"] += 1
            return
        outcome = f"{answer.status} with Retry-After" if answer.retry_after_s else str(answer.status)
        said = answer.body[:DETAIL_MAX].decode(errors="replace")
        self.note(Trouble(answer.at_s, answer.until_s, answer.machine, what, outcome, f"{asked}: {said}"))

    def complain(self, first: Answer, last: Answer, outcome: str) -> None:
        """Notes that sound is not what it should be."""
        self.note(Trouble(first.at_s, last.until_s, last.machine, "media", outcome, f"tag {first.tag}"))

    def note(self, trouble: Trouble) -> None:
        """Remembers a trouble."""
        with self._lock:
            self.answers[f"{trouble.what} {trouble.outcome}"] += 1
            self.troubles.append(trouble)

    def follow(self, path: str, chance: random.Random, *, until: Callable[[dict[str, Any]], bool]) -> str:
        """The last state that a stream of events told before it ended or `until` held."""
        name, state = self.machine(chance), ""
        try:
            with self._client().stream("GET", self.urls[name] + path) as stream:
                if not stream.is_success:
                    self._refused(name, path, stream)
                    return state
                for line in stream.iter_lines():
                    if line.startswith("data: "):
                        told = json.loads(line.removeprefix("data: "))
                        state = told["state"]
                        if until(told):
                            return state
        except httpx.TransportError as error:
            self._broke_off(name, type(error).__name__, f"{path}: {error}")
        return state

    def _refused(self, name: str, path: str, stream: httpx.Response) -> None:
        said = stream.read()[:DETAIL_MAX].decode(errors="replace")
        waits = " with Retry-After" if "retry-after" in stream.headers else ""
        self._broke_off(name, f"{stream.status_code}{waits}", f"{path}: {said}")

    def _broke_off(self, name: str, outcome: str, detail: str) -> None:
        self.note(Trouble(time.time(), time.time(), name, "follow", outcome, detail))
        time.sleep(1)
