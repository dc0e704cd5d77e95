"""Words that sound like a word of a phrase without being it: what "call the police" is not, as "call the peace".

Made from sounds, of the model's lexicon or of a whole dictionary, not written by hand. One word in three is never used
as a rhyme, and none that `./dev voice-bench` has in a phrase's word's place: a bench has rhymes that no training heard.
The rounds of the shipped model before its last one knew the first rule only (README.md), and its last one not "hear",
"of" and "well".
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING
from zlib import crc32

from voicemodel import dictionary, lexicon
from voicemodel.phones import PHONES, Phones

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping, Sequence

HELD_OUT_ONE_IN = 3
OF_THE_BENCH = frozenset(
    "bend called crawl elbow fall half heap hear held hell helmet hem hold kelp kneaded kneed knee leaf loan needed "
    "needs of palace parade place plaza pleased pole polish sell sent small tall well whelp".split()
)
"""Those that the bench's near misses have in the place of a phrase's word, or at its place in one."""


def held_out(word: str) -> bool:
    """Whether training never uses this word as a rhyme; the same on every machine."""
    return crc32(word.encode()) % HELD_OUT_ONE_IN == 0 or word in OF_THE_BENCH


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """How many sounds must be changed, left out or added (Levenshtein)."""
    above = list(range(len(other) + 1))
    for number, sound in enumerate(one, 1):
        row = [number]
        for place, wanted in enumerate(other, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (sound != wanted)))
        above = row
    return above[-1]


def most(said: Phones) -> int:
    """How many sounds may differ: one of two or three, two of four or five, three of more."""
    return max(1, min(3, len(said) // 2))


@cache
def of(word: str) -> tuple[str, ...]:
    """The words of the lexicon that sound like this one."""
    said = lexicon.read()
    return tuple(_near(said[word], said, most(said[word][0])))


@cache
def in_dictionary(word: str, apart: int | None = None) -> tuple[str, ...]:
    """The words of the dictionary that sound like this one of the lexicon: by so many sounds at most."""
    said = lexicon.read()[word]
    return tuple(_near(said, dictionary.sounds(), apart or most(said[0])))


def _near(ways: Sequence[Phones], among: Mapping[str, Iterable[Phones]], apart: int) -> list[str]:
    """Words that are not said like this one, but nearly: by so many sounds apart at most."""
    wanted = [(way, _kinds(way)) for way in ways]
    found = []
    for other, other_ways in among.items():
        if not held_out(other):
            kinds = [(way, _kinds(way)) for way in other_ways]
            pairs = [
                (one, two)
                for (one, some), (two, others) in product(wanted, kinds)
                if max((some & ~others).bit_count(), (others & ~some).bit_count()) <= apart
            ]
            if pairs and 0 < min(distance(one, two) for one, two in pairs) <= apart:
                found.append(other)
    return found


_BIT = {phone: 1 << number for number, phone in enumerate(PHONES)}


def _kinds(said: Phones) -> int:
    """Which sounds are in it, a bit for each: what one word has and the other lacks must at least be changed."""
    kinds = 0
    for phone in said:
        kinds |= _BIT[phone]
    return kinds


def near_miss(chance: random.Random, phrase: str) -> str:
    """The phrase with one word that rhymes in place of its own; two in a third of the longer ones."""
    words = phrase.split()
    places = [place for place, word in enumerate(words) if of(word)]
    wanted = 2 if len(places) > 2 and chance.random() < 1 / 3 else 1  # noqa: PLR2004
    for place in chance.sample(places, min(wanted, len(places))):
        words[place] = chance.choice(of(words[place]))
    return " ".join(words)


def near_miss_of_any(chance: random.Random, phrase: str) -> str:
    """The phrase with a word of the dictionary in the place of one of its own, half of the time one as near as any."""
    words = phrase.split()
    for place in chance.sample(range(len(words)), 2 if len(words) > 2 and chance.random() < 1 / 3 else 1):  # noqa: PLR2004
        nearest = in_dictionary(words[place], 1)
        near = nearest if nearest and chance.random() < 1 / 2 else in_dictionary(words[place])
        words[place] = chance.choice(near or dictionary.words())
    return " ".join(words)
