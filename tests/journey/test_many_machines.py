"""Several machines, each with a data folder of its own, one database and one bucket: nothing lost, nothing twice."""

import hashlib
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import col, select

from bubbles.db.engine import Database
from bubbles.model.step import Step, StepName
from tests.blobs.seaweed import seaweed
from tests.journey.service import Service, running, wait_for, working

BUBBLES = 4
PATIENT = """
import sys
from bubbles import cli, worker
worker.LEAVE_MAX_S = 100
sys.argv = ["bubbles", "work"]
cli.main()
"""
"""A worker that ends what is under way however long a busy machine takes for that: none is cut off."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared(database: Database, tmp_path_factory) -> Iterator[dict[str, str]]:
    """The settings that all machines have in common."""
    with seaweed(tmp_path_factory.mktemp("seaweed") / "data") as s3:
        yield {
            "DATABASE_URL": database.libpq_url,
            "BLOB_URL": s3.url("bubbles"),
            "S3_ACCESS_KEY_ID": s3.access_key,
            "S3_SECRET_ACCESS_KEY": s3.secret_key,
            "STALLED_AFTER_S": "10",
        }


def published(web: Service, token: str, sound: bytes, number: int) -> str:
    with web.client(token) as client:
        form = {"files": {"audio": ("x", sound)}, "data": {"title": f"Number {number}"}}
        answer = client.post("/api/bubbles", headers={"Idempotency-Key": f"key {number}"}, **form)
    assert answer.status_code == 202, answer.text
    return answer.json()["code"]


def begun(database: Database, name: StepName, since: datetime = LONG_AGO) -> bool:
    """Whether a worker has one of these steps under way that began after `since`."""
    begun = select(Step).where(Step.name == name, col(Step.started_at) > since, col(Step.finished_at).is_(None))
    with database.transaction() as session:
        return session.exec(begun).first() is not None


def all_are_ready(client: httpx.Client, codes: list[str]) -> bool:
    return all(client.get(f"/api/bubbles/{code}").json()["state"] == "ready" for code in codes)


def test_bubbles_of_two_webs_end_ready_once_whatever_becomes_of_their_workers(
    database: Database, shared: dict[str, str], speech, tmp_path: Path
) -> None:
    def web(name: str) -> Service:
        return machines.enter_context(running(tmp_path / name, WORKERS="0", **shared))

    with ExitStack() as machines:
        with ThreadPoolExecutor(2) as at_once:  # on an empty database
            first, second = at_once.map(web, ("first", "second"))
        first.command("account", "create", "ana")
        token, sound = first.command("token", "create", "ana"), speech.path.read_bytes()
        killed = machines.enter_context(working(tmp_path / "killed", **shared))
        codes = [published((first, second)[number % 2], token, sound, number) for number in range(BUBBLES)]
        seen = machines.enter_context(second.client())

        wait_for(lambda: begun(database, StepName.TRANSCRIBE))
        killed.stop(signal.SIGKILL)
        left_off = datetime.now(UTC)
        leaves = machines.enter_context(working(tmp_path / "leaves", command=("-c", PATIENT), **shared))
        wait_for(lambda: begun(database, StepName.TRANSCRIBE, left_off))
        machines.enter_context(working(tmp_path / "joins", **shared))
        assert leaves.stop(signal.SIGTERM) == 0
        wait_for(lambda: all_are_ready(seen, codes), timeout_s=200)

        again = [published((second, first)[number % 2], token, sound, number) for number in range(BUBBLES)]
        assert again == codes
        for number, code in enumerate(codes):
            plays_whole((second, first)[number % 2], code)
        wait_for(lambda: once(database)["jobs"] == 0, timeout_s=200)  # what is done is let go of afterwards
    assert once(database) == {"bubbles": BUBBLES, "unfinished": 0, "renditions": 2 * BUBBLES, "jobs": 0}


def plays_whole(web: Service, code: str) -> None:
    with web.client() as client:
        for made in client.get(f"/api/bubbles/{code}").json()["renditions"]:
            sound = client.get(f"/media/{made['url'].split('/media/')[1]}")
            assert (sound.status_code, len(sound.content)) == (200, made["length_bytes"])
            assert hashlib.sha256(sound.content).hexdigest().startswith(sound.headers["etag"].strip('"'))


def once(database: Database) -> dict[str, int]:
    """What the database holds of all that was published."""
    counts = {
        "bubbles": "SELECT count(*) FROM bubble WHERE ready_at IS NOT NULL",
        "unfinished": "SELECT count(*) FROM step WHERE finished_at IS NULL",
        "renditions": "SELECT count(*) FROM rendition",
        "jobs": "SELECT count(*) FROM procrastinate_jobs WHERE queue_name IN ('normalise', 'transcribe')",
    }
    with database.transaction() as session:
        return {name: int(session.connection().execute(text(query)).scalar_one()) for name, query in counts.items()}
