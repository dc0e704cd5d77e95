"""What somebody probably meant to write."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING
from unicodedata import combining, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The known words most like this one, best first; case and accents do not count."""
    by_folded: dict[str, list[str]] = {}
    for candidate in sorted(known):
        by_folded.setdefault(_folded(candidate), []).append(candidate)
    matches = get_close_matches(_folded(word), by_folded, n=most)
    return [candidate for match in matches for candidate in by_folded[match]][:most]


def _folded(word: str) -> str:
    """Whoever has no key for an accent leaves it out."""
    return "".join(sign for sign in normalize("NFD", word.casefold()) if not combining(sign))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: a guess, or all there are."""
    known = sorted(known)
    if guesses := nearest(word, known):
        return f"did you mean {guesses[0]}?"
    return f"there are: {', '.join(known) or 'none'}"
