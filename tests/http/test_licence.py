"""The licence and the version of the terms are kept with each bubble, from its first second on."""

from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from bubbles.accept import Received, fingerprint
from bubbles.app import House
from bubbles.model.bubble import Bubble
from bubbles.model.draft import Draft
from bubbles.model.licence import Licence
from tests.http.pages_fixtures import BROWSER, Stage
from tests.http.uploading import post, tone

IN_FORCE = "1f825aa2f002"
MARK = "90358b44a720d10010dabd55da081b9d7cf48eaecdaf9ef0023a9d34f2008dbf"


@pytest.fixture
def author(world: Any) -> dict[str, str]:
    return dict(world.channel()[1])


def kept(house: House, code: str) -> tuple[str, str]:
    with house.database.transaction() as session:
        row = session.exec(select(Bubble).where(Bubble.code == code)).one()
        return row.licence, row.consent_version


def test_what_an_author_says_nothing_of_is_as_the_house_does(client: TestClient, author: Any, house: House) -> None:
    told = post(client, author).json()
    assert (told["licence"], told["consent_version"]) == ("all-rights-reserved", "none")
    house.settings.licence = "CC-BY-4.0"
    house.settings.legal.mkdir()
    (house.settings.legal / "terms.md").write_text("Be kind.")
    told = post(client, author).json()
    assert told["licence"] == "CC-BY-4.0"
    assert len(told["consent_version"]) == 12
    assert kept(house, told["code"]) == (told["licence"], told["consent_version"])


def test_an_author_chooses_a_licence_and_says_which_terms_were_shown(
    client: TestClient, author: Any, house: House
) -> None:
    told = post(client, author, licence="CC0-1.0", consent_version=IN_FORCE).json()
    assert kept(house, told["code"]) == ("CC0-1.0", IN_FORCE)


@pytest.mark.parametrize(
    "fields", [{"licence": "mine"}, {"licence": "cc-by-4.0"}, {"consent_version": "yes"}, {"consent_version": "0" * 13}]
)
def test_what_is_no_licence_or_no_version_is_refused(client: TestClient, author: Any, fields: dict[str, str]) -> None:
    answer = post(client, author, **fields)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_licence_is_changed_and_nothing_else_is_with_it(client: TestClient, author: Any, house: House) -> None:
    told = post(client, author, title="Mine", consent_version=IN_FORCE).json()
    path = f"/api/bubbles/{told['code']}"
    changed = client.patch(path, json={"licence": "CC-BY-SA-4.0"}, headers=author).json()
    assert (changed["licence"], changed["title"]) == ("CC-BY-SA-4.0", "Mine")
    assert kept(house, told["code"]) == ("CC-BY-SA-4.0", IN_FORCE)
    for wrong in (None, "free", ["CC0-1.0"]):
        assert client.patch(path, json={"licence": wrong}, headers=author).status_code == 400
    assert client.patch(path, json={"consent_version": IN_FORCE}, headers=author).status_code == 400


def test_the_share_page_tells_the_licence_to_people_and_machines(client: TestClient, world: Any, house: House) -> None:
    free = Stage(house, world).bubble(licence="CC-BY-4.0")
    told = client.get(f"/b/{free.code}", headers=BROWSER).text
    assert '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>' in told
    assert '"license": "https://creativecommons.org/licenses/by/4.0/"' in told
    closed = client.get(f"/b/{Stage(house, world).bubble().code}", headers=BROWSER).text
    assert "All rights reserved" in closed
    assert '"license"' not in closed


def test_strangers_learn_the_licence_and_not_the_terms(client: TestClient, world: Any) -> None:
    told = client.get(f"/api/bubbles/{world.bubble(length_bytes=9).code}").json()
    assert told["licence"] == "all-rights-reserved"
    assert "consent_version" not in told


def test_a_repeat_of_what_was_sent_before_there_were_licences_is_still_the_same(tmp_path: Any) -> None:
    received = Received(tmp_path / "a", 3, "ab" * 32)
    assert fingerprint(Draft(title="Mine"), received) == MARK
    assert fingerprint(Draft(title="Mine", licence=Licence.CC0), received) != MARK


def test_a_key_holds_whatever_the_terms_become_meanwhile(client: TestClient, author: Any, house: House) -> None:
    keyed = author | {"Idempotency-Key": "once"}
    sound = tone()
    first = post(client, keyed, sound).json()
    house.settings.legal.mkdir()
    (house.settings.legal / "terms.md").write_text("Other terms.")
    assert post(client, keyed, sound).json()["code"] == first["code"]
