"""All words that misaki's dictionaries know, with their sounds: talk is made of more words than the model has.

hibari-tts carries those dictionaries (Apache 2.0). A network that learns from the model's few words alone takes what
begins like one of them for it: "hold me" for "help me".
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib import resources
from typing import Any

from voicemodel.phones import Phones, from_ipa

ACCENTS = ("gb", "us")
LONGEST = 8
"""Sounds: longer words are those of books."""


@cache
def sounds() -> dict[str, tuple[Phones, ...]]:
    """Of each word, the British way first; without names, and without what is written otherwise than in letters."""
    found: dict[str, tuple[Phones, ...]] = {}
    for accent in ACCENTS:
        path = resources.files("hibari") / f"assets/lexicon_{accent}_gold.json.gz"
        with path.open("rb") as packed, gzip.open(packed, "rt", encoding="utf-8") as file:
            said: dict[str, Any] = json.load(file)
        for word, ipa in said.items():
            if isinstance(ipa, str) and word.isascii() and word.isalpha() and word.islower():
                found[word] = tuple(dict.fromkeys((*found.get(word, ()), from_ipa(ipa))))
    return found


@cache
def words() -> tuple[str, ...]:
    """All of them that are as long as a word of talk."""
    return tuple(word for word, ways in sounds().items() if len(word) > 1 and len(ways[0]) <= LONGEST)
