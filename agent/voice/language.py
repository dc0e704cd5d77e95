"""One language: its model with the phrases that it listens for, and the ears that hear it in a stream of sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.voice.decision import Decider, Phrase
from agent.voice.lexicon import BUNDLED_MODEL, nearest_words, unknown_words, vocabulary
from agent.voice.recogniser import VoskRecogniser, grammar, load_model

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from agent.config.hearing import LanguageSettings, VoiceSettings
    from agent.voice.decision import Detection, LastCounted, Rejection, Word
    from agent.voice.recogniser import Recogniser
    from agent.voice.verifier import Verifier


class WordUnknown(Exception):
    """A phrase holds a word that the model cannot hear: choose another word, or another model.

    Its text may become a fault, which leaves the unit: it names the phrase by its label, since the words stay here.

    Args:
        model: The model's folder.
        phrase: The phrase.
        word: The word.
        known: What the model knows.
    """

    def __init__(self, model: Path, phrase: Phrase, word: str, known: Collection[str]) -> None:
        unable = f"the voice model at {model} does not know"
        super().__init__(f"{unable} a word of the phrase labelled {phrase.label}: safepoint check says which")
        near = nearest_words(word, known)
        hint = f"; it knows {', '.join(near)}" if near else ""
        self.detail = f'{unable} the word "{word}" of the phrase "{phrase.text}"{hint}'
        """The same with the words, for who sits at the unit."""


class Ear:
    """Hears one language in the sound of one microphone."""

    def __init__(self, recogniser: Recogniser, decider: Decider) -> None:
        self._recogniser = recogniser
        self._decider = decider
        self.newly_suspected: Phrase | None = None
        """What a partial result made likely with the last sound; once an utterance at most."""

    @property
    def heard_s(self) -> float:
        """Seconds of sound fed so far."""
        return self._recogniser.heard_s

    @property
    def age_s(self) -> float:
        """Seconds of sound that the present recogniser was given."""
        return self._recogniser.age_s

    @property
    def rejected(self) -> Counter[Rejection]:
        """Phrases that were heard but did not count, by reason."""
        return self._decider.rejected

    def hear(self, pcm: bytes, now_s: float, *, last: bool) -> list[Detection]:
        """Hear more sound.

        Args:
            pcm: The sound.
            now_s: When it ended.
            last: Whether it is the last for now, so that nothing is left undecided.
        """
        before = self._recogniser.suspected
        words = self._recogniser.feed(pcm)
        if last:
            words += self._recogniser.rest()
        self.newly_suspected = self._recogniser.suspected if before is None else None
        return self._decide(words, now_s)

    def end(self, at_s: float) -> list[Detection]:
        """No more sound comes after `at_s`; returns what was still undecided."""
        return self._decide(self._recogniser.flush(), at_s)

    def _decide(self, words: Sequence[Word], now_s: float) -> list[Detection]:
        # The newest sample fed is the one of now: no gap, of the gate or of lost blocks, shifts a word after it, and
        # neither does it matter since when this ear hears.
        ahead_s = now_s - self._recogniser.heard_s
        return self._decider.decide([word.later(ahead_s) for word in words], now_s)


class Language:
    """A voice model, loaded, and what is listened for with it."""

    def __init__(
        self, model_folder: Path, phrases: Sequence[Phrase], decoys: Sequence[str], verifier: Verifier | None = None
    ) -> None:
        """Load the model.

        Args:
            model_folder: Where it is.
            phrases: What is listened for.
            decoys: What is easily taken for that.
            verifier: A second engine of the same language.

        Raises:
            ModelUnusable: the model is missing or broken.
            WordUnknown: a phrase holds a word that the model cannot hear.
        """
        known = vocabulary(model_folder)
        for phrase in phrases:
            for word in unknown_words(phrase.text, known):
                raise WordUnknown(model_folder, phrase, word, known)
        self._phrases = phrases
        self._sentences = grammar(phrases, decoys, known)
        self._decoys = [decoy for decoy in decoys if decoy in self._sentences]
        self._model = load_model(model_folder)
        self._exacting = model_folder.resolve() == BUNDLED_MODEL.resolve()  # of other models nobody has measured it
        self._verifier = verifier

    def ear(self, refractory_s: float, last_counted: LastCounted) -> Ear:
        """A fresh ear for this language; `last_counted` is that of all ears of the microphone."""
        return Ear(
            VoskRecogniser(
                self._model,
                self._sentences,
                self._phrases,
                self._decoys,
                self._verifier,
                exacting=self._exacting,
            ),
            Decider(self._phrases, refractory_s, self._decoys, last_counted),
        )


def phrases_of(listening: VoiceSettings | LanguageSettings) -> list[Phrase]:
    """The configured phrases of the main language, or of a further one."""
    return [
        Phrase(
            tuple(each.say.split()),
            each.label,
            each.min_confidence,
            each.silent,
            each.repeat_within_s,
            each.unsure_confidence,
        )
        for each in listening.phrases
    ]
