"""Which language a page speaks, and the choices that a person makes."""

import pytest

from bubbles.http.onward import ours


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de, fr;q=0.5", "fr"),
        ("fr;q=0, en", "en"),
        ("de", "en"),
        ("", "en"),
        ("*;q=x, ;;;,fr;q=nan", "en"),
    ],
)
def test_the_browser_says_which_language(client, header, language):
    response = client.get("/nothing", headers={"Accept-Language": header, "Accept": "text/html"})
    assert f'<html lang="{language}"' in response.text
    assert response.headers["content-language"] == language
    assert "Accept-Language" in response.headers["vary"]
    assert "Cookie" in response.headers["vary"]


def test_a_chosen_language_wins_and_the_choice_is_all_that_is_kept(client):
    response = client.post("/preferences", data={"language": "fr", "back": "/search?q=a"}, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/search?q=a")
    assert dict(client.cookies) == {"bubbles_language": "fr"}
    assert '<html lang="fr"' in client.get("/", headers={"Accept-Language": "en"}).text


def test_a_theme_is_chosen_and_given_back_to_the_system(client):
    assert "data-theme" not in client.get("/").text
    client.post("/preferences", data={"theme": "dark"})
    assert 'data-theme="dark"' in client.get("/").text
    client.post("/preferences", data={"theme": "system"})
    assert "data-theme" not in client.get("/").text
    assert not client.cookies


def test_a_cookie_that_nobody_set_chooses_nothing(client):
    client.cookies.update({"bubbles_language": "../en", "bubbles_theme": '"><script>'})
    page = client.get("/").text
    assert '<html lang="en">' in page


def test_what_is_no_choice_is_refused(client):
    assert client.post("/preferences", data={"language": "tlh"}).status_code == 400
    assert client.post("/preferences", content=b"\xff" * 10).status_code == 400
    assert client.post("/preferences", content=b"a" * 70_000).status_code == 413


def test_another_site_chooses_nothing(client):
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/preferences", data={"theme": "dark"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "", "x"],
)
def test_nobody_is_sent_elsewhere(address):
    assert ours(address) == ""


def test_a_path_of_ours_is_gone_back_to():
    assert ours("/search?q=a%20b&near=1,2") == "/search?q=a%20b&near=1,2"
