"""What a bubble is passed on with."""

from urllib.parse import unquote
from xml.etree import ElementTree

from tests.http.hostile import parsed
from tests.http.pages_fixtures import BROWSER

BASE = "http://localhost:8000"


def panel_of(client, bubble, **headers):
    response = client.get(f"/b/{bubble.code}/share", headers=BROWSER | headers)
    assert response.status_code == 200
    return parsed(response.text)


def test_link_networks_code_and_snippet_are_there_without_a_script(client, stage):
    bubble = stage.bubble(title="Q&A: 100 % <voices>")
    url = f"{BASE}/b/{bubble.code}"
    page = parsed(client.get(f"/b/{bubble.code}", headers=BROWSER).text)
    assert url in page.all("input", "value")
    away = [link for link in page.all("a", "href") if not link.startswith(("/", "#"))]
    assert len(away) >= 9
    assert all(url in unquote(link) for link in away)
    assert sum("Q&A: 100 % <voices>" in unquote(link) for link in away) >= 6
    assert f"/b/{bubble.code}/qr.svg" in page.all("img", "src")
    assert f'<iframe src="{url}/embed" title="Q&amp;A: 100 % &lt;voices&gt;"' in page.text


def test_no_network_learns_where_its_reader_came_from(client, stage):
    html = client.get(f"/b/{stage.bubble().code}", headers=BROWSER).text
    page = parsed(html)
    outside = [link for link in page.all("a", "href") if link.startswith(("https:", "mailto:", "sms:"))]
    assert page.all("a", "rel").count("noopener noreferrer") == len(outside)


def test_the_panel_comes_alone_for_the_one_who_asks(client, stage, world):
    channel, owner = world.channel()
    bubble = stage.bubble(channel=channel, words=None, playable_at=None)
    response = client.get(f"/b/{bubble.code}/share", headers=owner)
    assert response.headers["cache-control"] == "no-store"
    assert response.text.lstrip().startswith("<share-panel")


def test_a_private_link_is_not_offered_to_networks(client, stage, world):
    channel, owner = world.channel()
    bubble = stage.bubble(channel=channel, visibility="private")
    page = panel_of(client, bubble, **owner)
    assert f"{BASE}/b/{bubble.code}" in page.all("input", "value")
    assert "Only your team can open this link" in page.text
    assert not page.all("a", "href")
    assert client.get(f"/b/{bubble.code}/share").status_code == 404


def test_the_panel_speaks_french(client, stage):
    assert "Code QR" in panel_of(client, stage.bubble(), **{"Accept-Language": "fr"}).text


def test_the_code_is_a_picture_of_ours_that_is_kept(client, stage):
    bubble = stage.bubble()
    response = client.get(f"/b/{bubble.code}/qr.svg")
    assert response.headers["content-type"] == "image/svg+xml"
    assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert response.headers["cache-control"] == "no-cache"
    assert ElementTree.fromstring(response.content).tag.endswith("svg")  # noqa: S314 - our own
    again = client.get(f"/b/{bubble.code}/qr.svg", headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304
    assert client.get(f"/b/{stage.bubble().code}/qr.svg").content != response.content


def test_there_is_no_code_of_what_is_not_open(client, stage):
    assert client.get(f"/b/{stage.bubble(visibility='private').code}/qr.svg").status_code == 404
    assert client.get("/b/AAAAAAAAAAAAAAAA/qr.svg").status_code == 404
