"""Reads the network of a `final.mdl` that this builder wrote: the inverse of `kaldi.write_acoustic_model`."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from voicemodel.kaldi import integer, number, token
from voicemodel.matrices import read_part

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Weights = NDArray[np.float32]
    Bias = NDArray[np.float32]

INTEGER, NUMBER = len(integer(0)), len(number(0.0))


class AnotherFile(Exception):
    """It is no network that was written here, or a broken one."""


class _Cursor:
    """Where reading has come to."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def pass_by(self, expected: bytes) -> None:
        """Nothing but this comes next."""
        if not self._data.startswith(expected, self._at):
            msg = f"{expected!r} is not at byte {self._at}"
            raise AnotherFile(msg)
        self._at += len(expected)

    def pass_over(self, wanted: bytes) -> None:
        """This comes later."""
        there = self._data.find(wanted, self._at)
        if there < 0:
            msg = f"{wanted!r} is not there after byte {self._at}"
            raise AnotherFile(msg)
        self._at = there + len(wanted)

    def word(self) -> str:
        start = self._at
        self.pass_over(b" ")
        return self._data[start : self._at - 1].decode()

    def integer(self) -> int:
        self._at += INTEGER
        return int(struct.unpack_from("<i", self._data, self._at - INTEGER + 1)[0])

    def pass_number(self) -> None:
        self._at += NUMBER

    def matrix(self) -> Weights:
        values, length = read_part(self._data[self._at :])
        self._at += length
        return values

    def vector(self) -> Bias:
        self.pass_by(token("FV"))
        length = self.integer()
        values = np.frombuffer(self._data, "<f4", length, self._at)
        self._at += values.nbytes
        return values


def affines(path: Path) -> dict[str, tuple[Weights, Bias]]:
    """The numbers of each affine layer, by its name.

    Raises:
        AnotherFile: it was not written here, or is broken.
        OSError: it cannot be read.
    """
    file = _Cursor(path.read_bytes())
    try:
        file.pass_over(token("<NumComponents>"))
        return dict(found for _ in range(file.integer()) if (found := _component(file)))
    except (ValueError, struct.error) as error:
        msg = f"it breaks off: {error}"
        raise AnotherFile(msg) from error


def _component(file: _Cursor) -> tuple[str, tuple[Weights, Bias]] | None:
    file.pass_by(token("<ComponentName>"))
    name, kind = file.word(), file.word()
    found = None
    if kind == "<AffineComponent>":
        file.pass_by(token("<LearningRate>"))
        file.pass_number()
        file.pass_by(token("<LinearParams>"))
        weights = file.matrix()
        file.pass_by(token("<BiasParams>"))
        found = name.removesuffix(".affine"), (weights, file.vector())
        file.pass_by(token("</AffineComponent>"))
    else:
        file.pass_over(token(f"</{kind[1:]}"))
    return found
