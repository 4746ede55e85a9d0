"""What makes the pages installable."""

import json
import re


def test_the_manifest_is_in_the_language_of_who_asks(client):
    told = [client.get("/app.webmanifest", headers={"Accept-Language": tag}).json() for tag in ("en", "fr")]
    assert [each["lang"] for each in told] == ["en", "fr"]
    assert told[0]["description"] != told[1]["description"]
    for icon in told[0]["icons"]:
        assert client.get(icon["src"]).headers["content-type"] == icon["type"]


def test_the_worker_keeps_files_that_are_there_and_is_asked_for_again_each_time(client):
    response = client.get("/sw.js")
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["cache-control"] == "no-cache"
    shell = json.loads(re.match(r"self\.shell = (.*);\n", response.text).group(1))
    assert {path: client.get(path).status_code for path in shell["files"] + shell["pages"]} == dict.fromkeys(
        shell["files"] + shell["pages"], 200
    )
    assert client.get("/sw.js", headers={"If-None-Match": response.headers["etag"]}).status_code == 304


def test_the_recorder_opens_whole_without_a_connection_and_without_the_heavy_map(client):
    shell = json.loads(re.match(r"self\.shell = (.*);\n", client.get("/sw.js").text).group(1))
    named = set(re.findall(r'"(/assets/[^"]+\.(?:js|css))"', client.get("/record").text))
    assert named and named <= set(shell["files"])
    assert not [file for file in shell["files"] if "maplibre" in file or "/ground-" in file]
