"""Whatever words, times and confidences a recogniser comes up with: the decision never fails and invents nothing."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import TYPE_CHECKING

import yaml

from agent.config.hearing import VoiceSettings
from agent.config.load import PROFILES
from agent.voice.decision import Decider, Rejection, Word
from agent.voice.language import phrases_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.voice.decision import Detection, Phrase

HYPOTHESES = 100_000
STREAMS = 100
"""Each with a decider of its own, so that what one remembers does not silence all others."""
SEED = 4

_SHOP = VoiceSettings.model_validate(yaml.safe_load((PROFILES / "safe-space.yaml").read_text())["voice"], strict=False)
TWICE, *ONCE = _SHOP.phrases
VOICE = _SHOP.model_copy(
    update={
        "phrases": (TWICE.model_copy(update={"repeat_within_s": 10.0}), *ONCE),
        "decoys": (*_SHOP.decoys, "help me out", "don't call the police"),
    }
)
SENTENCES = [*(phrase.say.split() for phrase in VOICE.phrases), *(decoy.split() for decoy in VOICE.decoys), ["[unk]"]]
VOCABULARY = sorted({word for sentence in SENTENCES for word in sentence})
STRANGE_S = (0.0, -1.0, -1e6, 1e6, 1e308, -1e308, math.nan, math.inf, -math.inf)
STRANGE_SURENESS = (0.0, 1.0, -1.0, 2.0, math.nan, math.inf, -math.inf)


def texts(rng: random.Random) -> list[str]:
    """Words of the grammar: whole sentences, or any words."""
    if rng.random() < 0.5:
        return [word for _ in range(rng.randrange(4)) for word in rng.choice(SENTENCES)]
    return rng.choices(VOCABULARY, k=rng.randrange(9))


def hypothesis(rng: random.Random, at_s: float) -> list[Word]:
    """Words from about `at_s` on; in every other one something may be wrong with times and confidences."""
    strange = 0.15 if rng.random() < 0.5 else 0.0
    words = []
    for text in texts(rng):
        start_s = at_s + rng.choice((0.0, 0.0, 0.1, 0.7))
        end_s = start_s + rng.choice((0.0, 0.1, 0.3, 0.3, 0.4, 1.6))
        at_s = end_s
        if rng.random() < strange:
            start_s = rng.choice((*STRANGE_S, end_s, end_s + 1))
        if rng.random() < strange:
            end_s = rng.choice((*STRANGE_S, start_s, start_s - 0.3))
        sureness = rng.choice(STRANGE_SURENESS) if rng.random() < strange else rng.random() ** 0.05
        words.append(Word(text, start_s, end_s, sureness))
    return words


def said_twice(detection: Detection) -> bool:
    """Whether it could count only as the second of two."""
    return detection.phrase.repeat_within_s is not None or detection.confidence < detection.phrase.min_confidence


def said_as(detection: Detection, words: Sequence[Word]) -> bool:
    """Whether these words hold the detected phrase, in order, each sure enough, and ending when it says."""
    phrase = detection.phrase
    for begin in range(len(words) - len(phrase.words) + 1):
        said = words[begin : begin + len(phrase.words)]
        if (
            tuple(word.text for word in said) == phrase.words
            and all(word.confidence >= phrase.least_confidence for word in said)
            and said[-1].end_s == detection.end_s
            and min(word.confidence for word in said) == detection.confidence
            and (said_twice(detection) or said[0].start_s == detection.start_s)
        ):
            return True
    return False


def test_a_hundred_thousand_hypotheses_are_decided_without_a_failure_or_an_invention() -> None:
    rng = random.Random(SEED)
    phrases = phrases_of(VOICE)
    found: Counter[Phrase] = Counter()
    rejected: Counter[Rejection] = Counter()
    for _ in range(STREAMS):
        decider = Decider(phrases, VOICE.refractory_s, VOICE.decoys)
        for count in range(HYPOTHESES // STREAMS):
            words = hypothesis(rng, 100.0 + 4 * count)
            for detection in decider.decide(words, 104.0 + 4 * count):
                assert said_as(detection, words), (detection, words)
                assert all(map(math.isfinite, (detection.start_s, detection.end_s, detection.confidence)))
                assert detection.start_s <= detection.end_s
                found[detection.phrase] += 1
        rejected += decider.rejected
    assert min(found[phrase] for phrase in phrases) > 100, "too few phrases came up: this test shows nothing"
    assert set(rejected) == set(Rejection), "some reason never came up: this test shows less than it could"
