"""A hundred good recordings are all accepted, four hundred broken ones are sound or refused; nothing is left behind."""

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

sys.path.append(str(Path(__file__).parent.parent / "audio"))
import corpus_good
import corpus_mutated
from leftovers import children

from bubbles.http.asgi import create_app

THREADS = 2
REFUSALS = {(415, "not_audio"), (422, "too_long"), (422, "too_short"), (422, "silent")}


@pytest.fixture
def client(house) -> Iterator[TestClient]:
    """The whole application, for an author who may upload as much as they like, on a machine that may be busy."""
    patient = {"uploads_per_hour": 100_000, "uploads_at_once": 100, "probe_timeout_s": 120}
    settings = house.settings.model_copy(update=patient)
    with TestClient(create_app(replace(house, settings=settings)), raise_server_exceptions=False) as client:
        yield client


def answers(
    client: TestClient, author: dict[str, str], recordings: Iterable[tuple[str, bytes]]
) -> Iterator[tuple[str, httpx.Response]]:
    """What is answered to each recording, posted by two at once."""

    def answer(recording: tuple[str, bytes]) -> tuple[str, httpx.Response]:
        name, data = recording
        return name, client.post("/api/bubbles", files={"audio": (name, data)}, headers=author)

    with ThreadPoolExecutor(THREADS) as threads:
        yield from threads.map(answer, recordings)


def test_every_good_recording_is_accepted_at_its_length(client, world, house):
    assert len(corpus_good.NAMES) >= 100
    _, author = world.channel()
    made = ((name, corpus_good.recording(name)) for name in corpus_good.NAMES)
    wrong = {
        name: answer.text
        for name, answer in answers(client, author, made)
        if answer.status_code != 202 or abs(answer.json()["duration_s"] - corpus_good.DURATION_S[name]) > 0.1
    }
    assert wrong == {}
    assert len(list(house.blobs.keys("recordings/"))) == len(corpus_good.NAMES)


@pytest.mark.parametrize("kind", corpus_mutated.SHAPES)
def test_every_broken_recording_is_sound_or_refused_with_its_code(client, world, house, kind):
    broken = [(name, data) for name, data in corpus_mutated.recordings() if name.startswith(f"{kind}_")]
    assert len(broken) >= 40
    _, author = world.channel()
    before, accepted = children(), 0
    for name, answer in answers(client, author, broken):
        if answer.status_code == 202:
            accepted += 1
            assert answer.json()["duration_s"] <= 120.5, name
        else:
            assert (answer.status_code, answer.json()["code"]) in REFUSALS, name
    assert children() <= before
    assert list(house.settings.uploads_dir.iterdir()) == []
    assert len(list(house.blobs.keys("recordings/"))) == accepted < len(broken)
