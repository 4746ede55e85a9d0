"""The command line: what is asked for on standard output, what went wrong on standard error, and three statuses."""

import re
import subprocess
import sys
import wave
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bubbles import accounts, app, channels, normalise, pipeline
from bubbles.app import House
from bubbles.db import bubbles, steps
from bubbles.model.bubble import Bubble, State
from bubbles.model.place import Precision
from bubbles.model.step import BEHIND_EACH, StepName
from bubbles.speech.transcriber import FakeTranscriber
from tests.cli.conftest import BASE, Ran, Run

WORDS = "the saxophone player under the arches"


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A speech model that hears `WORDS` in every sound."""
    monkeypatch.setattr(app, "speech", lambda settings: FakeTranscriber(WORDS))


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of a tone."""
    tone = np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000)
    return written(tmp_path_factory.mktemp("sound") / "tone.wav", tone)


def written(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes((samples * 20_000).astype("<i2").tobytes())
    return path


def published(run: Run, wav: Path, *options: str) -> str:
    """The code of a bubble that was published by the command."""
    ran = run("publish", wav, *options)
    assert (ran.status, ran.err) == (0, "")
    return ran.out.removeprefix(f"{BASE}/b/").removesuffix("\n")


def row(house: House, code: str) -> Bubble:
    with house.database.transaction() as session:
        found = bubbles.by_code(session, code, account_id=None)
    assert found
    return found[0]


# Usage


WRONG = [
    *("sing", "publish", "publish a.wav --loud", "publish a.wav --at 48.8566", "search bread --near Paris"),
    *("search bread --near 1,2 --radius far", "hold AAAAAAAAAAAAAAAA", "channel member a b king"),
]


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_usage_ends_with_status_2_and_a_word_about_it(run: Run, arguments: str) -> None:
    ran = run(*arguments.split())
    assert (ran.status, ran.out) == (2, "")
    assert "Usage: " in ran.err


def test_a_setting_out_of_range_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUBBLES_PORT", "99999")
    ran = run("migrate")
    assert (ran.status, ran.out) == (1, "")
    assert "BUBBLES_PORT: " in ran.err


def test_a_database_that_does_not_answer_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUBBLES_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/bubbles")
    ran = run("account", "create", "nobody")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("bubbles: ")
    assert "hunter2" not in ran.err


def test_migrate_tells_the_version(run: Run) -> None:
    assert run("migrate").out.startswith("PostgreSQL 18.")


def test_a_model_that_is_not_there_is_said_by_doctor_and_fetch(run: Run) -> None:
    examined, fetched = run("doctor"), run("model", "fetch")
    assert (examined.status, fetched.status) == (1, 1)
    assert "model.bin" in examined.out
    assert "model.bin" in fetched.err


# Bubbles


def test_publish_prints_the_share_link_alone(run: Run, house: House, wav: Path) -> None:
    texts = ("--title", " A  tone ", "--tags", "sound,Sound,test", "--language", "en", "--visibility", "unlisted")
    bubble = row(house, published(run, wav, *texts, "--at", "-33.8688,151.2093", "--precision", "street"))
    told = (bubble.title, bubble.tags, bubble.visibility, bubble.language, bubble.state)
    assert told == ("A tone", ["sound", "test"], "unlisted", "en", State.PROCESSING)
    assert bubble.place
    assert bubble.place.precision is Precision.STREET
    assert bubble.place.latitude == pytest.approx(-33.8688, abs=0.01)


def test_a_bubble_is_published_in_the_first_accounts_channel_or_the_one_named(
    run: Run, house: House, wav: Path
) -> None:
    run("account", "create", "zoe")
    run("channel", "create", "florist", "--owner", "zoe")
    mine, theirs = row(house, published(run, wav)), row(house, published(run, wav, "--channel", "florist"))
    with house.database.transaction() as session:
        first, zoe = accounts.require_first(session, now=house.now()), accounts.require(session, "zoe")
        florist = channels.require(session, "florist")
    assert mine.author_id == first.id
    assert (theirs.author_id, theirs.channel_id) == (zoe.id, florist.id)


def test_what_is_refused_says_why_and_keeps_nothing(run: Run, house: House, wav: Path, tmp_path: Path) -> None:
    kept = set(house.blobs.keys(""))
    for arguments, code in (
        ([__file__], "not_audio"),
        ([written(tmp_path / "silence.wav", np.zeros(16_000))], "silent"),
        ([written(tmp_path / "short.wav", np.ones(1_600))], "too_short"),
        ([wav, "--at", "91,0"], "bad_place"),
        ([wav, "--at", "here,there"], "bad_place"),
        ([wav, "--language", "english"], "bad_text"),
        ([wav, "--visibility", "secret"], "bad_request"),
        ([wav, "--channel", "nobody-here"], "not_found"),
    ):
        ran = run("publish", *arguments)
        assert (ran.status, ran.out) == (1, "")
        assert ran.err.endswith(f" ({code})\n")
        assert ran.err.count("\n") == 1
    assert set(house.blobs.keys("")) == kept


def test_a_file_that_is_not_there_is_a_sentence(run: Run) -> None:
    ran = run("publish", "/nowhere/at-all.wav")
    assert (ran.status, ran.out) == (1, "")
    assert "/nowhere/at-all.wav" in ran.err


def test_waiting_without_a_model_says_what_the_words_wait_for(run: Run, wav: Path) -> None:
    ran = run("publish", wav, "--wait")
    assert ran.status == 1
    assert "wait for the model" in ran.err


@pytest.mark.usefixtures("heard")
def test_a_bubble_that_was_waited_for_is_found_by_what_it_says_and_where(run: Run, house: House, wav: Path) -> None:
    code = published(run, wav, "--wait", "--at", "48.8566,2.3522")
    assert row(house, code).state is State.READY
    link, sentence = run("search", "saxophone", "--near", "48.86,2.35", "--radius", "3000").out.splitlines()
    assert link.startswith(f"{BASE}/b/{code}#t=")
    assert "saxophone" in sentence
    assert run("search", "saxophone", "--near", "45.76,4.83") == Ran(0, "", "Nothing was found.\n")
    assert run("search", "saxophone", "--near", "x,y").err.endswith("(bad_place)\n")


@pytest.mark.usefixtures("heard")
def test_hold_hides_release_shows_and_withdraw_deletes(run: Run, house: House, wav: Path) -> None:
    code = published(run, wav, "--wait", "--title", "Chrysanthemum")

    def is_found() -> bool:
        return code in run("search", "chrysanthemum").out

    assert is_found()
    assert run("hold", code, "--reason", "somebody complained") == Ran(0, "", "")
    assert row(house, code).held_reason == "somebody complained"
    assert not is_found()
    assert run("release", code, "--reason", "all is well").status == 0
    assert is_found()
    assert run("release", code, "--reason", "again").err.endswith("(conflict)\n")
    assert any(code in key for key in house.blobs.keys(""))
    assert run("withdraw", code, "--reason", "asked for").status == 0
    assert not is_found()
    assert not any(code in key for key in house.blobs.keys(""))
    assert run("hold", code, "--reason", "too late").err.endswith("(conflict)\n")


def test_a_bubble_that_is_unknown_is_not_found(run: Run) -> None:
    for command in ("hold", "release", "withdraw"):
        ran = run(command, "A" * 16, "--reason", "why not")
        assert ran == Ran(1, "", f"bubbles: There is no bubble {'A' * 16}. (not_found)\n")


# As the shell runs it


def test_the_module_runs_as_the_command_with_both_streams_and_a_status(house: House) -> None:
    def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bubbles", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    made = shell("account", "create", "shell")
    assert (made.returncode, made.stdout, made.stderr) == (0, "@shell\n", "")
    again = shell("account", "create", "shell")
    assert (again.returncode, again.stdout, again.stderr) == (1, "", "bubbles: @shell is taken. (conflict)\n")
    assert shell("account", "destroy", "shell").returncode == 2


# Work


def test_a_step_that_failed_is_listed_and_tried_again(
    run: Run, house: House, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = published(run, wav)
    assert re.search(rf"{code} +normalise +waiting +0 ", run("steps").out)
    assert run("steps", "--failed") == Ran(0, "", "No step was given up.\n")
    with monkeypatch.context() as broken:
        broken.setattr(normalise, "press", failing)
        pipeline.run_step(house_with(house, attempts_max=1), StepName.NORMALISE, row(house, code).id)
    assert re.search(rf"{code} +normalise +given up +1 .* ZeroDivisionError", run("steps", "--failed").out)
    assert row(house, code).state is State.FAILED
    assert run("retry", code) == Ran(0, f"{code} normalise\n", "")
    assert row(house, code).state is State.PROCESSING
    again = run("retry", code)
    assert (again.status, again.out) == (1, "")
    assert again.err.endswith("(conflict)\n")


def failing(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def house_with(house: House, **settings: object) -> House:
    return replace(house, settings=house.settings.model_copy(update=settings))


@pytest.mark.parametrize("queues", ["sing", "transcribe,,upkeep", "normalise,sing"])
def test_a_worker_is_told_which_queues_there_are(run: Run, queues: str) -> None:
    ran = run("work", "--queues", queues)
    assert (ran.status, ran.out) == (1, "")
    assert "there are normalise, transcribe, upkeep" in ran.err


def test_who_publishes_many_stands_behind_who_publishes_one(run: Run, house: House, wav: Path) -> None:
    run("account", "create", "otto")
    rows = [row(house, published(run, wav, "--channel", "otto")) for _ in range(3)]
    with house.database.transaction() as session:
        made = [steps.of(session, bubble.id, StepName.NORMALISE) for bubble in rows]
    ahead = [step.turn_at - step.queued_at for step in made if step]
    assert [later - earlier for earlier, later in pairwise(ahead)] == [BEHIND_EACH, BEHIND_EACH]
