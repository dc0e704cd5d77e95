"""What somebody probably meant to write."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The known words most like this one, best first; case does not count."""
    by_folded = {candidate.casefold(): candidate for candidate in sorted(known)}
    return [by_folded[match] for match in get_close_matches(word.casefold(), by_folded, n=most)]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: a guess, or all there are."""
    known = sorted(known)
    if guesses := nearest(word, known):
        return f"did you mean {guesses[0]}?"
    return f"there are: {', '.join(known) or 'none'}"
