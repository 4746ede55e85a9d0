"""How what runs by itself went, as rows, so that any process tells it for whichever worker ran it."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, select

from bubbles.model.chore import Chore


def ran(
    session: Session, name: str, *, now: datetime, took_s: float, counts: Mapping[str, int], failed: bool = False
) -> None:
    """Writes down that a chore ended, and what it counted."""
    chore = session.get(Chore, name, with_for_update=True) or Chore(name=name, ran_at=now)
    chore.ran_at, chore.took_s = now, took_s
    chore.failed_at = now if failed else chore.failed_at
    chore.latest, chore.totals = dict(counts), dict(Counter(chore.totals) + Counter(counts))
    session.add(chore)


def latest(session: Session) -> list[Chore]:
    """All chores that ever ran."""
    return list(session.exec(select(Chore)))
