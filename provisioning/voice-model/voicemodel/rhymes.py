"""Words that sound like a word of a phrase without being it: what "call the police" is not, as "call the peace".

Made from the lexicon's sounds, not written by hand. One word in three is never used in training, so that a bench has
rhymes that no training heard.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING
from zlib import crc32

from voicemodel import lexicon

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

HELD_OUT_ONE_IN = 3


def held_out(word: str) -> bool:
    """Whether training never uses this word as a rhyme; the same on every machine."""
    return crc32(word.encode()) % HELD_OUT_ONE_IN == 0


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """How many sounds must be changed, left out or added (Levenshtein)."""
    above = list(range(len(other) + 1))
    for number, sound in enumerate(one, 1):
        row = [number]
        for place, wanted in enumerate(other, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (sound != wanted)))
        above = row
    return above[-1]


@cache
def of(word: str) -> tuple[str, ...]:
    """The words of the lexicon that differ from it by one sound of two or three, two of four or five, three of more."""
    said = lexicon.read()
    found = []
    for other, ways in said.items():
        apart = min(distance(one, two) for one, two in product(said[word], ways))
        if 0 < apart <= max(1, min(3, len(said[word][0]) // 2)) and not held_out(other):
            found.append(other)
    return tuple(found)


def near_miss(chance: random.Random, phrase: str) -> str:
    """The phrase with one word that rhymes in place of its own; two in a third of the longer ones."""
    words = phrase.split()
    places = [place for place, word in enumerate(words) if of(word)]
    wanted = 2 if len(places) > 2 and chance.random() < 1 / 3 else 1  # noqa: PLR2004
    for place in chance.sample(places, min(wanted, len(places))):
        words[place] = chance.choice(of(words[place]))
    return " ".join(words)
