"""Whisper in this process, through faster-whisper: gate, language, words, guards, cues.

Memory and time are not bounded here: see process.py.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.transcribe import Segment
from faster_whisper.vad import VadOptions, get_speech_timestamps

from bubbles.errors import Missing
from bubbles.model.cue import Cue
from bubbles.speech import guards, languages, reading, stretches
from bubbles.speech.stretches import Stretch, Timeline
from bubbles.speech.transcriber import ON_CPU, RATE_HZ, Engine, Heard, Samples

_BEAM = 5
# What Whisper tries in turn while it doubts itself; with the usual six, noise costs twice as much.
_TEMPERATURES = [0.0, 0.4, 0.8]
# Shorter voice than this is a click or a breath.
_VOICE_MIN_MS = 150
_VOICE_GAP_MS = 300
# Whisper keeps this much of the silence around voice: cutting close costs words, long silence invites inventions.
_SILENCE_KEPT_S = 1.5
# Below this probability, or this close to the next language, the language is a guess.
_LANGUAGE_PROBABILITY_MIN = 0.6
_LANGUAGE_LEAD_MIN = 0.3
# Frames of 10 ms that stay of the silence after the sound; with fewer, words are lost.
_SILENT_FRAMES = 500
# With less sound than this, a shorter window costs words and makes loops.
_SHORTENED_FROM_FRAMES = 800
# A text whose tokens are less likely than this on average (natural logarithm) is heard again.
_LOGPROB_LIKELY = -0.4


class _Language(NamedTuple):
    code: str
    probability: float
    doubtful: bool


class _Silence(NamedTuple):
    no_speech_prob: float = 1.0


class _Decoded(NamedTuple):
    """What faster-whisper's decoding returns, with names."""

    result: Any
    logprob: float
    temperature: float
    compression: float


# By its own rule for silence, faster-whisper leaves such a window out.
_NOTHING = _Decoded(_Silence(), float("-inf"), 0.0, 1.0)


class WhisperTranscriber:
    """A transcriber that holds the model in this process; not for several threads at once.

    `model_path` is a folder of a converted model, `name` what to call it, `threads` how many cores it may use: one
    costs the least time of all cores together, and `engine` what it runs on. Raises `Missing("model")` when the folder
    holds none that loads.
    """

    def __init__(self, model_path: Path, name: str, threads: int = 1, engine: Engine = ON_CPU) -> None:
        self._name = name
        self._path = model_path
        self._threads = threads
        self._engine = engine
        self._model: _Model | None = _loaded(model_path, threads, engine)

    def transcribe(self, samples: Samples, *, language: str | None) -> Heard:
        """See Transcriber. Takes no heed of time."""
        voice = _voice(samples)
        if not voice:
            return Heard((), None, 0.0, language_doubtful=False, model=self._name)
        kept = stretches.widened(voice, by_s=_SILENCE_KEPT_S, length=len(samples))
        heard = stretches.cut(samples, kept)
        model = self._opened()
        model.attend(heard, len(heard) / RATE_HZ - (kept[-1].end - voice[-1].end) / RATE_HZ)
        spoken = _language(model, heard, language)
        segments = _segments(model, heard, spoken.code)
        return Heard(
            tuple(_cues(segments, voice, Timeline(kept))),
            spoken.code,
            spoken.probability,
            language_doubtful=spoken.doubtful,
            model=self._name,
        )

    def close(self) -> None:
        """Let go of the model."""
        self._model = None

    def _opened(self) -> "_Model":
        self._model = self._model or _loaded(self._path, self._threads, self._engine)
        return self._model


class _Model(WhisperModel):  # type: ignore[misc] # faster-whisper has no types
    """Listens to a shorter window first, and to the whole half minute only when in doubt.

    Whisper's encoder takes two thirds of all the work and always sees 30 s, of which the last window of a bubble fills
    a part and zeros the rest. Most of the zeros may go (ran: as few wrong words), and telling the language and
    transcribing share what was encoded. What then sounds unlikely is heard again as Whisper was trained, and the
    likelier text stays (ran: fewer wrong words than either alone, at two thirds of the cost).
    """

    _frames = 0  # of the sound at hand
    _voice_end = 0  # frame where its last voice ends
    _window: Any = None  # features of the window at hand, (80 or 128, 3000)
    _encoded: Any = None  # its shorter form

    def attend(self, samples: Samples, voice_end_s: float) -> None:
        """Get ready for another sound, whose last voice ends at `voice_end_s`; forget the one before."""
        self._frames = len(samples) // self.feature_extractor.hop_length
        self._voice_end = int(voice_end_s * self.frames_per_second)
        self._window = self._encoded = None

    def encode(self, features: Any) -> Any:
        """The encoded short form of a window, None after the last voice; the same window again costs nothing."""
        if self._window is None or not np.array_equal(self._window, features):
            short = _shortened(features)
            self._window, self._encoded = features, None if self._is_leftover(features) else super().encode(short)
        return self._encoded

    def generate_with_fallback(self, encoded: Any, prompt: Any, tokenizer: Any, options: Any) -> _Decoded:
        """What is said in the window encoded last."""
        if encoded is None:
            return _NOTHING
        if _shortened(self._window).shape == self._window.shape:
            return self._decoded(encoded, prompt, tokenizer, options)
        first = self._decoded(encoded, prompt, tokenizer, replace(options, temperatures=[0.0]))
        looped = first.compression > options.compression_ratio_threshold
        if first.logprob >= _LOGPROB_LIKELY and not looped:
            return first
        second = self._decoded(super().encode(self._window), prompt, tokenizer, options)
        # A loop is likely to itself.
        return second if looped else max(first, second, key=lambda decoded: decoded.logprob)

    def _decoded(self, encoded: Any, prompt: Any, tokenizer: Any, options: Any) -> _Decoded:
        return _Decoded(*super().generate_with_fallback(encoded, prompt, tokenizer, options))

    def _is_leftover(self, features: Any) -> bool:
        """Whether all voice lies before the window: only inventions could come. A window not full is the last."""
        filled = _filled(features)
        return filled < features.shape[1] and self._frames - filled >= self._voice_end

    def rank_languages(self, features: Any) -> list[tuple[str, float]]:
        """Codes and probabilities, the likeliest first, for a window of 80 (or 128) by 3000 features."""
        ranked = self.model.detect_language(self.encode(features))[0]
        return [(token.strip("<|>"), float(chance)) for token, chance in ranked]


def _filled(features: Any) -> int:
    """How many frames of the window hold sound; zeros fill the rest."""
    frames = np.flatnonzero(features.any(axis=0))
    return int(frames[-1]) + 1 if frames.size else 0


def _shortened(features: Any) -> Any:
    """The features with less of the zeros that fill the window up; an even count, as the encoder halves it."""
    filled = _filled(features)
    if filled < _SHORTENED_FROM_FRAMES:
        return features
    frames = filled + _SILENT_FRAMES
    return features[:, : frames + frames % 2]


def _loaded(folder: Path, threads: int, engine: Engine) -> _Model:
    try:
        return _Model(
            str(folder),
            device=engine.device,
            compute_type=engine.compute_type,
            cpu_threads=threads,
            local_files_only=True,
        )
    except (RuntimeError, ValueError) as error:
        if "alloc" in str(error):
            raise
        raise Missing("model", f"The speech model in {folder} cannot be loaded ({error}).") from error


def _voice(samples: Samples) -> list[Stretch]:
    """Where somebody speaks, by the Silero detector."""
    options = VadOptions(min_speech_duration_ms=_VOICE_MIN_MS, min_silence_duration_ms=_VOICE_GAP_MS, speech_pad_ms=0)
    return [Stretch(found["start"], found["end"]) for found in get_speech_timestamps(samples, options)]


def _language(model: _Model, samples: Samples, tag: str | None) -> _Language:
    """The author's language when Whisper knows it, else what the first half minute sounds like."""
    if not model.model.is_multilingual:
        return _Language("en", 1.0, doubtful=False)
    if code := languages.known(tag, model.supported_languages):
        return _Language(code, 1.0, doubtful=False)
    features = model.feature_extractor(samples)
    # The same window as the transcription's first: the last frame is padding.
    window = features[:, : min(features.shape[-1] - 1, model.feature_extractor.nb_max_frames)]
    (first, probability), (_, second) = model.rank_languages(pad_or_trim(window))[:2]
    doubtful = probability < _LANGUAGE_PROBABILITY_MIN or probability - second < _LANGUAGE_LEAD_MIN
    return _Language(first, probability, doubtful)


def _segments(model: _Model, samples: Samples, code: str) -> list[Segment]:
    found, _ = model.transcribe(
        samples,
        language=code,
        beam_size=_BEAM,
        temperature=_TEMPERATURES,
        # A loop in one window must not infect the next.
        condition_on_previous_text=False,
        word_timestamps=True,
    )
    return list(found)


def _cues(segments: Iterable[Segment], voice: list[Stretch], timeline: Timeline) -> list[Cue]:
    spoken = [(segment, words) for segment in segments if (words := _words(segment, timeline))]
    doubts = guards.unsure([_passage(segment, words, voice) for segment, words in spoken])
    cues: list[Cue] = []
    # Whisper's own segments end anywhere: cues are made of all the words until the doubt changes.
    for unsure, alike in groupby(zip(doubts, spoken, strict=True), key=lambda item: item[0]):
        cues += reading.cues([word for _, (_, words) in alike for word in words], unsure=unsure)
    return sorted(cues, key=lambda cue: (cue.start_s, cue.end_s))


def _words(segment: Segment, timeline: Timeline) -> list[reading.Word]:
    """Its words at their times in the recording; all as one when Whisper gave no times for them."""
    timed = [(word.start, word.end, word.word) for word in segment.words or ()]
    return [
        reading.Word(*timeline.back(float(start_s), float(end_s)), text)
        for start_s, end_s, text in timed or [(segment.start, segment.end, segment.text)]
    ]


def _passage(segment: Segment, words: list[reading.Word], voice: list[Stretch]) -> guards.Passage:
    start_s, end_s = words[0].start_s, max(word.end_s for word in words)
    probabilities = [word.probability for word in segment.words or ()]
    return guards.Passage(
        text=segment.text,
        duration_s=end_s - start_s,
        voice_s=stretches.overlap_s(voice, start_s, end_s),
        word_probability=float(np.mean(probabilities)) if probabilities else 0.0,
        logprob=float(segment.avg_logprob),
        no_speech_probability=float(segment.no_speech_prob),
    )
