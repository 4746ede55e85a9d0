"""Guards against invented text: what Whisper says although nobody said it. Pure functions.

Whisper fills silence, music and noise with what its subtitles often held there (credits, thanks), falls into loops,
and writes more than a mouth can say. Nothing is thrown away here: such words are marked as unsure.
"""

import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

# Below: Whisper itself would not swear to it. Its own fallback threshold is -1.0 (Whisper paper, section 4.5).
LOGPROB_MIN = -1.0
WORD_PROBABILITY_MIN = 0.35
# Whisper's probability that a window of 30 s holds no speech at all; its own threshold.
NO_SPEECH_MAX = 0.6
NO_SPEECH_LOGPROB_MIN = -0.5
COMPRESSION_MAX = 2.4
COMPRESSION_FROM_CHARS = 60
# Fast speech reaches 25 characters a second; the slack is for short passages, whose times are rough.
CHARS_PER_S_MAX = 30.0
DENSITY_SLACK_S = 0.5
# Less voice than this for each word is not a word said.
VOICE_PER_WORD_MIN_S = 0.08
STOCK_PROBABILITY_MIN = 0.6
SAME_PASSAGES_MAX = 2
LOOP_WORDS_MAX = 12
# A real speaker repeats a word; nobody says six words three times on end.
_LOOP_REPEATS = {1: 6, 2: 4}
_LOOP_REPEATS_LONGER = 3
_LETTER_LOOP = re.compile(r"(\w{2,20}?)\1{5,}")

# Credits of the subtitles that Whisper learnt from: nobody says them into a microphone.
CREDITS = (
    "amara org",
    "im auftrag des zdf",
    "castingwords",
    "opensubtitles",
    "mooji org",
    "soustitreur com",
    "otter ai",
    "subtitles by",
    "subtitled by",
    "captions by",
    "captioning by",
    "transcribed by",
    "transcript by",
    "sous titrage st",
    "sous titrage société",
    "sous titres réalisés",
    "sous titres par",
    "untertitel von",
    "untertitel der",
    "untertitelung des",
    "untertitelung im auftrag",
    "subtítulos por",
    "subtítulos de",
    "subtítulos realizados",
    "subtitulado por",
    "legendas pela",
    "legendas por",
    "legendado por",
    "sottotitoli creati",
    "sottotitoli e revisione",
    "ondertiteling",
    "ondertiteld door",
    "napisy stworzone",
    "субтитры создавал",
    "субтитры сделал",
    "редактор субтитров",
)

# What Whisper says into silence and what people also say: doubtful only when little else speaks for it.
STOCK_PHRASES = frozenset(
    (
        "you",
        "bye",
        "bye bye",
        "okay",
        "so",
        "oh",
        "thank you",
        "thank you very much",
        "thank you so much",
        "thanks for watching",
        "thank you for watching",
        "thanks for listening",
        "please subscribe",
        "please subscribe to my channel",
        "like and subscribe",
        "see you next time",
        "see you in the next video",
        "i ll see you in the next video",
        "subscribe",
        "music",
        "applause",
        "merci",
        "merci beaucoup",
        "merci d avoir regardé",
        "merci d avoir regardé cette vidéo",
        "merci d avoir regardé la vidéo",
        "abonnez vous",
        "à bientôt",
        "au revoir",
        "musique",
        "danke",
        "danke schön",
        "vielen dank",
        "vielen dank fürs zuschauen",
        "danke fürs zuschauen",
        "bis zum nächsten mal",
        "tschüss",
        "musik",
        "gracias",
        "muchas gracias",
        "gracias por ver",
        "gracias por ver el video",
        "gracias por ver el vídeo",
        "suscríbete",
        "suscríbete al canal",
        "hasta la próxima",
        "adiós",
        "música",
        "obrigado",
        "obrigada",
        "muito obrigado",
        "obrigado por assistir",
        "inscreva se no canal",
        "tchau",
        "até a próxima",
        "até o próximo vídeo",
        "grazie",
        "grazie a tutti",
        "grazie per la visione",
        "bedankt voor het kijken",
        "спасибо за просмотр",
        "продолжение следует",
        "ご視聴ありがとうございました",
    )
)


@dataclass(frozen=True)
class Passage:
    """What Whisper made of a stretch of sound.

    `duration_s` is its length, `voice_s` how much of it the speech gate took for voice. `word_probability` is the mean
    over its words. `logprob` (mean of its tokens, at most 0) and `no_speech_probability` hold for the window of 30 s
    that it was heard in.
    """

    text: str
    duration_s: float
    voice_s: float
    word_probability: float
    logprob: float
    no_speech_probability: float


def unsure(passages: Sequence[Passage]) -> list[bool]:
    """For each passage of a recording, in order, whether its words are doubtful."""
    repeated = _repeated([normalised(passage.text) for passage in passages])
    return [again or is_doubtful(passage) for passage, again in zip(passages, repeated, strict=True)]


def is_doubtful(passage: Passage) -> bool:
    """Whether a passage gives a reason of its own to doubt it."""
    return (
        is_improbable(passage)
        or is_loop(passage.text)
        or is_credit(passage.text)
        or is_idle_phrase(passage)
        or is_too_dense(passage.text, passage.duration_s)
        or is_voiceless(passage)
    )


def is_improbable(passage: Passage) -> bool:
    """Whether Whisper itself doubts it."""
    return (
        passage.logprob < LOGPROB_MIN
        or passage.word_probability < WORD_PROBABILITY_MIN
        or (passage.no_speech_probability > NO_SPEECH_MAX and passage.logprob < NO_SPEECH_LOGPROB_MIN)
    )


def is_loop(text: str) -> bool:
    """Whether words or letters go round in circles."""
    words = normalised(text).split()
    return (
        compression_ratio(text) > COMPRESSION_MAX
        or bool(_LETTER_LOOP.search("".join(words)))
        or any(_longest_run(words, size) >= repeats for size, repeats in _repeats_allowed())
    )


def is_credit(text: str) -> bool:
    """Whether it names who made subtitles."""
    words = f" {normalised(text)} "
    return any(f" {credit} " in words for credit in CREDITS)


def is_idle_phrase(passage: Passage) -> bool:
    """Whether it is a phrase that Whisper says into silence, and was neither clear nor long enough to be real."""
    return normalised(passage.text) in STOCK_PHRASES and (
        passage.word_probability < STOCK_PROBABILITY_MIN
        or passage.no_speech_probability > NO_SPEECH_MAX
        or passage.voice_s < 2 * VOICE_PER_WORD_MIN_S * len(passage.text.split())
    )


def is_too_dense(text: str, duration_s: float) -> bool:
    """Whether it is more than a mouth can say in that time. A wide character (Chinese, Japanese) counts twice."""
    chars = sum(2 if unicodedata.east_asian_width(char) == "W" else 1 for char in text)
    return chars > CHARS_PER_S_MAX * (duration_s + DENSITY_SLACK_S)


def is_voiceless(passage: Passage) -> bool:
    """Whether hardly any voice is where the words should be."""
    return passage.voice_s < VOICE_PER_WORD_MIN_S * len(passage.text.split())


def compression_ratio(text: str) -> float:
    """How much smaller zlib makes it, 1.0 for what is too short to tell. Ordinary text stays under 2."""
    content = text.encode(errors="replace")
    return len(content) / len(zlib.compress(content)) if len(text) >= COMPRESSION_FROM_CHARS else 1.0


def normalised(text: str) -> str:
    """Lower case, without punctuation, single spaces."""
    letters = unicodedata.normalize("NFC", text).lower()
    return re.sub(r"[\W_]+", " ", letters).strip()


def _repeats_allowed() -> list[tuple[int, int]]:
    return [(size, _LOOP_REPEATS.get(size, _LOOP_REPEATS_LONGER)) for size in range(1, LOOP_WORDS_MAX + 1)]


def _longest_run(words: list[str], size: int) -> int:
    """How often a group of `size` words follows itself, at most; 0 when there are fewer words."""
    longest = same = 0
    for at in range(len(words) - size):
        same = same + 1 if words[at] == words[at + size] else 0
        longest = max(longest, same)
    return longest // size + 1 if len(words) >= size else 0


def _repeated(texts: Sequence[str]) -> list[bool]:
    marks: list[bool] = []
    for _, same in groupby(texts):
        length = len(list(same))
        marks += [length > SAME_PASSAGES_MAX] * length
    return marks
