"""oEmbed 1.0: how other sites learn to show a bubble."""

from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import pytest

from tests.http.hostile import parsed
from tests.http.pages_fixtures import BROWSER

BASE = "http://localhost:8000"


def asked(client, url: str, **params):
    return client.get(f"/oembed?{urlencode({'url': url} | params)}")


def test_a_share_link_is_described(client, stage):
    bubble = stage.bubble()
    response = asked(client, f"{BASE}/b/{bubble.code}")
    told = response.json()
    assert (told["version"], told["type"], told["title"]) == ("1.0", "rich", "Market day")
    assert (told["provider_url"], told["author_url"].startswith(f"{BASE}/@")) == (f"{BASE}/", True)
    frame = parsed(told["html"])
    assert frame.all("iframe", "src") == [f"{BASE}/b/{bubble.code}/embed"]
    assert frame.all("iframe", "width") == [str(told["width"])]
    assert response.headers["access-control-allow-origin"] == "*"
    again = client.get(str(response.url), headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304


def test_the_same_as_xml_escaped(client, stage):
    bubble = stage.bubble(title='Rock & "Roll" <b>')
    as_json = asked(client, f"{BASE}/b/{bubble.code}", format="json").json()
    response = asked(client, f"{BASE}/b/{bubble.code}", format="xml")
    assert response.headers["content-type"] == "text/xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)  # noqa: S314 - our own
    assert root.tag == "oembed"
    assert {each.tag: each.text for each in root} == {name: str(value) for name, value in as_json.items()}
    assert parsed(as_json["html"]).all("iframe", "title") == ['Rock & "Roll" <b>']


@pytest.mark.parametrize("suffix", ["", "#t=12", "?utm_source=x", "/embed", "/embed?theme=dark"])
def test_every_form_of_the_link_is_known(client, stage, suffix):
    assert asked(client, f"{BASE}/b/{stage.bubble().code}{suffix}").status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/b/{code}",
        "http://localhost:8000.evil.example/b/{code}",
        "http://localhost:8000@evil.example/b/{code}",
        "https://localhost:8000/b/{code}",
        "//localhost:8000/b/{code}",
        "/b/{code}",
        "http://localhost:8000/@someone",
        "http://localhost:8000/b/{code}/x",
        "http://localhost:8000/b/AAAAAAAAAAAAAAAA",
        "http://[",
        "\x00",
        "",
    ],
)
def test_other_addresses_are_not_found(client, stage, url):
    assert asked(client, url.format(code=stage.bubble().code)).status_code == 404


def test_what_is_private_is_not_found_for_its_owner_either(client, stage, world):
    channel, owner = world.channel()
    bubble = stage.bubble(channel=channel, visibility="private")
    response = client.get(f"/oembed?url={quote(f'{BASE}/b/{bubble.code}')}", headers=owner)
    assert response.status_code == 404


def test_another_format_is_not_implemented(client, stage):
    assert asked(client, f"{BASE}/b/{stage.bubble().code}", format="yaml").status_code == 501


@pytest.mark.parametrize(
    ("asks", "width", "height"),
    [
        ({}, 480, 168),
        ({"maxwidth": "300", "maxheight": "140"}, 300, 140),
        ({"maxwidth": "9999", "maxheight": "9999"}, 480, 168),
        ({"maxwidth": "1", "maxheight": "0"}, 200, 120),
        ({"maxwidth": "-5", "maxheight": "many"}, 480, 168),
        ({"maxwidth": "9" * 5000, "maxheight": "²"}, 480, 168),
    ],
)
def test_it_takes_no_more_room_than_is_given(client, stage, asks, width, height):
    told = asked(client, f"{BASE}/b/{stage.bubble().code}", **asks).json()
    assert (told["width"], told["height"]) == (width, height)


def test_the_share_page_leads_to_it(client, stage):
    bubble = stage.bubble()
    page = parsed(client.get(f"/b/{bubble.code}", headers=BROWSER).text)
    links = [link for link in page.all("link", "href") if "/oembed?" in link]
    assert {client.get(link.removeprefix(BASE)).headers["content-type"].split(";")[0] for link in links} == {
        "application/json",
        "text/xml",
    }


def test_a_private_page_leads_to_none(client, stage, world):
    channel, owner = world.channel()
    bubble = stage.bubble(channel=channel, visibility="private")
    assert "/oembed?" not in client.get(f"/b/{bubble.code}", headers=BROWSER | owner).text
