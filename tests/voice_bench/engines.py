"""Ours and others behind one protocol: blocks in, hits out."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Protocol

import vosk

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.voice.language import phrases_of
from agent.voice.lexicon import BUNDLED_MODEL, UNKNOWN
from agent.voice.pipeline import pipelines
from agent.voice.recogniser import load_model
from agent.voice.verifier import load as load_verifier
from tests.voice_bench.hits import Hit
from tests.voice_bench.phrase_sets import PhraseSet, phrase_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent.hw.kit import PcmBlock
    from agent.voice.decision import Detection
    from agent.voice.pipeline import Pipeline

OURS, VERIFIED, NAIVE, SPHINX = "ours", "verified", "naive", "sphinx"
"""VERIFIED is ours with `voice.verifier`."""
ENGINES = (OURS, VERIFIED, NAIVE, SPHINX)
OURS_OPEN = "ours, any confidence"
"""Ours with every `min_confidence` at 0: its curve comes from this run, its figures from the one that is shipped."""


class Engine(Protocol):
    """Listens for the phrases of one set on one tape."""

    def hear(self, block: PcmBlock) -> list[Hit]:
        """Hear the next 100 ms; returns what is decided with it."""
        ...

    def end(self, at_s: float) -> list[Hit]:
        """No more comes."""
        ...


class Ours:
    """The unit's own pipeline, as its listener runs it."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def hear(self, block: PcmBlock) -> list[Hit]:
        """Hear the next 100 ms."""
        return _hits(self._pipeline.hear(block))

    def end(self, at_s: float) -> list[Hit]:
        """No more comes."""
        return _hits(self._pipeline.end(at_s))


def _hits(detections: Iterable[Detection]) -> list[Hit]:
    return [Hit(each.phrase.label, each.end_s, each.decided_s, each.confidence) for each in detections]


class Naive:
    """Vosk as its examples use it, with our model: one grammar, no gate, no decision."""

    def __init__(self, model: vosk.Model, labels: dict[str, str]) -> None:
        self._labels = {tuple(words.split()): label for words, label in labels.items()}
        self._vosk = vosk.KaldiRecognizer(model, SAMPLE_RATE_HZ, json.dumps([*labels, UNKNOWN]))
        self._vosk.SetWords(True)  # noqa: FBT003 - vosk takes it by position only

    def hear(self, block: PcmBlock) -> list[Hit]:
        """Hear the next 100 ms; only a final result counts."""
        return self._said(self._vosk.Result(), block.ended_s) if self._vosk.AcceptWaveform(block.pcm) else []

    def end(self, at_s: float) -> list[Hit]:
        """No more comes."""
        return self._said(self._vosk.FinalResult(), at_s)

    def _said(self, result_json: str, now_s: float) -> list[Hit]:
        words = json.loads(result_json).get("result", [])
        texts = [word["word"] for word in words]
        return [
            Hit(label, said[-1]["end"], now_s, min(word["conf"] for word in said))
            for phrase, label in self._labels.items()
            for start in range(len(words) - len(phrase) + 1)
            if tuple(texts[start : start + len(phrase)]) == phrase
            for said in [words[start : start + len(phrase)]]
        ]


@cache
def _vosk_model() -> vosk.Model:
    return load_model(BUNDLED_MODEL)


@cache
def _pipelines(phrases: str, *, any_confidence: bool, verified: bool) -> Callable[[], Pipeline]:
    voice = phrase_set(phrases).voice
    if any_confidence:
        unsure = tuple(phrase.model_copy(update={"min_confidence": 0.0}) for phrase in voice.phrases)
        voice = voice.model_copy(update={"phrases": unsure})
    verifier = load_verifier() if verified else None
    return pipelines(BUNDLED_MODEL, phrases_of(voice), voice.decoys, voice.refractory_s, verifier)


def engine(name: str, phrases: PhraseSet) -> Engine:
    """A fresh one; its model is loaded once in each process."""
    match name:
        case "naive":
            return Naive(_vosk_model(), phrases.labels)
        case "sphinx":
            from tests.voice_bench.sphinx import Sphinx  # noqa: PLC0415 - figures are tested without PocketSphinx

            return Sphinx(phrases.labels)
        case _:
            return Ours(_pipelines(phrases.name, any_confidence=name == OURS_OPEN, verified=name == VERIFIED)())
