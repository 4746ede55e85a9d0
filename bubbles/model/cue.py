"""A cue: words said in a stretch of time, as in WebVTT."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cue:
    """Words said from `start_s` to `end_s`, in seconds from the start; `unsure` ones stay out of the index."""

    start_s: float
    end_s: float
    text: str
    unsure: bool = False
