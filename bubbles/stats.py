"""Stats: how bubbles were heard, honestly. Totals for listeners; the team and bots apart, never added to them.

Cells under five people show "<5": every figure of listeners and of the team that one to four people stand behind, be it
a count of people, of plays, of downloads or of seconds, since each would tell what a single person did. Nobody is 0.
Bots are no people: their figures are always numbers. A visitor is known for one day only, so that someone who comes
back on another day counts as another person.

A channel's cell is the sum of its bubbles' cells that are numbers, and nothing else: whoever subtracts finds no more
than those say. What stands in hidden cells is left out, and of how many bubbles is told.
"""

from collections.abc import Sequence

from sqlmodel import Session

from bubbles.db import heard, listening
from bubbles.db.heard import FIGURES, Counts, Figure
from bubbles.db.listening import Audience

PEOPLE_MIN = 5
FEW = f"<{PEOPLE_MIN}"
LEFT_OUT = "bubbles_left_out"

Cell = int | float | str
Stats = dict[Audience, dict[str, Cell]]

METHOD = {
    "downloads": "Visitors of a bubble on a day (UTC) who were really sent the bytes of its header and first minute, or"
    " the whole file where that is shorter. Follows the IAB Tech Lab Podcast Technical Measurement Guidelines v2.3.",
    "starts": f"Plays of which at least {listening.START_S:g} s were heard.",
    "listens": f"Plays of which {listening.LISTEN_S:g} distinct seconds, or half of the bubble, were heard, whichever"
    " is less.",
    "completions": f"Plays of which {listening.COMPLETION_PART:.0%} of the bubble's seconds were heard.",
    "heard_s": "Distinct seconds heard, summed over plays; of one play never more than"
    f" {listening.RATE_MAX:g} times the time since it began plus {listening.SLACK_S:g} s, and of one visitor's plays"
    " of a bubble together never more than that since their first of the day.",
    "listeners": "Different people with a start, counted anew each day: the key that knows them again is thrown away.",
    "team": "The channel's own team, signed in. Counted apart.",
    "bots": "Programs that say so, or say nothing. Counted apart.",
    FEW: f"Fewer than {PEOPLE_MIN} people stand behind this figure, whatever it counts; of a channel: behind this"
    " figure of each of its bubbles.",
    "channels": f"A channel's figure is the sum over those of its bubbles whose own figure is not {FEW}, so that"
    f" subtraction tells nothing about few people. {LEFT_OUT} says how many bubbles have a figure that is. Someone who"
    " hears two bubbles is a listener of each.",
    "limits": "A visitor is an address and a browser for a day: people who share both count as one and share the time"
    " that can have been heard, and whoever changes either counts as another. That a player played is its own word:"
    " who forges it is bound by the clock, and with many addresses can still forge many listeners.",
}


def of_bubble(session: Session, bubble_id: int) -> Stats:
    """How one bubble was heard."""
    return _shown(heard.counts_of_bubble(session, bubble_id))


def of_bubbles(session: Session, bubble_ids: Sequence[int]) -> dict[int, Stats]:
    """How each of some bubbles was heard."""
    return {bubble_id: _shown(counts) for bubble_id, counts in heard.counts_of_bubbles(session, bubble_ids).items()}


def of_channel(session: Session, channel_id: int) -> Stats:
    """How all bubbles of a channel were heard, together; `LEFT_OUT` counts those with a hidden cell."""
    bubbles = [_shown(counts) for counts in heard.counts_of_channel(session, channel_id)]
    return {audience: _added([bubble[audience] for bubble in bubbles]) for audience in Audience}


def _added(bubbles: list[dict[str, Cell]]) -> dict[str, Cell]:
    added: dict[str, Cell] = {name: _sum([cells[name] for cells in bubbles]) for name in FIGURES}
    return added | {LEFT_OUT: sum(FEW in cells.values() for cells in bubbles)}


def _sum(cells: list[Cell]) -> Cell:
    """Of the numbers; `FEW` where nothing but hidden cells is there to add."""
    total = sum(cell for cell in cells if not isinstance(cell, str))
    return FEW if not total and FEW in cells else round(total, 1)


def _shown(counts: Counts) -> Stats:
    return {
        audience: {name: _cell(figures[name], are_people=audience is not Audience.BOT) for name in FIGURES}
        for audience, figures in counts.items()
    }


def _cell(figure: Figure, *, are_people: bool) -> Cell:
    if are_people and 0 < figure.people < PEOPLE_MIN:
        return FEW
    return round(figure.sum, 1) if isinstance(figure.sum, float) else figure.sum
