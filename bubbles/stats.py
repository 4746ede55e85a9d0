"""Stats: how bubbles were heard, honestly. Totals for listeners; the team and bots apart, never added to them.

Cells under five people show "<5": every figure of listeners and of the team that one to four people stand behind, be it
a count of people, of plays, of downloads or of seconds, since each would tell what a single person did. Nobody is 0.
Bots are no people: their figures are always numbers. A visitor is known for one day only, so that someone who comes
back on another day counts as another person.
"""

from sqlmodel import Session

from bubbles.db import listening
from bubbles.db.listening import FIGURES, Audience, Figure

PEOPLE_MIN = 5
FEW = f"<{PEOPLE_MIN}"

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
    f" {listening.RATE_MAX:g} times the time since it began plus {listening.SLACK_S:g} s.",
    "listeners": "Different people with a start, counted anew each day: the key that knows them again is thrown away.",
    "team": "The channel's own team, signed in. Counted apart.",
    "bots": "Programs that say so, or say nothing. Counted apart.",
    FEW: f"Fewer than {PEOPLE_MIN} people stand behind this figure, whatever it counts.",
}


def of_bubble(session: Session, bubble_id: int) -> Stats:
    """How one bubble was heard."""
    return _shown(listening.counts(session, bubble_id=bubble_id))


def of_channel(session: Session, channel_id: int) -> Stats:
    """How all bubbles of a channel were heard, together."""
    return _shown(listening.counts(session, channel_id=channel_id))


def _shown(counts: dict[Audience, dict[str, Figure]]) -> Stats:
    return {
        audience: {name: _cell(figures[name], are_people=audience is not Audience.BOT) for name in FIGURES}
        for audience, figures in counts.items()
    }


def _cell(figure: Figure, *, are_people: bool) -> Cell:
    if are_people and 0 < figure.people < PEOPLE_MIN:
        return FEW
    return round(figure.sum, 1) if isinstance(figure.sum, float) else figure.sum
