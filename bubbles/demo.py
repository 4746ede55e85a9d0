"""The demo: two dozen spoken bubbles in Paris and Lyon, from four channels, through the real journey.

The voices are made on this machine by `hibari-tts`, all from the one voice that its wheel holds: nothing is fetched.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress
from sqlmodel import Session

from bubbles import accounts, channels, publish
from bubbles.app import House
from bubbles.db import accounts as account_rows
from bubbles.db import bubbles as bubble_rows
from bubbles.db import channels as channel_rows
from bubbles.errors import Missing
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Role

if TYPE_CHECKING:
    from hibari import Hibari

INSTALL = f"The demo needs a voice. Run: {sys.executable} -m pip install hibari-tts"


@dataclass(frozen=True)
class Voice:
    """One voice made another: `pitch` and `pace` are factors, 1.0 as recorded; below, deeper and slower."""

    pitch: float
    pace: float


@dataclass(frozen=True)
class Said:
    """One bubble: its fields as an author sends them (`at` in degrees), and the words."""

    title: str
    at: tuple[float, float]
    tags: str
    text: str
    precision: str = ""
    role: str = ""


@dataclass(frozen=True)
class Speaker:
    """A channel and what it says. `team` maps accounts to roles, the owner first."""

    handle: str
    title: str
    voice: Voice
    team: dict[str, Role]
    says: tuple[Said, ...]


NADIA, BASTIEN, LOU = "nadia-on-the-corner", "bastien-by-the-saone", "lou-behind-the-bar"

SPEAKERS = (
    Speaker(NADIA, "Nadia, on the corner", Voice(1.03, 1.05), {NADIA: Role.OWNER}, (
        Said("Apricots at five to one, Aligre", (48.8489, 2.3785), "market,fruit,bargain",
             "It is five minutes before closing at the covered market, and now everything costs one euro. I have three "
             "kilos of apricots, a melon that smells like July, and no idea how to carry them home. If you live "
             "nearby, bring a basket and hurry. The man in the blue cap gives away his parsley."),
        Said("The lock keeper is back", (48.8722, 2.3636), "canal,boats",
             "I am on the iron footbridge over the Saint Martin canal. A barge full of tourists is sinking slowly "
             "into the lock, and everyone on the bank is waving as if they were leaving for America. The chestnut "
             "trees have turned. Stay ten minutes, it is better than the cinema."),
        Said("A saxophone on the Place des Vosges", (48.8556, 2.3655), "music,saxophone",
             "Listen, well, you cannot hear him, but under the arcades of the oldest square there is a saxophone "
             "player with a dog that sighs at the end of every song. He plays until eight. He told me the vault is "
             "the best concert hall in Paris, and the rent is a few coins.", "street"),
        Said("The goats of Belleville", (48.8711, 2.3848), "animals,park",
             "I am at the very top of the park, where you see the whole city for nothing. This morning four goats "
             "are cutting the grass between the vines. The gardener says they never take a strike and they adore "
             "thistles. My daughter has given each of them the name of a minister."),
        Said("Lost on the Rue Mouffetard: a green umbrella", (48.8424, 2.3497), "lost,umbrella",
             "To whoever picked up a green umbrella with a wooden duck for a handle, in front of the cheese shop "
             "on our street, on Sunday, in the rain. It was my grandfather's. I do not want an explanation, I "
             "want the duck. Leave it at the bakery, they know me.", "street"),
        Said("Night bus, front seat", (48.8443, 2.3744), "night,bus",
             "Half past three, the night bus leaves the Gare de Lyon. A cook is asleep with his knives on his lap, "
             "two nurses are sharing a sandwich, and somebody at the back hums an opera. If you ever feel alone in "
             "this city, take the night bus once.", "town"),
        Said("The gladiators play bowls", (48.8451, 2.3528), "roman,bowls",
             "Behind an ordinary front door there is a Roman arena, two thousand years old, and most people walk "
             "past it. Gladiators fought here. Today six pensioners are playing bowls and arguing about a "
             "centimetre. Go through the passage, sit on the stone steps, and take a side.", "exact", "about"),
    )),
    Speaker(BASTIEN, "Bastien, by the Saône", Voice(0.86, 0.98), {BASTIEN: Role.OWNER}, (
        Said("Fog on the hill", (45.7743, 4.8281), "market,weather",
             "Good morning from the market on the hill of the weavers. The fog is so thick that the fishmonger "
             "shouts his own name so that people can find him. The oysters have arrived, the walnuts are new, and "
             "the accordion is out of tune. It could only be November."),
        Said("Four horses that smoke, Terreaux", (45.7674, 4.8336), "fountain,sculpture",
             "The fountain on the town hall square was made by Bartholdi, yes, the man of the Statue of Liberty. "
             "Four lead horses pull the chariot, and steam comes out of their nostrils. It was meant for Bordeaux, "
             "but Bordeaux found it too expensive. Thank you, Bordeaux.", "exact", "about"),
        Said("Giraffes before breakfast, Tête d’Or", (45.7772, 4.8525), "animals,running",
             "I run around the lake of the big park at seven, before the gates fill up. This morning the "
             "giraffes were outside already, breathing clouds. The zoo is free. The small one tried to eat a "
             "jogger's hat. Not mine, I run without a hat since last time."),
        Said("The lemon in the quenelle", (45.7630, 4.8506), "food,recipe",
             "A cook in the covered market just told me her secret, so I am telling everybody. A pike dumpling needs "
             "butter, semolina, cream, and one drop of lemon, only one. Simmer it, never boil it. And do not open "
             "the oven, she said, or it will pout and collapse like a tired uncle."),
        Said("Swimming lane by the Rhône", (45.7547, 4.8410), "summer,river",
             "Thirty six degrees on the river bank. The steps down to the water are full of guitars, skateboards "
             "and bare feet. There is a fountain by the third bridge with cold drinking water. Fill two bottles, "
             "give one to the old gentleman who reads the newspaper aloud."),
        Said("Fauré in rehearsal, doors open", (45.7607, 4.8273), "music,choir",
             "If you are near the cathedral, come in quietly. The choir is rehearsing a requiem, and the conductor "
             "stops them after every line, so you learn it too. The tenors are late, as tenors are. When they all "
             "hold the last chord, the windows answer.", "street"),
        Said("Pink pralines, burnt fingers, Bellecour", (45.7578, 4.8320), "food,winter",
             "A little warning from the big red square. The pink praline tart at the Christmas stall is straight from "
             "the oven, and the sugar is lava. I have burnt two fingers and my pride. Wait four minutes, then eat "
             "it with your eyes closed. It is worth every blister.", "town"),
    )),
    Speaker("comptoir-coffee", "Comptoir Coffee", Voice(1.09, 1.12),
            {NADIA: Role.OWNER, BASTIEN: Role.EDITOR, LOU: Role.AUTHOR}, (
        Said("What should Thursday taste like?", (48.8589, 2.3800), "question,coffee",
             "Hello from your coffee roasters! We roast a guest coffee every Thursday, and this time you choose. "
             "Ethiopia, with jasmine and peach, or Guatemala, with cocoa and orange? Record a bubble, tell us why, and "
             "the best reason drinks for free all week.", "exact", "about"),
        Said("Our oat milk apology", (48.8589, 2.3800), "service,milk",
             "A word about Monday. We ran out of oat milk at nine in the morning, and we were not charming about "
             "it. You told us, in eleven bubbles, and you were right. There is a second fridge now. Come back, the "
             "next flat white is on the house.", "exact", "about"),
        Said("A barista class for beginners", (45.7679, 4.8359), "workshop,coffee",
             "Our bar by the opera teaches! Saturday at ten, Lou shows six beginners how to steam milk, pour a tulip, "
             "and clean a grinder without crying. Bring an apron and a sense of humour. Book by leaving your name in a "
             "bubble, we answer every one.", "exact", "about"),
        Said("Bring us your jam jars", (48.8700, 2.3700), "recycling,jars",
             "Empty jam jars, please! We fill them with cold brew, so that no plastic bottle leaves the shop this "
             "summer. Ten clean jars with lids earn one bag of beans. So far you have carried in four hundred. Our "
             "dishwasher has asked for a raise."),
        Said("How was your first sip?", (45.7540, 4.8440), "question,feedback",
             "We changed the espresso blend, quietly, last week. Less smoke, more cherry. Did you notice? Tell us "
             "honestly, thirty seconds is plenty. We play your bubbles to the roasting team on Friday, including "
             "the rude ones. Especially the rude ones."),
    )),
    Speaker("silk-house-guide", "The Silk House, room by room", Voice(0.93, 0.95),
            {BASTIEN: Role.OWNER, NADIA: Role.AUTHOR}, (
        Said("The loom that remembers", (45.7752, 4.8316), "museum,silk,loom",
             "Look up at the chain of punched cards above the loom. Each hole lifts one thread. Jacquard showed it "
             "to the public in eighteen oh one, and a century and a half later the first computers were fed with "
             "cards just like these. You are standing in front of a memory.", "exact", "about"),
        Said("Six storeys of stairs, Cour des Voraces", (45.7700, 4.8335), "traboule,architecture",
             "You are in the courtyard of the weavers. They carried silk through passages like this one, dry in any "
             "rain. The great open staircase climbs six storeys. In the war, the Resistance knew every turn of it. "
             "Please whisper, people live behind these doors.", "exact", "about"),
        Said("A wall that grows older", (45.7782, 4.8279), "mural,painting",
             "The house in front of you does not exist. It is a painted wall, twelve hundred square metres of it. "
             "Every ten years or so the artists come back and paint its people a little older. Find the woman with "
             "the shopping bag. She used to be a girl on the steps.", "exact", "about"),
        Said("The clock that bows", (45.7607, 4.8274), "clock,cathedral",
             "Wait for the hour in front of this astronomical clock. A rooster flaps, an angel turns the hourglass, "
             "and a small dove comes down. It has been mended so many times since the fourteenth century that "
             "only the patience is original.", "exact", "about"),
        Said("Ten thousand seats, one view, Fourvière", (45.7597, 4.8196), "roman,theatre",
             "Sit down anywhere on the stones of the Roman theatre on the hill. Ten thousand people had this view "
             "of the stage, and of the Alps on a clear evening. Speak softly, and a friend in the last row will "
             "hear you. In June, the festival uses the same trick.", "exact", "about"),
    )),
)  # fmt: skip


def speak_bubbles(house: House, console: Console) -> None:
    """Publishes what is not there yet, waits until all of it is written down, and says where to look.

    Run again, it adds nothing. Raises `Missing("voice")` without `hibari-tts`. A missing speech model is only said: the
    bubbles play without it.
    """
    there = _published(house)
    wanted = [
        (speaker, said) for speaker in SPEAKERS for said in speaker.says if (speaker.handle, said.title) not in there
    ]
    with Progress(console=console) as progress:
        added = list(progress.track(_publish_all(house, wanted), len(wanted), description="Speaking and publishing"))
        bubbles = [*there.values(), *added]
        waits = {_wait(house, bubble) for bubble in progress.track(bubbles, description="Writing down what is said")}
    console.print(f"Bubbles added: {len(added)}." if added else "The demo is here already: nothing was added.")
    for sentence in sorted(waits - {""}):
        console.print(sentence, markup=False)
    base = house.settings.public_url
    console.print(f"Look at {base}/, listen to {base}/@{SPEAKERS[0].handle}, and search: {base}/search?q=apricots")


def _published(house: House) -> dict[tuple[str, str], Bubble]:
    """What the demo's channels hold, by handle and title: nothing at first, a part after an interruption."""
    found: dict[tuple[str, str], Bubble] = {}
    with house.database.transaction() as session:
        for speaker in SPEAKERS:
            if channel := channel_rows.by_handle(session, speaker.handle):
                held = bubble_rows.of_channel(session, channel.id, all_states=True, limit=1_000)
                found |= {(speaker.handle, bubble.title): bubble for bubble in held}
    return found


def _publish_all(house: House, wanted: list[tuple[Speaker, Said]]) -> Iterator[Bubble]:
    if not wanted:
        return
    tts = _voice_model()
    with house.database.transaction() as session:
        for speaker in SPEAKERS:
            _open_channel(session, speaker, house.now())
    with TemporaryDirectory(prefix="bubbles-demo-") as folder:
        for speaker, said in wanted:
            yield _publish(house, tts, speaker, said, Path(folder) / "spoken.wav")


def _voice_model() -> "Hibari":
    try:
        from hibari import Hibari  # noqa: PLC0415 - an extra
    except ImportError:
        raise Missing("voice", INSTALL) from None
    return Hibari()


def _open_channel(session: Session, speaker: Speaker, now: datetime) -> None:
    """Makes the accounts and the channel, where they are not there, and the team."""
    people = {handle: _account(session, handle, now) for handle in speaker.team}
    channel = channel_rows.by_handle(session, speaker.handle)
    if channel is None:
        channel = channels.create(session, speaker.handle, owner=next(iter(people.values())), now=now)
        session.flush()
    channel.title = speaker.title
    for handle, role in speaker.team.items():
        channels.set_member(session, channel, people[handle], role, now=now)


def _account(session: Session, handle: str, now: datetime) -> Account:
    return account_rows.by_handle(session, handle) or accounts.create(session, handle, now=now)


def _publish(house: House, tts: "Hibari", speaker: Speaker, said: Said, wav: Path) -> Bubble:
    speak(tts, speaker.voice, said.text, wav)
    return publish.publish(house, wav, fields_of(speaker, said))


def fields_of(speaker: Speaker, said: Said) -> dict[str, str]:
    """What an author sends beside the sound."""
    latitude, longitude = said.at
    return {
        "channel": speaker.handle,
        "title": said.title,
        "tags": said.tags,
        "language": "en",
        "latitude": str(latitude),
        "longitude": str(longitude),
        "precision": said.precision,
        "place_role": said.role,
    }


def speak(tts: "Hibari", voice: Voice, text: str, wav: Path) -> None:
    """Writes the text as spoken by the voice: said slower, then played faster, it is higher at the same pace."""
    from hibari import SAMPLE_RATE, write_wav  # noqa: PLC0415 - an extra

    sound = tts(text, speed=voice.pace / voice.pitch, seed=0)
    write_wav(str(wav), sound, round(SAMPLE_RATE * voice.pitch))


def _wait(house: House, bubble: Bubble) -> str:
    """Empty when the journey has ended, else the sentence that says what it waits for."""
    try:
        publish.wait(house, bubble.id)
    except Missing as missing:
        return missing.detail
    return ""
