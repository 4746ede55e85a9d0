"""Services with something on the air, and with nothing."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from bubbles import cli
from bubbles.app import open_house
from bubbles.config import Settings
from bubbles.db import bubbles, steps
from bubbles.model.step import StepName
from tests.conftest import Speech
from tests.journey.service import Service, running, wait_for

AUTHOR = "ana"
NEWCOMER = "newcomer"
GENEROUS = {
    "REGISTRATION": "open",
    "UPLOADS_PER_HOUR": "10000",
    "UPLOADS_AT_ONCE": "50",
    "LOG_LEVEL": "warning",
}
TITLES = (
    ("Down by the quay", "45.7640", "4.8357", "street"),
    ("What the fountain heard", "45.7674", "4.8336", "neighbourhood"),
    ("Under the chestnut trees", "45.7772", "4.8525", "exact"),
)

OPERATORS_WORDS = """\
Be **kind**, and [write to us](mailto:us@example.org) or look at [the method](/method) first.

## What is kept

1. Your sound, until you take it back.
2. Your handle, with `nothing` beside it.

> Nobody is asked who they are.

| Kept | For how long |
|---|---|
| Sound | Until it is withdrawn |
| Addresses | Never |

---

- Ask us.
- Ask again.
"""
"""All that an operator's Markdown may hold."""


@dataclass
class Stage:
    """A service, a sound file to send, and what the author published there, newest last."""

    service: Service
    sound: Path | None = None
    author: str = AUTHOR
    told: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def origin(self) -> str:
        """`http://localhost:PORT`, as links say it: passkeys refuse a numeric address."""
        return self.service.url.replace("127.0.0.1", "localhost")

    @property
    def code(self) -> str:
        """The code of the first bubble."""
        return str(self.told[0]["code"])

    def command(self, *arguments: str) -> str:
        """What `bubbles ...` prints, run in this process: an interpreter of its own would cost a second and a half."""
        ran = CliRunner().invoke(cli.app, arguments, env=self.service.environment)
        assert ran.exit_code == 0, ran.output
        return ran.stdout.strip()

    def handle(self) -> str:
        """A handle that nobody has."""
        return f"visitor-{next(self._numbers)}"

    def account(self, handle: str = "") -> str:
        """A new account's handle."""
        return self.command("account", "create", handle or self.handle()).lstrip("@")

    def published(self, handle: str) -> int:
        """How many bubbles the account has, in whatever state."""
        with self.service.client(self.token(handle)) as client:
            shown = client.get(f"/@{handle}", headers={"Accept": "text/html"}).text
        return shown.count('<article class="card"')

    def link(self, handle: str) -> str:
        """An address that signs the account in, once."""
        return self.command("account", "link", handle)

    def token(self, handle: str = "") -> str:
        """A token of the account; without a handle, the author's."""
        return self.command("token", "create", handle or self.author)

    def publish(self, speech: Speech, token: str, **fields: str) -> dict[str, Any]:
        """Sends a recording; what the 202 says."""
        with self.service.client(token) as client:
            files = {"audio": (speech.path.name, speech.path.read_bytes())}
            answer = client.post("/api/bubbles", files=files, data=fields)
            assert answer.status_code == 202, answer.text
            return dict(answer.json())

    def failed(self) -> str:
        """The code of a bubble of the author's that was given up; where no worker is up."""
        assert self.sound
        link = self.command("publish", str(self.sound), "--channel", self.author, "--title", "Not to be")
        code, settings = link.rpartition("/")[2], Settings(data_dir=Path(self.service.environment["BUBBLES_DATA_DIR"]))
        with open_house(settings) as house, house.database.transaction() as session:
            found = bubbles.by_code(session, code, account_id=None)
            assert found
            step = steps.begin(session, found[0].id, StepName.NORMALISE, house.now())
            assert step
            session.flush()
            steps.give_up(session, step, now=house.now(), error="died_too_often")
            found[0].failed_at = house.now()
        return code

    def ready(self, code: str, state: str = "ready") -> dict[str, Any]:
        """The bubble once it reached a state that strangers see."""
        with self.service.client() as client:

            def look() -> dict[str, Any] | None:
                told = client.get(f"/api/bubbles/{code}").json()
                return told if told.get("state") == state else None

            return dict(wait_for(look))


@contextmanager
def on_air(folder: Path, speeches: list[Speech]) -> Iterator[Stage]:
    """A service with real Whisper and a bubble of each recording, ready."""
    with running(folder, **GENEROUS) as service:
        stage = Stage(service, speeches[0].path)
        token = stage.token(stage.account(AUTHOR))
        accepted = []
        for speech, (title, latitude, longitude, precision) in zip(speeches, TITLES, strict=False):
            place = {"latitude": latitude, "longitude": longitude, "precision": precision}
            tags = {"tags": "river,quay", "language": speech.language}
            accepted.append(stage.publish(speech, token, title=title, **place, **tags)["code"])
        stage.told = [stage.ready(code) for code in accepted]
        yield stage


@contextmanager
def off_air(folder: Path, speech: Speech) -> Iterator[Stage]:
    """A service without workers: nothing is on the air, the author's bubble stays in preparation, and there is a
    newcomer who has none.
    """
    with running(folder, WORKERS="0", **GENEROUS) as service:
        stage = Stage(service, speech.path)
        stage.account(NEWCOMER)
        stage.told = [stage.publish(speech, stage.token(stage.account(AUTHOR)), title="Not yet")]
        yield stage


@contextmanager
def by_invitation(folder: Path) -> Iterator[Stage]:
    """A service without workers where an account takes an invitation, and whose operator has written all texts: one
    with a heading of its own, one without, and one in no other language than English.
    """
    legal = folder / "legal"
    legal.mkdir(parents=True)
    for name in ("privacy.md", "privacy.fr.md"):
        (legal / name).write_text(f"# House rules\n\n{OPERATORS_WORDS}")
    for name in ("terms.md", "terms.fr.md", "contact.md"):
        (legal / name).write_text(OPERATORS_WORDS)
    settings = GENEROUS | {"REGISTRATION": "invite", "LEGAL_DIR": str(legal), "WORKERS": "0"}
    with running(folder, **settings) as service:
        yield Stage(service)
