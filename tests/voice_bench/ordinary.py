"""Ordinary sentences that were in no other use: short English ones from Debian's `fortunes`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FORTUNES = Path("/usr/share/games/fortunes")
LEFT_OUT = {"ascii-art", "translate-me", "zippy", "perl", "debian", "songs-poems", "knghtbrd", "linux"}
"""Drawings, nonsense, code, and verse without sentences."""
WORDS = range(4, 15)
_PLAIN = re.compile(r"[A-Za-z' ]+")
_SPACES = re.compile(r"\s+")


class NoFortunes(Exception):
    """The Debian package is missing."""


def holds_any(text: str, phrases: Iterable[str]) -> bool:
    """Whether a phrase stands in the text, be it at the beginning of a longer word: "call the policeman" sounds it."""
    return any(f" {phrase}" in f" {text}" for phrase in phrases)


def sentences(raw: str, phrases: Sequence[str]) -> Iterator[str]:
    """The plain short sentences of a fortunes file that hold no phrase, in lower case and without signs."""
    for fortune in raw.split("\n%\n"):
        body = fortune.split("--")[0]
        for part in re.split(r"[.!?;:\n]\s*\n|[.!?;:]\s", body + " "):
            sentence = _SPACES.sub(" ", part.replace(",", " ")).strip()
            words = sentence.split()
            if len(words) not in WORDS or not _PLAIN.fullmatch(sentence) or sum(map(str.isupper, words)) > 1:
                continue
            said = sentence.lower().replace(" '", " ").replace("' ", " ").strip("'")
            if not holds_any(said, phrases):
                yield said


def ordinary(phrases: Sequence[str], folder: Path = FORTUNES) -> list[str]:
    """All of them, each once, in the order of the alphabet.

    Raises:
        NoFortunes: there are none.
    """
    files = sorted(path for path in folder.glob("*") if "." not in path.name and path.name not in LEFT_OUT)
    found = {sentence for path in files if path.is_file() for sentence in sentences(path.read_text("utf-8"), phrases)}
    if not found:
        msg = f"there are no fortunes in {folder}: install the Debian package fortunes"
        raise NoFortunes(msg)
    return sorted(found)
