"""An author with a channel, and the forms of the studio as its pages hold them."""

from dataclasses import dataclass
from typing import Any

from httpx import Response
from starlette.testclient import TestClient

from bubbles.app import House
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from tests.http.pages_fixtures import BROWSER, Stage


@dataclass
class Author:
    """Someone with a channel, who is signed in."""

    client: TestClient
    stage: Stage
    channel: Channel
    known: dict[str, str]

    def see(self, path: str = "/studio", **headers: str) -> Response:
        return self.client.get(path, headers=BROWSER | self.known | headers, follow_redirects=False)

    def send(self, path: str, **fields: str) -> Response:
        return self.client.post(path, data=fields, headers=BROWSER | self.known, follow_redirects=False)

    def bubble(self, **columns: Any) -> Bubble:
        return self.stage.bubble(channel=self.channel, **columns)

    def failed(self, **columns: Any) -> Bubble:
        """One that could not be made playable."""
        return self.bubble(playable_at=None, failed_at=self.stage.house.now(), **columns)

    def now(self, bubble: Bubble) -> dict[str, Any]:
        return dict(self.client.get(f"/api/bubbles/{bubble.code}", headers=self.known).json())


def author_of(client: TestClient, world: Any, house: House) -> Author:
    """Someone new."""
    channel, known = world.channel()
    return Author(client, Stage(house, world), channel, known)


def about(bubble: Bubble, **changes: str) -> dict[str, str]:
    """The form about a bubble as the page holds it, with changes."""
    kept = {"version": str(bubble.version), "title": bubble.title, "tags": ", ".join(bubble.tags)}
    kept |= {"language": bubble.language or "", "visibility": bubble.visibility, "licence": bubble.licence}
    return kept | {"precision": bubble.precision or "", "role": bubble.place_role or ""} | changes
