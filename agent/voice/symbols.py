"""Reads the word list that OpenFst writes into a graph file, which is where small Vosk models keep theirs."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

FST_MAGIC = 2125659606
SYMBOLS_MAGIC = 2125658996
HAS_INPUT_SYMBOLS = 1
HAS_OUTPUT_SYMBOLS = 2
MAX_SYMBOL_BYTES = 1024
"""No word is longer: a greater length means that this is not what we take it for."""


def output_symbols(fst: Path) -> list[str]:
    """The output symbols stored in an OpenFst binary file, in order of the file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no OpenFst file, is cut short, or holds no symbols.
    """
    with fst.open("rb") as file:
        if _number(file, "<i") != FST_MAGIC:
            msg = f"{fst.name} is not an OpenFst file"
            raise ValueError(msg)
        _text(file)  # the kind of FST
        _text(file)  # the kind of arc
        _number(file, "<i")  # version
        flags = _number(file, "<i")
        for _ in ("properties", "start state", "states", "arcs"):
            _number(file, "<q")
        inputs = _table(file) if flags & HAS_INPUT_SYMBOLS else []
        outputs = _table(file) if flags & HAS_OUTPUT_SYMBOLS else []
    if not (found := outputs or inputs):
        msg = f"{fst.name} holds no words and there is no words.txt"
        raise ValueError(msg)
    return found


def _table(file: BinaryIO) -> list[str]:
    if _number(file, "<i") != SYMBOLS_MAGIC:
        msg = "its table of symbols is damaged"
        raise ValueError(msg)
    _text(file)  # the table's name
    _number(file, "<q")  # the next free key
    symbols = []
    for _ in range(_number(file, "<q")):
        symbols.append(_text(file))
        _number(file, "<q")
    return symbols


def _text(file: BinaryIO) -> str:
    length = _number(file, "<i")
    if not 0 <= length <= MAX_SYMBOL_BYTES:
        msg = "its table of symbols is damaged"
        raise ValueError(msg)
    return _exactly(file, length).decode("utf-8")


def _number(file: BinaryIO, layout: str) -> int:
    (number,) = struct.unpack(layout, _exactly(file, struct.calcsize(layout)))
    return int(number)


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        msg = "it is cut short"
        raise ValueError(msg)
    return data
