"""The player for other people's pages."""

import pytest

from tests.http.hostile import parsed


def test_any_page_may_frame_it_and_it_loads_only_ours(browser, stage):
    response = browser.get(f"/b/{stage.bubble().code}/embed")
    policy = response.headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "frame-ancestors 'self'" not in policy
    assert "default-src 'none'" in policy
    page = parsed(response.text)
    assert all(src.startswith(("/assets/", "/media/", "/b/")) for src in page.all("script", "src"))
    assert page.all("audio", "preload") == ["none"]


def test_it_is_the_same_for_everyone_and_sets_nothing(browser, stage, world):
    channel, owner = world.channel()
    path = f"/b/{stage.bubble(channel=channel).code}/embed"
    stranger = browser.get(path)
    cookies = {"Cookie": "bubbles_language=fr; bubbles_theme=dark; bubbles_session=x"}
    for response in (browser.get(path, headers=cookies), browser.get(path, headers=owner)):
        assert response.text == stranger.text
        assert "set-cookie" not in response.headers
    assert stranger.headers["vary"] == "Accept-Language, Accept-Encoding"
    assert stranger.headers["cache-control"] == "no-cache"
    again = browser.get(path, headers={"If-None-Match": stranger.headers["etag"]})
    assert again.status_code == 304


def test_it_asks_nobody_who_is_there_and_installs_nothing(browser, stage):
    text = browser.get(f"/b/{stage.bubble().code}/embed").text
    assert "data-fragment" not in text
    assert "manifest" not in text
    assert "/src/main" not in text


def test_it_speaks_the_language_of_the_browser_and_wears_the_theme_that_is_asked(browser, stage):
    path = f"/b/{stage.bubble().code}/embed"
    assert '<html lang="fr">' in browser.get(path, headers={"Accept-Language": "fr-CA"}).text
    assert 'data-theme="dark"' in browser.get(f"{path}?theme=dark").text
    assert "data-theme" not in browser.get(path).text
    assert "data-theme" not in browser.get(f'{path}?theme="><script>').text


def test_an_unlisted_bubble_is_played_and_not_kept(browser, stage):
    response = browser.get(f"/b/{stage.bubble(visibility='unlisted').code}/embed")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize(
    "columns",
    [{"visibility": "private"}, {"held_at": "now"}, {"withdrawn_at": "now"}],
)
def test_what_is_not_open_is_one_quiet_404_in_the_frame_for_its_team_too(browser, stage, world, house, columns):
    channel, owner = world.channel()
    moments = {name: house.now() if value == "now" else value for name, value in columns.items()}
    hidden = browser.get(f"/b/{stage.bubble(channel=channel, **moments).code}/embed", headers=owner)
    unknown = browser.get("/b/AAAAAAAAAAAAAAAA/embed")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.text == unknown.text
    assert "frame-ancestors *" in hidden.headers["content-security-policy"]
    assert hidden.headers["cache-control"] == "no-store"


def test_before_there_is_sound_there_is_nothing_to_embed(browser, world, stage):
    bubble = stage.bubble(words=None, playable_at=None)
    assert browser.get(f"/b/{bubble.code}/embed").status_code == 404
