"""The words as a form of the studio: corrected, found, shown again when they are not taken, and never written over."""

import re

import pytest

from bubbles.app import House
from bubbles.db import steps
from bubbles.model.step import StepName
from tests.http.conftest import MONDAY_22
from tests.http.studio_author import Author, about


def lines(*cues: tuple[str, str, str], unsure: tuple[int, ...] = (), version: str = "1") -> dict[str, str]:
    """The words' form."""
    fields = {"version": version, "language": "en"}
    for number, (start, end, text) in enumerate(cues):
        fields |= {f"start-{number}": start, f"end-{number}": end, f"text-{number}": text}
        fields |= {f"unsure-{number}": "on"} if number in unsure else {}
    return fields


def test_the_page_holds_the_words_as_a_form(author: Author) -> None:
    told = author.see(f"/studio/bubbles/{author.bubble().code}").text
    assert told.count('class="plain-cue"') == 4
    assert len(re.findall(r'name="unsure-\d" checked', told)) == 1
    assert "Perhaps some zebras." in told


def test_corrected_words_are_found_and_the_old_ones_are_not(author: Author) -> None:
    bubble = author.bubble(title="Quiet")
    path = f"/studio/bubbles/{bubble.code}/transcript"
    typed = lines(
        ("2,5", "4", "Later words"), ("0", "2.5", "Fresh oranges"), ("", "", " "), ("5", "6", "mumbled"), unsure=(3,)
    )
    assert author.send(path, **typed).status_code == 303
    told = author.now(bubble)["transcript"]
    assert [cue["text"] for cue in told["cues"]] == ["Fresh oranges", "Later words", "mumbled"]
    assert told["corrected"] is True

    def found(words: str) -> list[str]:
        items = author.client.get("/api/bubbles", params={"q": words, "channel": author.channel.handle}).json()["items"]
        return [item["code"] for item in items]

    assert found("oranges") == [bubble.code]
    assert found("lemons") == found("mumbled") == []


@pytest.mark.parametrize("number", ["07", "٧", "+7", "12345", ""])
def test_a_line_of_no_number_that_the_page_writes_is_no_line(author: Author, number: str) -> None:
    bubble = author.bubble()
    typed = lines(("0", "2.5", "Fresh oranges")) | {f"text-{number}": "More", f"start-{number}": "3"}
    assert author.send(f"/studio/bubbles/{bubble.code}/transcript", **typed).status_code == 303
    assert [cue["text"] for cue in author.now(bubble)["transcript"]["cues"]] == ["Fresh oranges"]


def test_words_that_are_not_taken_are_shown_again(author: Author) -> None:
    bubble = author.bubble()
    path = f"/studio/bubbles/{bubble.code}/transcript"
    for typed, status in (
        (lines(("0", "x", "No time")), 400),
        (lines(("0", "999", "No time")), 400),
        (lines(("nan", "1", "No time")), 400),
        (lines(("0", "1", "No time\u202e")), 422),
        (lines(("0", "1", "No time"), version="7"), 409),
        (lines(("0", "1", "No time"), version=""), 400),
    ):
        answer = author.send(path, **typed)
        assert answer.status_code == status
        assert "No time" in answer.text
    assert author.now(bubble)["transcript"]["corrected"] is False


def test_corrections_survive_a_new_run(author: Author, house: House) -> None:
    bubble = author.bubble(step={"finished_at": MONDAY_22})
    assert author.send(f"/studio/bubbles/{bubble.code}/transcript", **lines(("0", "1", "Mine"))).status_code == 303
    changed = about(bubble, language="fr", version="2")
    assert author.send(f"/studio/bubbles/{bubble.code}", **changed).status_code == 303
    with house.database.transaction() as session:
        step = steps.of(session, bubble.id, StepName.TRANSCRIBE)
        assert step is not None
        assert step.finished_at is not None
    assert author.now(bubble)["transcript"]["text"] == "Mine"


def test_a_correction_tells_its_new_version(author: Author) -> None:
    bubble = author.bubble()
    path = f"/api/bubbles/{bubble.code}"
    told = author.client.put(f"{path}/transcript", json={"cues": []}, headers=author.known | {"If-Match": '"v1"'})
    assert told.headers["etag"] == '"v2-ready"'
    assert author.client.get(path, headers=author.known).headers["etag"] == told.headers["etag"]
