"""Who speaks in training, and who never does."""

from __future__ import annotations

import random
import re

import pytest
from voicemodel import voices


def parts(voice: voices.Voice) -> set[str]:
    """The speakers that this voice is made of."""
    return {re.sub(r"\*.*", "", part) for part in voice.name.split("+")} if voice.engine == "kokoro" else {voice.name}


@pytest.mark.parametrize("engine", voices.TRAINING)
def test_no_held_out_voice_speaks_in_training_and_none_is_part_of_a_mixture(engine: str) -> None:
    chance = random.Random(3)
    speaking = [voices.training(chance, engine) for _ in range(3000)]
    held_out = (*voices.HELD_OUT_RECORDED, *voices.HELD_OUT_READERS, *voices.HELD_OUT_FORMANT)
    for voice in held_out:
        assert [one for one in speaking if one.engine == voice.engine and parts(one) & parts(voice)] == []


@pytest.mark.parametrize(
    ("engine", "names"), [("readers-american", voices.AMERICAN), ("readers-british", voices.BRITISH)]
)
def test_every_reader_speaks_alone_and_in_mixtures(engine: str, names: tuple[str, ...]) -> None:
    chance = random.Random(4)
    speaking = [voices.training(chance, engine) for _ in range(3000)]
    assert {voice.name for voice in speaking if "*" not in voice.name} == set(names)
    mixed = set[str]().union(*(parts(voice) for voice in speaking if "*" in voice.name))
    assert mixed == {*names, *voices.FROM_ELSEWHERE}
