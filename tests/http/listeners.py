"""Those who listen in the tests of statistics, and what they are told of."""

from typing import Any

from starlette.testclient import TestClient

from tests.http.conftest import FIREFOX

HOUR_S = 3600
NOTHING = {"downloads": 0, "starts": 0, "listens": 0, "completions": 0, "heard_s": 0, "listeners": 0}


def listen(peer: Any, clock: Any, bubble: Any, host: str, heard_s: float, **headers: str) -> None:
    """A visitor who is sent the sound and hears the beginning of it."""
    visitor = peer(host, headers.pop("agent", FIREFOX))
    visitor.get(f"/media/{bubble.code}.m4a", headers=headers)
    began = clock.at
    for heard in ([], [[0, heard_s]]):
        told = {"code": bubble.code, "play": f"play-{host}-{began:%H-%M-%S}".replace(".", "-"), "heard": heard}
        assert visitor.post("/api/listens", json=told, headers=headers).status_code == 204
        clock.pass_s(heard_s)


def of_bubble(client: TestClient, bubble: Any, headers: dict[str, str], **query: str) -> Any:
    return client.get(f"/api/bubbles/{bubble.code}/stats", headers=headers, params=query)


def figures(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in NOTHING}


def of_channel(client: TestClient, channel: Any, headers: dict[str, str], **query: str) -> Any:
    return client.get(f"/api/channels/{channel.handle}/stats", headers=headers, params=query)
