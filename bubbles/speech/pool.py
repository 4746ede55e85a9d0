"""Several transcribers as one: as many recordings at once as there are of them."""

from collections.abc import Sequence
from queue import LifoQueue

from bubbles.speech.transcriber import Heard, Samples, Transcriber


class SpeechPool:
    """Gives each recording a transcriber of its own, the one that was last at work first: it is warm.

    Who asks while all are at work waits; `at_once` jobs of the queue are what they are made for.
    """

    def __init__(self, members: Sequence[Transcriber]) -> None:
        self._members = members
        self._idle: LifoQueue[Transcriber] = LifoQueue()
        for member in members:
            self._idle.put(member)

    def transcribe(self, samples: Samples, *, language: str | None) -> Heard:
        """See Transcriber."""
        member = self._idle.get()
        try:
            return member.transcribe(samples, language=language)
        finally:
            self._idle.put(member)

    def close(self) -> None:
        """See Transcriber."""
        for member in self._members:
            member.close()
