"""The pieces of words that a verifier's network writes in: byte pair encoding as SentencePiece does it. Pure.

The pieces are numbered in the order in which they were found, so the pair whose whole has the lowest number is joined
first.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SPACE: Final = "\u2581"
"""SentencePiece's own sign for the space before a word."""
BYTES: Final = 259
"""Pieces before this number are signs of the beginning and the end, and single bytes: none is a letter."""
LONG: Final = 0x80
"""A length of so many bytes or more takes two: its lower seven bits with this one set, then the rest."""


class NotWritable(Exception):
    """A text holds a letter that no piece has."""


def read(table: bytes) -> dict[str, int]:
    """The number of each piece, from `tokenizer.bin`: the length of each, and its bytes.

    Raises:
        ValueError: it is cut short, or no text.
    """
    pieces: dict[str, int] = {}
    at = number = 0
    while at < len(table):
        length, at = table[at], at + 1
        if length >= LONG:
            if at == len(table):
                break
            length, at = length - LONG + LONG * table[at], at + 1
        piece, at = table[at : at + length], at + length
        if number >= BYTES:
            pieces.setdefault(piece.decode("utf-8"), number)
        number += 1
    if at != len(table) or not pieces:
        msg = "it ends in the middle of a piece"
        raise ValueError(msg)
    return pieces


def encoded(text: str, pieces: Mapping[str, int]) -> list[int]:
    """The numbers of the pieces of a text.

    Raises:
        NotWritable: it holds a letter that is no piece.
    """
    parts = list(SPACE + text.replace(" ", SPACE))
    while joined := [
        (pieces[left + right], place) for place, (left, right) in enumerate(pairwise(parts)) if left + right in pieces
    ]:
        _, place = min(joined)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    try:
        return [pieces[part] for part in parts]
    except KeyError as missing:
        msg = f'no piece is "{missing.args[0]}"'
        raise NotWritable(msg) from missing
