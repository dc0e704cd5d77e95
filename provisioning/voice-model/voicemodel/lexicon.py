"""How words are said: `lexicon.txt`, American and British side by side, and how that file is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voicemodel.phones import PHONES, Phones, from_ipa

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HERE = Path(__file__).parent.parent
FILE = HERE / "lexicon.txt"

Lexicon = dict[str, tuple[Phones, ...]]
"""Each word's pronunciations, the usual one first."""

BY_EAR: Mapping[str, tuple[str, ...]] = {
    "a": ("ax", "ey"),
    "an": ("ax n", "ae n"),
    "and": ("ae n d", "ax n d", "ax n"),
    "the": ("dh ax", "dh iy"),
    "to": ("t ax", "t uw"),
    "of": ("ax v", "ax"),
    "for": ("f ao r", "f er", "f ax"),
    "me": ("m iy",),
    "he": ("hh iy", "iy"),
    "her": ("hh er", "er"),
    "him": ("hh ih m", "ih m"),
    "can": ("k ae n", "k ax n"),
    "help": ("hh eh l p", "hh eh ax p"),
    "police": ("p ax l iy s", "p l iy s"),
    "oh": ("ow",),
    "alexa": ("ax l eh k s ax",),
    "jarvis": ("jh aa r v ih s", "jh aa v ih s"),
}
"""What no dictionary has, or what running speech makes of it: weak forms, dropped sounds, an "l" that is a vowel."""


def read(path: Path = FILE) -> Lexicon:
    """The lexicon.

    Raises:
        ValueError: a line holds a sound that is none of ours.
    """
    found: dict[str, list[Phones]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *sounds = line.split()
        if strange := [sound for sound in sounds if sound not in PHONES]:
            msg = f"{path.name}: {word!r} is said with {strange[0]!r}, which is none of the {len(PHONES)} sounds"
            raise ValueError(msg)
        found.setdefault(word, []).append(tuple(sounds))
    return {word: tuple(said) for word, said in found.items()}


def words(path: Path = HERE / "words.txt") -> list[str]:
    """All words that the model shall know."""
    return sorted(set(path.read_text(encoding="utf-8").split()))


def make(wanted: Iterable[str]) -> Lexicon:
    """Look the words up in the American and British dictionaries that hibari-tts carries (misaki's, Apache 2.0)."""
    from hibari.g2p import G2P  # noqa: PLC0415 - the builder's own package

    american, british = G2P(), G2P(british=True)
    found: Lexicon = {}
    for word in wanted:
        said = [tuple(by_ear.split()) for by_ear in BY_EAR.get(word, ())]
        for speak in (american, british):
            spoken = speak(spelled(word))
            ipa = spoken if isinstance(spoken, str) else spoken[0]
            plain = "".join(ipa.strip(" .,!?").split())
            said.append(from_ipa(plain))
            if "T" in plain:  # a tap, which a careful speaker says as a "t"
                said.append(from_ipa(plain.replace("T", "t")))
        found[word] = tuple(dict.fromkeys(sounds for sounds in said if sounds))
    return found


def completed(known: Lexicon, wanted: Iterable[str]) -> Lexicon:
    """With the sounds of all words that are wanted; those that are known stay as they are.

    Raises:
        ValueError: of one of them no sound is found.
    """
    found = make(word for word in wanted if word not in known)
    for word, said in found.items():
        if not said:
            msg = f"no dictionary knows how {word!r} is said: add it to {FILE}"
            raise ValueError(msg)
    return known | found


def spelled(word: str) -> str:
    """As a person would write it: "i" alone is read as a letter of a list."""
    return "I" + word[1:] if word == "i" or word.startswith("i'") else word


def write(lexicon: Lexicon, path: Path = FILE) -> None:
    """Write it, one pronunciation a line."""
    lines = [f"{word} {' '.join(sounds)}\n" for word in sorted(lexicon) for sounds in lexicon[word]]
    path.write_text("".join(lines), encoding="utf-8")


def usual(lexicon: Lexicon, text: Sequence[str]) -> tuple[Phones, ...]:
    """The usual sounds of each word of a text."""
    return tuple(lexicon[word][0] for word in text)
