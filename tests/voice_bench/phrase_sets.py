"""What the engines listen for: the sign of the safe-point profile, and a sign with words that training never said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from voicemodel import texts

import agent
from agent.config.hearing import PhraseSettings, VoiceSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

SHIPPED, HELD_OUT, PEOPLE = "shipped", "held-out", "people"
HELD_OUT_COUNT = 4
"""As many as the shipped sign has: the first of the builder's list, not chosen by how well they are heard."""
PROFILE = Path(agent.__file__).parent / "profiles/safe-point.yaml"
PEOPLE_SAID = ("alexa", "jarvis", "snow boy")
"""What the people of the recordings say."""
SAID = {"snowboy": "snow boy"}
"""What is said in a folder whose name is written otherwise, as in `voicemodel.people`."""


@dataclass(frozen=True)
class PhraseSet:
    """One sign."""

    name: str
    voice: VoiceSettings

    @property
    def labels(self) -> dict[str, str]:
        """The label of each phrase's words."""
        return {phrase.say: phrase.label for phrase in self.voice.phrases}

    @property
    def once(self) -> frozenset[str]:
        """The labels of those that count when they are said once: others take the rest at once, too."""
        return frozenset(phrase.label for phrase in self.voice.phrases if phrase.repeat_within_s is None)


@cache
def phrase_set(name: str) -> PhraseSet:
    """One of the sets, with everything else as the profile has it."""
    profile = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))
    voice = VoiceSettings.model_validate_json(json.dumps(profile["voice"]))
    match name:
        case "held-out":
            said: Iterable[str] = texts.phrases("held out")[:HELD_OUT_COUNT]
        case "people":
            said = PEOPLE_SAID
        case _:
            return PhraseSet(name, voice)
    phrases = tuple(PhraseSettings(say=words, label=words.replace(" ", "-")) for words in said)
    return PhraseSet(name, voice.model_copy(update={"phrases": phrases}))


def all_phrases() -> tuple[str, ...]:
    """The words that no negative may hold: of both signs."""
    return tuple(words for name in (SHIPPED, HELD_OUT) for words in phrase_set(name).labels)
