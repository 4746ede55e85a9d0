"""What a client brings back is an attacker's until proven: it is read within bounds, or refused in words, never 500."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bubbles.db import towns
from bubbles.http.asgi import create_app
from tests.http.people import AGES_S, People
from tests.http.studio_author import Author, about
from tests.towns import write

REFUSED = range(400, 500)
LONG = "x" * 60_000
HUGE = "9" * 4_000
MORE_THAN_BIGINT = str(2**63)
NUMBERS = ("", "-1", "0", "1.5", "1e9", "nan", "inf", "٣", "\x00", MORE_THAN_BIGINT, HUGE, LONG)


@pytest.fixture
def client(house: Any, tmp_path: Path) -> Iterator[TestClient]:
    """Someone whose answers show what broke."""
    towns.load(house.database, write(tmp_path / "places.tsv"))
    with TestClient(create_app(house), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


# Addresses

TEXTS = ("\x00", "\ud800", "%", "{0}", LONG, "a," * 5_000, "nan", MORE_THAN_BIGINT, HUGE)
SIGNED_IN = {"/studio", "/@nobody"}
PLACES = {
    "/search": (
        "q",
        "near",
        "radius_m",
        "bbox",
        "channel",
        "language",
        "tag",
        "since",
        "until",
        "sort",
        "limit",
        "cursor",
    ),
    "/map": ("q", "bbox", "channel", "language", "tag", "since", "until", "period", "cursor"),
    "/map/list": ("bbox", "code", "cursor", "period"),
    "/api/map": ("bbox", "zoom", "q"),
    "/api/places": ("q", "near", "limit"),
    "/on-air": ("after",),
    "/@nobody": ("before",),
    "/studio": ("shelf", "channel", "after"),
    "/sign-in": ("next", "again"),
    "/sign-up": ("invitation",),
    "/oembed": ("url", "format", "maxwidth", "maxheight"),
    "/map/style.json": ("theme", "language"),
    "/map/tiles.pmtiles": ("v",),
    "/account": ("done",),
}


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in PLACES.items() for name in names])
def test_a_value_in_an_address_never_breaks_a_page(author: Author, client: TestClient, path: str, name: str) -> None:
    known = author.known if path in SIGNED_IN else {}
    for value in TEXTS:
        asked = {name: value.encode("utf-8", "surrogatepass")}
        answer = client.get(path.replace("nobody", author.channel.handle), params=asked, headers=known)
        assert answer.status_code < 500 or (path, answer.status_code) == ("/oembed", 501), value[:40]


MANY = {
    "tags": "&".join(f"tag={number}" for number in range(7_000)),
    "the same tag": "&".join(["tag=a"] * 10_000),
    "names": "&".join(f"n{number}=1" for number in range(7_000)),
    "values of one name": "&".join(["q=a"] * 10_000),
}


@pytest.mark.parametrize("many", MANY.values(), ids=MANY.keys())
@pytest.mark.parametrize("path", ["/search", "/map", "/map/list", "/api/bubbles", "/api/bubbles.geojson", "/api/map"])
def test_an_address_of_thousands_of_fields_is_refused_at_once(client: TestClient, path: str, many: str) -> None:
    assert client.get(f"{path}?{many}").status_code == 400


def test_an_address_may_carry_all_that_a_bubble_can_have(client: TestClient) -> None:
    many = "&".join(f"tag={number:0200}" for number in range(50))
    assert client.get(f"/search?q=a&utm_source=b&{many}").status_code == 200
    assert client.get(f"/api/bubbles?q=a&{many}").status_code == 200


BOXES = (
    "-180,-90,180,90",
    "180,90,180,90",
    "-180,-90,-180,-90",
    "0,0,0,0",
    "179.9,-1,-179.9,1",
    "1e-320,0,1,1",
    "-0,-0,0,0",
)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("zoom", ["0", "24", "1e-9", "23.999"])
def test_any_box_is_a_view(client: TestClient, box: str, zoom: str) -> None:
    assert client.get("/api/map", params={"bbox": box, "zoom": zoom}).status_code == 200
    assert client.get("/api/bubbles", params={"bbox": box}).status_code == 200


@pytest.mark.parametrize("near", ["90,180", "-90,-180", "0,0", "89.9999999,0", "1e-320,-1e-320"])
@pytest.mark.parametrize("radius_m", ["1", "10007543", "20100000", "20015086.796", "0.1e8"])
def test_any_circle_is_a_place(client: TestClient, near: str, radius_m: str) -> None:
    for sort in ("nearest", "newest"):
        asked = {"near": near, "radius_m": radius_m, "sort": sort}
        assert client.get("/api/bubbles", params=asked).status_code == 200


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"]
)
def test_any_moment_is_read_or_refused(client: TestClient, author: Author, moment: str) -> None:
    for name in ("since", "until"):
        assert client.get("/api/bubbles", params={name: moment}).status_code in {200, 400}
    assert client.get(f"/@{author.channel.handle}", params={"before": moment}).status_code in {200, 400}


# Headers

HEADERS = {
    "If-Match": ('"v1"', '"v' + HUGE + '"', '"v1",' * 5_000, "W/" * 20_000, '"' * 40_000),
    "If-None-Match": ("*", '"' * 40_000, "W/" * 20_000, '"a",' * 10_000),
    "If-Range": ('"' * 40_000, "Thu, 01 Jan 1970 00:00:00 GMT"),
    "Range": (
        "bytes=" + "0-0," * 10_000,
        f"bytes={HUGE}-{HUGE}",
        f"bytes=-{HUGE}",
        "bytes=" + "9" * 50_000 + "-",
        "bytes=0-0" + " " * 40_000,
    ),
    "Accept-Language": ("fr;q=nan", "a" * 60_000, "fr," * 20_000, "-" * 60_000, "fr;q=1e999", ";q=" * 20_000),
    "Cookie": (
        "bubbles_session=" + LONG,
        "bubbles_language=" + LONG,
        "bubbles_theme=\x7f",
        "=;" * 20_000,
        "a=b;" * 15_000,
    ),
    "Last-Event-ID": (LONG, "-1"),
    "Accept-Encoding": ("gzip," * 10_000,),
    "Authorization": ("Bearer", "Bearer " + LONG, "Basic x", " "),
    "Accept": ("text/html," * 6_000,),
    "X-Request-Id": (LONG,),
    "Content-Type": (LONG, "multipart/form-data; boundary=" + "-" * 60_000, "multipart/form-data" + ";a=b" * 10_000),
    "Idempotency-Key": ("", " ", LONG, "é"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_never_breaks_an_answer(author: Author, client: TestClient, name: str) -> None:
    code = author.bubble().code
    paths = (f"/media/{code}.m4a", f"/b/{code}", f"/api/bubbles/{code}", "/", "/sitemap.xml", "/map/tiles.pmtiles")
    for value in HEADERS[name]:
        given = {name: value.encode("latin-1")}
        answers = [client.get(path, headers=given) for path in paths]
        answers.append(client.patch(paths[2], json={"title": "x"}, headers=author.known | given))
        answers.append(client.post("/api/bubbles", content=b"x", headers=author.known | given))
        assert all(answer.status_code < 500 for answer in answers), value[:40]


# Forms


def test_the_version_that_a_form_hides_is_a_number_or_refused(author: Author) -> None:
    bubble = author.bubble()
    for value in NUMBERS:
        for path in ("", "/transcript"):
            answer = author.send(f"/studio/bubbles/{bubble.code}{path}", **about(bubble, version=value))
            assert answer.status_code in REFUSED, value[:40]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/account/sessions/end", "session"),
        ("/account/tokens/revoke", "token"),
        ("/account/passkeys/remove", "passkey"),
        ("/account/passkeys/rename", "passkey"),
    ],
)
def test_the_row_that_a_button_names_is_a_number_or_refused(people: People, path: str, name: str) -> None:
    browser = people.signed_in()
    for value in NUMBERS:
        assert browser.post(path, data={name: value, "name": "x"}).status_code in {303, *REFUSED}, value[:40]


FORMS = ("/preferences", "/sign-in", "/sign-up", "/sign-in/secret", "/sign-out", "/account/password", "/account/delete")
FIELDS = (
    "back",
    "next",
    "handle",
    "password",
    "code",
    "invitation",
    "language",
    "theme",
    "present",
    "way",
    "terms",
    "others",
)


@pytest.mark.parametrize("path", FORMS)
def test_a_field_of_a_form_never_breaks_it(people: People, path: str) -> None:
    for value in ("\x00", "😀" * 9_000, "\u202e", "//evil.example", "/\\evil.example", "/" + "a" * 60_000):
        browser = people.browser(registration="open")
        answer = browser.post(path, data=dict.fromkeys(FIELDS, value))
        assert answer.status_code < 500, value[:40]
        assert "evil.example" not in answer.headers.get("location", "")


@pytest.mark.parametrize(
    "body", [b"a=%ed%a0%80", b"\xff=1", b"a=1&" * 5_000, b"a" * 70_000, b"=" * 200], ids=lambda body: repr(body)[:20]
)
@pytest.mark.parametrize("path", FORMS)
def test_what_is_no_form_is_refused(people: People, path: str, body: bytes) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert people.browser().post(path, content=body, headers=kind).status_code < 500


# JSON

NESTED = b"[" * 200_000
MANY_DIGITS = b"1" + b"0" * 400
HEARD = b'{"code": "AAAAAAAAAAAAAAAA", "play": "AAAAAAAA", "heard": [%s]}'
BODIES = (
    *(b"", b"\xff", b"[]", b"NaN", b"1" * 5_000, NESTED, b'{"a":' * 50_000, b'{"\\ud800": 1}'),
    *(b'{"title": ' + value + b"}" for value in (b"9" * 5_000, b"NaN", b'"\\ud800"', b'"\\u0000"', b"{}")),
    *(b'{"place": {"latitude": %s, "longitude": 1}}' % value for value in (b"NaN", b"Infinity", b"1e999", MANY_DIGITS)),
    *(b'{"tags": ' + value + b"}" for value in (b"[" + b'"a",' * 100_000 + b'"b"]', b'{"a": 1}', b"[1]")),
    *(b'{"visibility": ["public"]}', b'{"licence": {}}', b'{"language": 1}', b'{"language": "\\u0000", "cues": []}'),
    *(b'{"cues": ' + value + b"}" for value in (NESTED + b"]" * 200_000, b"[" + b"{}," * 2_000 + b"{}]")),
    *(b'{"cues": [{"start_s": %s, "end_s": 1, "text": "a"}]}' % value for value in (b"NaN", MANY_DIGITS, b"true")),
    *(HEARD % value for value in (b"[0, %s]" % MANY_DIGITS, b"[NaN, Infinity]", b"[0,1]," * 1_500 + b"[0,1]")),
    b'{"credential": ' + b'{"a":' * 3_000 + b"1" + b"}" * 3_003,
    b'{"credential": {"id": 1, "response": {"clientDataJSON": "\\ud800"}}}',
    b'{"credential": {}, "next": "\\ud800", "handle": "\\ud800", "name": "\\ud800"}',
    b'{"present": "\\ud800"}',
)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body)[:40])
def test_json_is_read_or_refused(author: Author, client: TestClient, body: bytes) -> None:
    code = author.bubble().code
    for method, path in (
        ("PATCH", f"/api/bubbles/{code}"),
        ("PUT", f"/api/bubbles/{code}/transcript"),
        ("POST", "/api/listens"),
    ):
        answer = client.request(method, path, content=body, headers=author.known)
        assert answer.status_code in REFUSED, (path, answer.text[:300])
        assert answer.json()["code"]


def test_what_a_passkey_answers_is_read_or_refused(people: People, clock: Any) -> None:
    browser = people.signed_in()
    clock.pass_s(AGES_S)
    for body in BODIES:
        for path in ("/sign-in/passkey", "/account/passkeys/challenge", "/account/passkeys"):
            assert browser.post(path, content=body).status_code in REFUSED, (path, body[:40])
