"""Stats: how bubbles were heard, honestly. Totals for listeners; the team, bots and crowds apart, never added to them.

Plays are numbers, people are steps. All figures are as of the last full hour. What was done with a bubble while it was
public is told exactly. What tells of people (how many they are, what the team does, whatever was done with a bubble
that is not public) shows "<5" until five people stand behind it, and then stands still until five more have come, so
that no step shows what one person did. A network counts for two people at most in what opens a step. Of nobody the
figure is 0, but for a bubble that is not public, since there the first listener would show.

A channel's figure is the sum over its public bubbles of what each of them shows, and nothing else: whoever subtracts
finds no more than those say.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from bubbles.config import Settings
from bubbles.db import heard, listening, networks
from bubbles.db.heard import CROWD_FIGURES, FIGURES, Figure, Heard
from bubbles.db.listening import Audience
from bubbles.model.times import hour_of

PEOPLE_MIN = 5
"""How many people open a figure, and each further step of it."""

FEW = f"<{PEOPLE_MIN}"
LEFT_OUT = "bubbles_left_out"

Cell = int | float | str
Stats = dict[Audience, dict[str, Cell]]
Openings = dict[tuple[int, Audience, str], float]


def method(settings: Settings) -> dict[str, str]:
    """What each figure means, as the service is set to run."""
    return _METHOD | {
        "crowd": "Visitors beyond the bound of their network: of a bubble and a day, a network (an IPv4 address, an"
        f" IPv6 /48) brings at most {settings.visitors_per_network} new visitors,"
        f" {settings.visitors_per_shared_network} where the operator lists it as shared. Of a crowd are counted: plays"
        " that its players say to begin, and answers that are a download by themselves. Counted apart.",
    }


_METHOD = {
    "downloads": "Visitors of a bubble on a day (UTC) who were really sent the bytes of its header and first minute, or"
    " the whole file where that is shorter. Follows the IAB Tech Lab Podcast Technical Measurement Guidelines v2.3.",
    "starts": f"Plays of which at least {listening.START_S:g} s were heard.",
    "listens": f"Plays of which {listening.LISTEN_S:g} distinct seconds, or half of the bubble, were heard, whichever"
    " is less.",
    "completions": f"Plays of which {listening.COMPLETION_PART:.0%} of the bubble's seconds were heard.",
    "heard_s": f"Distinct seconds heard, each play's rounded to one part in {heard.PARTS_OF_BUBBLE} of the bubble,"
    f" summed over plays; of one play never more than {listening.RATE_MAX:g} times the time since it began plus"
    f" {listening.SLACK_S:g} s, and of one visitor's plays of a bubble together never more than that since their first"
    " of the day.",
    "listeners": "Different people with a start, counted anew each day: the key that knows them again is thrown away.",
    "team": "The channel's own team, signed in. Counted apart, and in steps.",
    "bots": "Programs that say so, or say nothing. Counted apart.",
    "as_of": "All figures are as of this full hour, and stay as they are until the next is over.",
    FEW: f"Fewer than {PEOPLE_MIN} people stand behind this figure, as far as that is sure. Listeners, what the team"
    " does, and every figure of what was done while a bubble was not public, show this, and then move in steps of"
    f" {PEOPLE_MIN}: a step opens once {PEOPLE_MIN} new people came since the last, of whom one network counts for"
    f" {networks.PEOPLE_MAX} at most ({networks.SHARED_PEOPLE_MAX} where the operator lists it as shared), the busiest"
    " network of each day being taken for the same one. A bubble that is not public shows this of nobody, too.",
    "channels": f"A channel's figure is the sum over its public bubbles, without those whose own figure is {FEW}, so"
    f" that subtraction tells nothing about few people. {LEFT_OUT} says how many bubbles have a figure that is, or are"
    " not public. Someone who hears two bubbles is a listener of each.",
    "limits": "A visitor is an address and a browser for a day: people who share both count as one and share the time"
    " that can have been heard, and whoever changes either counts as another. That a player played is its own word:"
    " who forges it is bound by the clock and by their network, and with many networks can still forge many listeners.",
}


def as_of(now: datetime) -> datetime:
    """The last full hour."""
    return hour_of(now)


def of_bubble(session: Session, bubble_id: int, *, now: datetime) -> Stats:
    """How one bubble was heard."""
    return of_bubbles(session, [bubble_id], now=now)[bubble_id]


def of_bubbles(session: Session, bubble_ids: Sequence[int], *, now: datetime) -> dict[int, Stats]:
    """How each of some bubbles was heard. What opens is kept with the session."""
    found, openings = heard.of_bubbles(session, bubble_ids, as_of=as_of(now)), Openings()
    told = {bubble_id: _shown(bubble_id, each, openings) for bubble_id, each in found.items()}
    heard.open_figures(session, openings, as_of=as_of(now))
    return told


def of_channel(session: Session, channel_id: int, *, now: datetime) -> Stats:
    """How all public bubbles of a channel were heard, together; `LEFT_OUT` counts the others, and hidden cells."""
    (found, closed), openings = heard.of_channel(session, channel_id, as_of=as_of(now)), Openings()
    bubbles = [_shown(bubble_id, each, openings) for bubble_id, each in found.items()]
    heard.open_figures(session, openings, as_of=as_of(now))
    return {audience: _added(audience, [bubble[audience] for bubble in bubbles], closed) for audience in Audience}


def _added(audience: Audience, bubbles: list[dict[str, Cell]], closed: int) -> dict[str, Cell]:
    added: dict[str, Cell] = {name: _sum([cells[name] for cells in bubbles]) for name in _names(audience)}
    return added | {LEFT_OUT: closed + sum(FEW in cells.values() for cells in bubbles)}


def _sum(cells: list[Cell]) -> Cell:
    """Of the numbers; `FEW` where nothing but hidden cells is there to add."""
    total = sum(cell for cell in cells if not isinstance(cell, str))
    return FEW if not total and FEW in cells else round(total, 1)


def _names(audience: Audience) -> Sequence[str]:
    return CROWD_FIGURES if audience is Audience.CROWD else FIGURES


def _shown(bubble_id: int, bubble: Heard, openings: Openings) -> Stats:
    """The cells of a bubble; what opens is added to `openings`."""
    told: Stats = {}
    for audience in Audience:
        is_hidden = bubble.closed and audience is not Audience.BOT
        told[audience] = {}
        for name in _names(audience):
            figure = bubble.figures[audience][name]
            if figure.people_since >= PEOPLE_MIN:
                figure.shown = openings[bubble_id, audience, name] = _floor(name, figure.stepped)
            told[audience][name] = _cell(name, figure, nobody=FEW if is_hidden else 0)
    return told


def _cell(name: str, figure: Figure, *, nobody: Cell) -> Cell:
    old = _floor(name, figure.old) if figure.old_people >= PEOPLE_MIN else 0
    if number := figure.exact + old + (figure.shown or 0):
        return round(number, 1) if name == "heard_s" else round(number)
    return FEW if figure.is_told else nobody


def _floor(name: str, value: float) -> float:
    """Counts in steps; seconds as they are, since each play's are rounded."""
    return value if name == "heard_s" else value // PEOPLE_MIN * PEOPLE_MIN
