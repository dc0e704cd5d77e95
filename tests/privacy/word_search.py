"""Finds what was said, as text, in bytes: in any case, in any width of letters, and with anything between the words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.privacy.layers import Artefact

TELLING_LETTERS = 5
"""Shorter words are everywhere; this many letters come by chance once in 10^10 bytes."""
AROUND = 24


class WordsFound(NamedTuple):
    """Words that lie where they must not."""

    what: str
    where: str
    around: bytes


class WordSearch:
    """Looks for whole sentences, and for each of their words that is long enough to tell something."""

    def __init__(self, sentences: Iterable[str], tokens: Iterable[str] = ()) -> None:
        """Prepare the search for sentences, and for other text that only a transcript holds."""
        words = {word for sentence in sentences for word in sentence.split() if len(word) >= TELLING_LETTERS}
        self._patterns = {
            what: re.compile(rb"[^a-z0-9]{1,12}".join(map(_letters, what.split())), re.IGNORECASE)
            for what in sorted({*sentences, *words, *tokens})
        }

    def find(self, artefacts: Iterable[Artefact]) -> Iterator[WordsFound]:
        """Every find."""
        for where, data in artefacts:
            for what, pattern in self._patterns.items():
                for found in pattern.finditer(data):
                    around = data[max(0, found.start() - AROUND) : found.end() + AROUND]
                    yield WordsFound(what, where, around)


def _letters(word: str) -> bytes:
    """A word in letters of one, two or four bytes, of either order."""
    return rb"\x00{0,3}".join(re.escape(letter.encode()) for letter in word)
