"""What is played to the engines: tapes of calls and tapes of talk, each from seeds, made where it is heard."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.voice_bench.cast import TRACT, VOICES, Line, cast
from tests.voice_bench.near_misses import NEAR_MISSES, RHYMES
from tests.voice_bench.phrase_sets import HELD_OUT, PEOPLE, PEOPLE_SAID, SAID, SHIPPED, all_phrases, phrase_set
from tests.voice_bench.sentences import EVERYDAY, SENTENCES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BEDS = ("traffic", "babble", "music", "gusts", "street")
"""The noises that calls are laid into."""
CLIPS = 40
"""People's recordings on a tape."""
CALLS_ONE_IN = 3
"""Of people's recordings of each phrase: those of which the builder's training hears nothing (`voicemodel.people`)."""
TALK_S = 300.0
"""A tape of talk: long enough that its beginning, where engines know nothing of the place, weighs little."""
KINDS = ORDINARY, NEAR_MISS, CROWD, MUSIC, TRAFFIC = (
    "ordinary sentences",
    "near misses",
    "several talkers at once",
    "music-like",
    "traffic-like",
)
SPOKEN = ORDINARY, NEAR_MISS, CROWD
RHYME = "rhymes"
RHYMES_SHARE = 0.25
"""Of the hours of a kind: rhymes are counted apart."""
PEOPLE_TALK = "people"
ORDINARY_LINES = 2500
"""Different sentences at most; more hours of talk say them again with another throat, level and noise."""
NEAR_MISS_WAYS = 24
"""How many ways each near miss is said at most, a third of them by each kind of voice."""
BEHIND_LINES = 150
"""What is said in the babble behind calls."""
LINES_AN_HOUR = 1100
"""What is said in an hour of talk with pauses, about."""


@dataclass(frozen=True)
class Condition:
    """How a call reaches the microphone."""

    name: str
    snr_db: float | None
    """Of active speech over the noise around it, where the speaker is near; None: a quiet room."""
    metres: float | None = None
    """From how far; the level is that at 1 m, less what the way takes. None: near, without a room."""
    twice: bool = False
    """Whether it is called once more after a moment, as people do who get no answer."""


CONDITIONS = (
    Condition("quiet room", None),
    Condition("20 dB SNR", 20.0),
    Condition("10 dB SNR", 10.0),
    Condition("5 dB SNR", 5.0),
    Condition("1 m, street", 20.0, 1.0),
    Condition("3 m, street", 20.0, 3.0),
    Condition("5 m, street", 20.0, 5.0),
    Condition("10 dB SNR, called twice", 10.0, twice=True),
    Condition("5 dB SNR, called twice", 5.0, twice=True),
)
CURVE_CONDITION = CONDITIONS[2]
"""Whose misses the picture shows."""
IN_SENTENCE = Condition("within a sentence, 20 dB SNR", 20.0)
"""Only the phrases that are shipped, in `SENTENCES`."""
IN_TALK = Condition("in everyday talk that is no call, 20 dB SNR", 20.0)
"""The same in `EVERYDAY`: played as calls, since a phrase is said; the fewer are heard the better."""


@dataclass(frozen=True)
class Saying:
    """A line with the throat that says it."""

    line: Line
    tract: float


@dataclass(frozen=True)
class CallTape:
    """Calls in one condition by one kind of voice over one bed of noise."""

    phrases: str
    condition: Condition
    voices: str
    bed: str
    sayings: tuple[Saying, ...]
    behind: tuple[Line, ...]
    """What the babble says."""
    seed: int


@dataclass(frozen=True)
class TalkTape:
    """Sound in which nobody calls."""

    kind: str
    voices: str
    """Who talks in it; empty where nobody does."""
    lines: tuple[Line, ...]
    """What may be said in it, in this order, over and over."""
    length_s: float
    seed: int
    listened_for: tuple[str, ...]
    """Sets of phrases."""
    shared: bool
    """Whether others hear it too; else it only adds to the hours of ours with the phrases that are shipped."""


@dataclass(frozen=True)
class ClipTape:
    """Recordings of people: `files` one after the other."""

    files: tuple[str, ...]
    calls: bool
    """Whether what they say is listened for; else it is talk."""
    seed: int


Plan = CallTape | TalkTape | ClipTape


def calls(per_bed: int, ordinary: Sequence[str]) -> list[CallTape]:
    """So many calls in each condition, by each kind of voice, in each bed. The same ones in every condition."""
    plans = []
    others = random.Random("behind")
    texts = others.sample(ordinary, BEHIND_LINES)
    behind = tuple(
        Line(text, cast(others, number // len(VOICES), VOICES[number % len(VOICES)]))
        for number, text in enumerate(texts)
    )
    for phrases, said, conditions in (
        (SHIPPED, tuple(phrase_set(SHIPPED).labels), CONDITIONS),
        (HELD_OUT, tuple(phrase_set(HELD_OUT).labels), CONDITIONS),
        (SHIPPED, SENTENCES, (IN_SENTENCE,)),
        (SHIPPED, EVERYDAY, (IN_TALK,)),
    ):
        for voices in VOICES:
            for number, bed in enumerate(BEDS):
                chance = random.Random(f"{phrases} {voices} {bed}")
                # Every phrase by every voice, over all beds together; of many sentences, no bed by one voice alone.
                turns = [divmod(number * per_bed + count, len(said)) for count in range(per_bed)]
                sayings = [
                    Saying(Line(said[phrase], cast(chance, voice, voices)), round(chance.uniform(*TRACT), 2))
                    for turn, phrase in turns
                    for voice in [turn + phrase if len(said) >= per_bed else turn]
                ]
                chance.shuffle(sayings)
                plans += [
                    CallTape(
                        phrases,
                        condition,
                        voices,
                        bed,
                        tuple(sayings),
                        behind if bed == "babble" else (),
                        seed=1000 * place + number,
                    )
                    for place, condition in enumerate(conditions)
                ]
    return plans


def talk(hours: float, ordinary: Sequence[str], shared_hours: float, *, people: bool) -> list[TalkTape]:
    """Equal shares of `KINDS`, so long in all, and rhymes besides; the first tapes, about `shared_hours`, are for all.

    In each tape of speech one kind of voice talks, so that it is known whose talk sets an engine off; the kinds take
    turns. What `people` say is listened for in the ordinary sentences only.
    """
    chance = random.Random("talk")
    wanted = int(hours / len(KINDS) * LINES_AN_HOUR) + 1
    chosen = chance.sample(ordinary, min(len(ordinary), ORDINARY_LINES, wanted))
    said: dict[tuple[str, str], list[Line]] = {}
    for turn, voices in enumerate(VOICES):
        plain = [Line(text, cast(chance, number, voices)) for number, text in enumerate(chosen[turn :: len(VOICES)])]
        near = _said_in_many_ways(NEAR_MISSES, wanted, voices, chance)
        rhymes = _said_in_many_ways(RHYMES, wanted, voices, chance)
        crowd = [*plain, *near]
        random.Random(f"crowd of {voices}").shuffle(crowd)  # or whole tapes would be of one kind
        said |= {(ORDINARY, voices): plain, (NEAR_MISS, voices): near, (CROWD, voices): crowd}
        said[RHYME, voices] = rhymes
    each = _whole_turns(hours * 3600 / len(KINDS) / TALK_S)
    length_s = hours * 3600 / len(KINDS) / each
    shared_each = min(each, _whole_turns(shared_hours * 3600 / len(KINDS) / length_s))
    return [
        TalkTape(
            kind,
            voices,
            _from(said[kind, voices], number / each) if voices else (),
            length_s,
            number,
            (SHIPPED, HELD_OUT, *((PEOPLE,) if people and kind == ORDINARY else ())) if shared else (SHIPPED,),
            shared,
        )
        for kind in (*KINDS, RHYME)
        for number in range(each if kind != RHYME else _whole_turns(each * RHYMES_SHARE))
        for voices in [VOICES[number % len(VOICES)] if kind in {*SPOKEN, RHYME} else ""]
        for shared in [number < shared_each]
    ]


def _whole_turns(tapes: float) -> int:
    """About so many tapes: each kind of voice talks in as many."""
    return len(VOICES) * max(1, round(tapes / len(VOICES)))


def _said_in_many_ways(texts: Sequence[str], wanted: int, voices: str, chance: random.Random) -> list[Line]:
    """Each of them by each voice of this kind in turn, in no order."""
    ways = -(-min(NEAR_MISS_WAYS, -(-wanted // len(texts))) // len(VOICES))
    lines = [Line(text, cast(chance, number + way, voices)) for way in range(ways) for number, text in enumerate(texts)]
    chance.shuffle(lines)
    return lines


def _from(lines: Sequence[Line], share: float) -> tuple[Line, ...]:
    """The lines from another place on for each tape, so that all of them come up."""
    start = int(share * len(lines))
    most = int(TALK_S * 6)
    return tuple([*lines[start:], *lines[:start]][:most])


def clips(folder: Path, share: int = 1) -> list[ClipTape]:
    """Every third recording of each phrase is a call; all others are talk. Of both, one in `share`."""
    said, other = [], []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        if SAID.get(place.name, place.name.replace("_", " ")) in PEOPLE_SAID:
            files = sorted(str(path) for path in place.iterdir() if path.suffix in {".flac", ".wav"})
            said += files[::CALLS_ONE_IN]
            other += [file for number, file in enumerate(files) if number % CALLS_ONE_IN]
    chance = random.Random("people")
    chance.shuffle(said)
    chance.shuffle(other)
    said, other = said[::share], other[::share]
    return [
        ClipTape(tuple(files[start : start + CLIPS]), calls, start)
        for files, calls in ((said, True), (other, False))
        for start in range(0, len(files), CLIPS)
    ]


def lines_of(plans: Sequence[Plan]) -> list[Line]:
    """All that has to be said for them."""
    found: dict[Line, None] = {}
    for plan in plans:
        match plan:
            case CallTape():
                found.update(dict.fromkeys((*(saying.line for saying in plan.sayings), *plan.behind)))
            case TalkTape():
                found.update(dict.fromkeys(plan.lines))
    return list(found)


def follows(before: str, text: str, phrases: Sequence[str] = ()) -> bool:
    """Whether saying this after that makes no phrase out of the two."""
    together = f"{before} {text}"
    return not any(f" {phrase}" in f" {together}" for phrase in phrases or all_phrases())
