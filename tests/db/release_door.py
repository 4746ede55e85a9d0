"""A release that serves, and answers each line that it is told: `release_door.py CODE URL FOLDER PAGES`.

`TOKEN` is the status with which the release lets a program of that token in; `close HANDLE` closes that account.
Run in a process of its own: the modules are the release's, and so are the functions and their arguments.
"""

import sys
from pathlib import Path

code, url, folder, pages = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
sys.path.insert(0, code)

from starlette.testclient import TestClient  # noqa: E402

import bubbles  # noqa: E402
from bubbles import accounts, leave  # noqa: E402
from bubbles.app import House  # noqa: E402
from bubbles.blobs.address import open_store  # noqa: E402
from bubbles.config import Settings  # noqa: E402
from bubbles.db.engine import Database  # noqa: E402
from bubbles.http.asgi import create_app  # noqa: E402
from bubbles.speech.transcriber import FakeTranscriber  # noqa: E402

assert Path(bubbles.__file__).is_relative_to(code)
database = Database(url)
settings = Settings(data_dir=folder, pages_dir=pages)
house = House(settings, database, open_store((folder / "blobs").as_uri()), FakeTranscriber(""))


def close(handle: str) -> str:
    with database.transaction() as session:
        leave.leave(session, accounts.require(session, handle), everywhere=False, now=house.now())
    return "closed"


def let_in(client: TestClient, secret: str) -> int:
    return int(client.get("/api/me", headers={"Authorization": f"Bearer {secret}"}).status_code)


with TestClient(create_app(house)) as client:
    print("answer: serving", flush=True)
    for line in sys.stdin:
        asked, _, handle = line.strip().partition(" ")
        print("answer:", close(handle) if handle else let_in(client, asked), flush=True)
database.close()
