"""A browser, and bubbles with words and a place to look at."""

from dataclasses import dataclass
from typing import Any

from bubbles.app import House
from bubbles.db import bubbles, search
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from bubbles.model.cue import Cue
from bubbles.model.place import Place, PlaceRole, Precision, snap
from bubbles.model.step import Step
from bubbles.model.transcript import Transcript, as_json

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
WORDS = (
    Cue(0.0, 2.5, "Fresh lemons at the harbour."),
    Cue(2.5, 4.25, "Perhaps some zebras.", unsure=True),
    Cue(4.25, 9.0, "The market opens at nine."),
)
LYON = snap(45.7640, 4.8357, Precision.NEIGHBOURHOOD, PlaceRole.RECORDED)


@dataclass
class Stage:
    """Makes bubbles as a page may meet them."""

    house: House
    world: Any

    def bubble(
        self,
        *,
        channel: Channel | None = None,
        words: tuple[Cue, ...] | None = WORDS,
        language: str | None = "en",
        language_doubtful: bool = False,
        place: Place | None = LYON,
        step: dict[str, Any] | None = None,
        **columns: Any,
    ) -> Bubble:
        """A ready public bubble of 100 s in Lyon; `words=None`: none were written down yet."""
        now = self.house.now()
        usual = {"title": "Market day", "peaks": bytes(range(200)), "length_bytes": 1000}
        ready_at = {} if words is None else {"ready_at": now}
        made = self.world.bubble(channel, **(usual | ready_at | columns))
        with self.house.database.transaction() as session:
            row = bubbles.lock(session, made.id)
            row.place = place
            said = None
            if words is not None:
                said = Transcript(bubble_id=made.id, language=language, cues=as_json(words), created_at=now)
                said.language_doubtful = language_doubtful
                session.add(said)
            if step is not None:
                session.add(Step(bubble_id=made.id, queued_at=now, **({"name": "transcribe"} | step)))
            session.flush()
            search.index(session, row, said)
        return row

    def titled(self, channel: Channel, title: str) -> None:
        with self.house.database.transaction() as session:
            session.get_one(Channel, channel.id).title = title
