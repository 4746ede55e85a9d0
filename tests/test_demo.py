"""The demo: what it says can be published as it stands, and a second run adds nothing."""

import builtins
import io
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlmodel import Session, select

from bubbles import demo
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db import channels
from bubbles.db.engine import Database
from bubbles.demo import SPEAKERS, Said, Speaker
from bubbles.errors import Missing
from bubbles.model import draft
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble, State
from bubbles.model.channel import Channel, Role
from bubbles.model.draft import TextLimits
from bubbles.model.place import Precision, distance_m
from bubbles.model.texts import clean_handle
from bubbles.speech.transcriber import FakeTranscriber

PARIS, LYON = (48.8566, 2.3522), (45.7640, 4.8357)
CITY_M = 8_000
EVERYTHING = [(speaker, said) for speaker in SPEAKERS for said in speaker.says]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

# What it says


def test_there_are_two_dozen_each_with_a_title_of_its_own() -> None:
    assert len({said.title for _, said in EVERYTHING}) == len(EVERYTHING) == 24


@pytest.mark.parametrize(("speaker", "said"), EVERYTHING, ids=lambda each: getattr(each, "title", None))
def test_each_is_a_few_spoken_sentences_in_one_of_the_two_cities(speaker: Speaker, said: Said) -> None:
    assert 35 <= len(said.text.split()) <= 70  # 12 to 25 seconds
    assert min(distance_m(*said.at, *city) for city in (PARIS, LYON)) < CITY_M
    fields = demo.fields_of(speaker, said)
    wanted = draft.parse(fields, limits=TextLimits(), now=NOW)
    assert wanted.place is not None
    assert wanted.tags
    assert (wanted.title, wanted.channel) == (said.title, speaker.handle)


def test_both_cities_and_all_kinds_of_places_are_heard() -> None:
    for city in (PARIS, LYON):
        assert sum(distance_m(*said.at, *city) < CITY_M for _, said in EVERYTHING) >= 8
    told = {draft.parse(demo.fields_of(*each), limits=TextLimits(), now=NOW).place for each in EVERYTHING}
    assert {place.precision for place in told if place} == set(Precision) - {Precision.NONE}


def test_the_words_are_varied_so_that_search_is_fun() -> None:
    words = list(chain.from_iterable(said.text.lower().split() for _, said in EVERYTHING))
    assert len(set(words)) > len(words) / 3


def test_every_team_has_an_owner_first_and_one_has_all_roles() -> None:
    for speaker in SPEAKERS:
        assert clean_handle(speaker.handle) == speaker.handle
        assert next(iter(speaker.team.values())) is Role.OWNER
    assert any(set(speaker.team.values()) == set(Role) for speaker in SPEAKERS)


# What it does


@pytest.fixture(scope="module")
def house(database: Database, tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("data")
    return House(Settings(data_dir=folder), database, open_store((folder / "blobs").as_uri()), FakeTranscriber())


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> tuple[Speaker, ...]:
    """The first bubble of the first and the third speaker: a person and a brand."""
    kept = tuple(replace(speaker, says=speaker.says[:1]) for speaker in (SPEAKERS[0], SPEAKERS[2]))
    monkeypatch.setattr(demo, "SPEAKERS", kept)
    return kept


def spoken(house: House) -> str:
    written = io.StringIO()
    demo.speak_bubbles(house, Console(file=written, width=300))
    return written.getvalue()


def bubbles_of(house: House, speaker: Speaker) -> list[Bubble]:
    with house.database.transaction() as session:
        return list(session.exec(select(Bubble).join(Channel).where(Channel.handle == speaker.handle)))


def roles(session: Session, speaker: Speaker) -> dict[str, Any]:
    channel = channels.by_handle(session, speaker.handle)
    assert channel is not None
    assert channel.title == speaker.title
    accounts = session.exec(select(Account)).all()
    found = {account.handle: channels.membership(session, channel.id, account.id) for account in accounts}
    return {handle: member.role for handle, member in found.items() if member}


def test_without_a_voice_it_says_what_to_install_and_leaves_nothing(
    house: House, few: tuple[Speaker, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = builtins.__import__

    def forget(name: str, *rest: Any, **named: Any) -> Any:
        if name == "hibari":
            raise ImportError(name)
        return original(name, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", forget)
        with pytest.raises(Missing, match="pip install hibari-tts"):
            spoken(house)
    with house.database.transaction() as session:
        assert channels.by_handle(session, few[0].handle) is None


def test_it_speaks_publishes_and_writes_down_and_the_second_run_adds_nothing(
    house: House, few: tuple[Speaker, ...]
) -> None:
    told = spoken(house)
    assert "Bubbles added: 2." in told
    assert f"{house.settings.public_url}/@{few[0].handle}" in told
    for speaker in few:
        (bubble,) = bubbles_of(house, speaker)
        assert bubble.state is State.READY
        assert bubble.title == speaker.says[0].title
        assert 10 <= bubble.duration_s <= 25
        with house.database.transaction() as session:
            assert roles(session, speaker) == dict(speaker.team)
    assert "nothing was added" in spoken(house)
    assert [len(bubbles_of(house, speaker)) for speaker in few] == [1, 1]


def test_after_an_interruption_it_adds_what_is_not_there(
    house: House, few: tuple[Speaker, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = replace(few[0], says=(*few[0].says, SPEAKERS[0].says[1]))
    monkeypatch.setattr(demo, "SPEAKERS", (more, *few[1:]))
    assert "Bubbles added: 1." in spoken(house)
    assert {bubble.title for bubble in bubbles_of(house, more)} == {said.title for said in more.says}


def test_voices_are_told_apart_by_their_pitch_and_not_by_their_length(tmp_path: Path) -> None:
    import wave

    from hibari import Hibari

    tts, length_s = Hibari(), {}
    for pitch in (0.86, 1.09):
        path = tmp_path / f"{pitch}.wav"
        demo.speak(tts, demo.Voice(pitch, 1.0), "Good morning from the market on the hill.", path)
        with wave.open(str(path)) as sound:
            assert sound.getframerate() == round(24_000 * pitch)
            length_s[pitch] = sound.getnframes() / sound.getframerate()
    assert length_s[0.86] == pytest.approx(length_s[1.09], rel=0.15)
