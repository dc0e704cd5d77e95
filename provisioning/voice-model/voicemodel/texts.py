"""What synthetic people say: phrases, phrases with words around them, plain sentences, and near misses of phrases."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from voicemodel import dictionary, lexicon, rhymes

if TYPE_CHECKING:
    import random

PHRASES_FILE = Path(__file__).parent.parent / "phrases.txt"

_SUBJECTS = (
    "i|you|he|she|we|they|the man|the woman|my brother|your sister|the teacher|our neighbour|the children|"
    "a doctor|the driver|my friend|someone|the old dog|that guy|nobody|the officer|my mum|her dad|the shopkeeper|"
    "his mate|everybody"
).split("|")
_VERBS = (
    "wants|needs|likes|found|lost|bought|sold|saw|made|took|left|opened|closed|carried|dropped|cleaned|heard|"
    "watched|forgot|remembered|fixed|painted|moved|counted|asked for|looked at|talked about|waited for|paid for|"
    "walked past|helped with|called for"
).split("|")
_OBJECTS = (
    "the car|a new house|some bread|the red door|my phone|a cup of tea|the newspaper|three oranges|"
    "the blue jacket|an old picture|the broken window|your keys|her birthday cake|the police station|"
    "a long letter|the big garden|the train ticket|some cold water|the kitchen table|his umbrella|a small boat|"
    "the wrong number|the loud music|every flower|the yellow bus|the football match|a pint of lager|some crisps|"
    "the computer|his motorbike|the screen"
).split("|")
_TAILS = (
    "in the morning|last night|at the station|near the bridge|after lunch|before the meeting|on monday|"
    "in the park|at school|every day|with my family|for a while|by the river|because it was raining|"
    "when the bell rang|without any help|on the way home|next to the bank|at nine thirty|during the storm|"
    "outside the pub|in the supermarket"
).split("|")
_OPENINGS = "yesterday|today|tomorrow|usually|sometimes|suddenly|maybe|well|of course|then|after that|in fact".split(
    "|"
)
BEFORE = "please|hey|hello|oh|no|stop|quick|now|somebody|oh god|i said|you have to".split("|")
AFTER = "please|now|quick|right now|today|here|john|to me|away|quickly|somebody|for god's sake".split("|")
_DIGITS = "zero one two three four five six seven eight nine oh".split()
_NAMES = (
    "john mary peter susan david emma oliver lucy harry grace tom anna james kate daniel sophie robert laura".split()
)

NEAR_MISSES = (
    "help yourself|help them|help her with the bags|he helped me yesterday|helping my mum|the helpers met|"
    "health is wealth|call the office|call the doctor|call me later|the police called me back|"
    "call the plumber please|recall the policies|i need half|i need kelp|i need a pint|we need milk and bread|"
    "i kneel down|he needs help|you need to help out|do you need help|the computer is broken|"
    "introduce them to her|the tutor is here|a cruiser|the scooter in the road|student union|please hold|"
    "please yelp|police help desk|a pleased elf|please pass the salt|call a taxi|call the priest|pull the fleece|"
    "leave my phone alone|leave me a loan|believe me although|get off the bus|get off my lawn|get coffee for me|"
    "forget me|somebody called me|someone called the shop|send the letter|send the policy|the police are here|"
    "hail me a cab|tell me|hell me|held her|help my|help men|how to help people|he said the police came|"
    "they called the police station yesterday"
).split("|")
"""Talk that holds parts of phrases, or words that sound like them."""


@cache
def phrases(block: str) -> tuple[str, ...]:
    """The phrases of one block of `phrases.txt`: "trained" or "held out"."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in PHRASES_FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and not line.startswith("#"):
            found.setdefault(name, []).append(line)
    return tuple(found[block])


@cache
def _words() -> tuple[str, ...]:
    return tuple(lexicon.words())


def sentence(chance: random.Random) -> str:
    """A sentence of everyday talk, a run of words, or a number read out."""
    kind = chance.random()
    if kind < 0.5:  # noqa: PLR2004
        text = " ".join(chance.choice(_words()) for _ in range(chance.randint(2, 7)))
    elif kind < 0.82:  # noqa: PLR2004
        text = f"{chance.choice(_SUBJECTS)} {chance.choice(_VERBS)} {chance.choice(_OBJECTS)}"
        if chance.random() < 0.6:  # noqa: PLR2004
            text += f" {chance.choice(_TAILS)}"
        if chance.random() < 0.25:  # noqa: PLR2004
            text = f"{chance.choice(_OPENINGS)} {text}"
    elif kind < 0.92:  # noqa: PLR2004
        text = (
            f"{chance.choice(_NAMES)} and {chance.choice(_NAMES)} {chance.choice(_VERBS)} {chance.choice(_OBJECTS)} "
            f"{chance.choice(_TAILS)}"
        )
    else:
        text = " ".join(chance.choice(_DIGITS) for _ in range(chance.randint(3, 7)))
    return text


def phrase_in_talk(chance: random.Random) -> str:
    """A trained phrase, alone or with a few words around it."""
    phrase = chance.choice(phrases("trained"))
    kind = chance.random()
    if kind < 0.15:  # noqa: PLR2004
        return f"{chance.choice(BEFORE)} {phrase}"
    if kind < 0.3:  # noqa: PLR2004
        return f"{phrase} {chance.choice(AFTER)}"
    if kind < 0.36:  # noqa: PLR2004
        return f"{phrase} {chance.choice(phrases('trained'))}"
    if kind < 0.43:  # noqa: PLR2004
        return f"{chance.choice(_words())} {phrase}"
    if kind < 0.5:  # noqa: PLR2004
        return f"{phrase} {chance.choice(_words())}"
    return phrase


def training(chance: random.Random) -> str:
    """What one training utterance says; never a held-out phrase."""
    while True:
        kind = chance.random()
        if kind < 0.3:  # noqa: PLR2004
            text = phrase_in_talk(chance)
        elif kind < 0.36:  # noqa: PLR2004
            text = chance.choice(NEAR_MISSES)
        elif kind < 0.42:  # noqa: PLR2004
            text = rhymes.near_miss(chance, chance.choice(phrases("trained")))
        elif kind < 0.58:  # noqa: PLR2004 - a sign's phrase is short: so are these
            text = " ".join(chance.choice(_words()) for _ in range(chance.randint(1, 3)))
        else:
            text = sentence(chance)
        if not any(holds(text, phrase) for phrase in phrases("held out")):
            return text


def strange(chance: random.Random) -> str:
    """What an utterance says that is to hold the network to what it hears: any words, near and around phrases.

    A third are phrases among words that it never heard, so that it does not take all strangers for other talk.
    """
    while True:
        kind = chance.random()
        if kind < 0.35:  # noqa: PLR2004
            text = among_strangers(chance, chance.choice(phrases("trained")))
        elif kind < 0.6:  # noqa: PLR2004
            text = among_strangers(chance, rhymes.near_miss_of_any(chance, chance.choice(phrases("trained"))))
        elif kind < 0.75:  # noqa: PLR2004
            text = among_strangers(chance, one_stranger(chance, chance.choice(phrases("trained"))))
        elif kind < 0.88:  # noqa: PLR2004
            text = " ".join(chance.choice(dictionary.words()) for _ in range(chance.randint(1, 4)))
        else:
            text = one_stranger(chance, sentence(chance))
        if not any(holds(text, phrase) for phrase in phrases("held out")):
            return text


def one_stranger(chance: random.Random, text: str) -> str:
    """The text with any word of the dictionary in the place of one of its own."""
    words = text.split()
    words[chance.randrange(len(words))] = chance.choice(dictionary.words())
    return " ".join(words)


def among_strangers(chance: random.Random, text: str) -> str:
    """The text, half of the time with words of the dictionary before or after it, or both."""
    kind = chance.random()
    before = [chance.choice(dictionary.words()) for _ in range(chance.randint(1, 2) if kind < 0.3 else 0)]  # noqa: PLR2004
    after = [chance.choice(dictionary.words()) for _ in range(chance.randint(1, 2) if 0.2 < kind < 0.5 else 0)]  # noqa: PLR2004
    return " ".join([*before, text, *after])


def holds(text: str, phrase: str) -> bool:
    """Whether the phrase's words stand in the text one after the other."""
    return f" {phrase} " in f" {text} "


def all_words() -> list[str]:
    """Every word of the list, the phrases and the talk around them: what the model shall know."""
    parts = (_SUBJECTS, _VERBS, _OBJECTS, _TAILS, _OPENINGS, BEFORE, AFTER, _DIGITS, _NAMES, NEAR_MISSES)
    said = [text for part in (*parts, phrases("trained"), phrases("held out")) for text in part]
    return sorted({*_words(), *(word for text in said for word in text.split())})
