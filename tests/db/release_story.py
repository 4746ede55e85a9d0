"""What the code of a release does with a database, told by that code: `release_story.py CODE URL FOLDER`.

Run in a process of its own: the modules are the release's, and so are the functions and their arguments.
What changes in the code beside it changes nothing here.
"""

import sys
import wave
from pathlib import Path

import numpy as np

code, url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
sys.path.insert(0, code)

import bubbles  # noqa: E402
from bubbles import accounts, edit, find, leave, listen, moderation, pipeline, publish, stats, upkeep  # noqa: E402
from bubbles.app import House  # noqa: E402
from bubbles.blobs.address import open_store  # noqa: E402
from bubbles.config import Settings  # noqa: E402
from bubbles.db import bubbles as rows  # noqa: E402
from bubbles.db import steps  # noqa: E402
from bubbles.db.engine import Database  # noqa: E402
from bubbles.db.listening import Audience  # noqa: E402
from bubbles.model.bubble import State  # noqa: E402
from bubbles.speech.transcriber import FakeTranscriber  # noqa: E402

assert Path(bubbles.__file__).is_relative_to(code)
database = Database(url)
house = House(
    Settings(data_dir=folder), database, open_store((folder / "blobs").as_uri()), FakeTranscriber("the ferry leaves")
)


def sound() -> Path:
    path = folder / "tone.wav"
    tone = np.sin(np.arange(8_000) * 2 * np.pi * 440 / 16_000) * 20_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(tone.astype("<i2").tobytes())
    return path


with database.transaction() as session:
    account = accounts.create(session, "releaser", now=house.now())
    accounts.new_token(session, account, now=house.now())
published = [publish.publish(house, sound(), {"channel": "releaser", "title": "Harbour"}) for _ in range(2)]
for bubble in published:
    for name in pipeline.STAGES:
        pipeline.run_step(house, name, bubble.id)
with database.transaction() as session:
    assert rows.get(session, published[0].id).state is State.READY
    assert len(find.find(session, find.Query(q="ferry")).items) == len(published)
    step = steps.of(session, published[0].id, "normalise")
    assert step is not None and step.finished_at
    steps.enqueue(session, published[0].id, "transcribe", house.now())
with database.transaction() as session:
    # What a newer release keeps of visitors beside this one, where this one does not look.
    session.connection().exec_driver_sql(
        "INSERT INTO crowd (bubble_id, hour, closed, downloads, starts) SELECT id, now(), false, 9, 9 FROM bubble"
    )
    bubble, who = rows.get(session, published[1].id), listen.Visitor("192.0.2.1", "Firefox", Audience.LISTENER)
    for _ in range(2):
        assert listen.tell(session, bubble, who, play="play-0001", heard=[(0, 0.5)], now=house.now()).heard_s == 0.5
        session.flush()
        session.connection().exec_driver_sql(
            "UPDATE play SET network = '', network_people = 2, closed = true, heard_before_s = 0"
        )
        session.expire_all()
    listen.count(session, [listen.Delivery(bubble.id, "m4a", who, 0, 100_000, at=house.now())])
    told = stats.of_bubble(session, bubble.id)
    assert (told[Audience.LISTENER]["listens"], told[Audience.LISTENER]["downloads"]) == ("<5", "<5")
with database.transaction() as session:
    steps.revive(session, house.now(), overdue_after=upkeep.LEFTOVER_AGE)
    bubble = rows.get(session, published[0].id)
    edit.edit(session, bubble, {"title": "Pier"}, expected_version=None, limits=house.text_limits, now=house.now())
    moderation.hold(session, bubble, by="operator", reason="look", now=house.now())
    moderation.release(session, bubble, by="operator", reason="fine", now=house.now())
    moderation.withdraw(session, bubble, by="operator", reason="asked", now=house.now())
with database.transaction() as session:
    leave.leave(session, session.merge(account), everywhere=False, now=house.now())
leave.go_on(database, now=house.now())
upkeep.discard(database, house.blobs, now=house.now())
upkeep.forget(database, now=house.now(), idempotency_days=30)
assert not list(house.blobs.keys(""))
print("fine")
