"""What the operator answers for: their own words where there are some, else the truth about what runs."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bubbles import legal
from bubbles.app import House

FRENCH = {"Accept-Language": "fr"}
PAGES = ("privacy", "terms", "contact")


@pytest.fixture
def write(house: House) -> Any:
    """Puts a text into the operator's folder."""

    def put(name: str, text: str) -> Path:
        house.settings.legal.mkdir(exist_ok=True)
        path = house.settings.legal / name
        path.write_text(text)
        return path

    return put


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_the_operators_own_words(client: TestClient, write: Any, page: str) -> None:
    write(f"{page}.md", "# House rules\n\nBe **kind**, and [write](mailto:me@example.org).")
    told = client.get(f"/{page}").text
    assert "<h1>House rules</h1>" in told
    assert told.count("<h1") == 1
    assert '<strong>kind</strong>, and <a href="mailto:me@example.org">write</a>' in told


def test_each_language_has_its_own_text_and_falls_back_on_another(client: TestClient, write: Any) -> None:
    write("terms.md", "Be kind.")
    assert '<article class="prose" lang="en">' in client.get("/terms", headers=FRENCH).text
    write("terms.fr.md", "Soyez aimables.")
    assert "Soyez aimables." in client.get("/terms", headers=FRENCH).text
    assert "Be kind." in client.get("/terms").text


def test_a_text_that_is_changed_is_shown_changed(client: TestClient, write: Any) -> None:
    path = write("contact.md", "Call one.")
    assert "Call one." in client.get("/contact").text
    path.write_text("Call two.")
    os.utime(path, ns=(1, 1))
    assert "Call two." in client.get("/contact").text


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,hello)",
        "[x](//elsewhere.example)",
        "![x](https://elsewhere.example/pixel.gif)",
    ],
)
def test_no_text_brings_markup_scripts_or_pictures_of_its_own(client: TestClient, write: Any, hostile: str) -> None:
    write("contact.md", f"{hostile} is what was written")
    told = client.get("/contact").text.partition("<article")[2].partition("</article>")[0]
    assert all(mark not in told for mark in ("<script", "<img", 'href="javascript', 'href="data', 'href="//'))
    assert "is what was written" in told


@pytest.mark.parametrize("page", ("terms", "contact"))
def test_what_is_not_written_is_said_to_be_so(client: TestClient, write: Any, page: str) -> None:
    for text in (None, " \n"):
        if text:
            write(f"{page}.md", text)
        told = client.get(f"/{page}").text
        assert "has not" in told
        assert f"<code>{page}.md</code>" in told


def test_privacy_is_told_from_the_settings_in_force(client: TestClient, house: House) -> None:
    told = client.get("/privacy").text
    assert f"for {house.settings.session_days} days" in told
    assert f"kept for {house.settings.idempotency_days} days" in told
    assert "gone after 48 hours" in told
    assert "files of this server" in told
    house.settings.session_days, house.settings.blob_url = 7, "s3://bucket"
    house.settings.map_style_url = "https://maps.example/style.json"
    told = client.get("/privacy").text
    assert "for 7 days" in told
    assert "S3" in told
    assert "chosen from maps.example" in told


def test_every_page_leads_to_them(client: TestClient) -> None:
    told = client.get("/").text
    for page in (*PAGES, "method"):
        assert f'href="/{page}"' in told
        assert client.get(f"/{page}").status_code == 200


def test_how_listening_is_counted_is_told_with_the_figures_that_are_used(
    client: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bubbles.db.listening.LISTEN_S", 7.5)
    told = client.get("/method").text
    assert "7.5 different seconds" in told
    assert "90 %" in told
    assert "&lt;5" in told
    assert "at most 50 new visitors, or 2000 where" in told
    assert "counts for 2 people at most (30 where" in told
    house.settings.visitors_per_network = 77
    assert "at most 77 new visitors" in client.get("/method").text
    assert "7.5 secondes" in client.get("/method", headers=FRENCH).text


def test_the_version_of_the_terms_is_the_digest_of_their_text(tmp_path: Path) -> None:
    assert legal.terms_version(tmp_path) == "none"
    (tmp_path / "terms.md").write_text("Be kind.")
    first = legal.terms_version(tmp_path)
    assert first == hashlib.sha256(b"Be kind.").hexdigest()[:12]
    (tmp_path / "terms.fr.md").write_text("Soyez aimables.")
    assert legal.terms_version(tmp_path) != first


def test_what_is_no_text_breaks_no_page(client: TestClient, write: Any) -> None:
    write("terms.md", "").write_bytes(b"\xff\xfe rules \x00")
    assert "rules" in client.get("/terms").text
