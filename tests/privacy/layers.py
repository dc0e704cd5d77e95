"""Undoes what bytes may be wrapped in, so that a search sees what lies below: compression, base64, hex, numbers."""

from __future__ import annotations

import base64
import binascii
import io
import re
import sqlite3
import struct
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH = 4
"""Layers upon layers: base64 of gzip of JSON with base64 in it is three."""
MOST_BYTES = 64 * 2**20
"""Of one unpacked layer: a small bomb must not end the search."""
LEAST_BYTES = 16
"""What is shorter holds no word that is looked for, let alone a sound."""
PACKED = re.compile(rb"\x1f\x8b\x08|[\x48\x58\x68\x78][\x01\x5e\x9c\xda]")
"""How gzip and zlib begin, the latter with any usual window and level."""
ZIP_MEMBER = re.compile(rb"PK\x03\x04")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-](?:[A-Za-z0-9+/_-]|\\?[\r\n]){15,}")
HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){16,}")
NUMBERS = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?(?:[,;\s]+-?\d+(?:\.\d+)?(?:[eE]-?\d+)?){255,}")
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?")


class Artefact(NamedTuple):
    """Bytes that the unit left or sent."""

    where: str
    data: bytes


def with_layers(artefact: Artefact, depth: int = DEPTH) -> Iterator[Artefact]:
    """The artefact itself and everything that is wrapped in it.

    What is wrapped alike is joined in its order: sound that was written block by block is whole again.
    """
    yield artefact
    if not depth:
        return
    joined: dict[str, bytearray] = {}
    for how, inner in _unwrapped(artefact.data):
        joined.setdefault(how, bytearray()).extend(inner)
    for how, whole in joined.items():
        if len(whole) >= LEAST_BYTES:
            yield from with_layers(Artefact(f"{artefact.where} > {how}", bytes(whole)), depth - 1)


def sound_tracks(artefact: Artefact) -> Iterator[Artefact]:
    """The decoded sound of every audio stream, where the artefact is a container of any kind that FFmpeg knows."""
    mono = av.AudioResampler("s16", "mono", 16_000)
    try:
        with av.open(io.BytesIO(artefact.data), "r") as container:
            for stream in container.streams.audio:
                container.seek(0)
                frames = [out for frame in container.decode(stream) for out in mono.resample(frame)]
                pcm = b"".join(frame.to_ndarray().tobytes() for frame in frames)
                yield Artefact(f"{artefact.where} > audio stream {stream.index}", pcm)
    except (av.FFmpegError, ValueError, EOFError):
        return  # no container, or one that breaks off: its raw bytes are searched anyway


def table_columns(artefact: Artefact) -> Iterator[Artefact]:
    """Each column of each table, row after row, where the artefact is an SQLite database.

    What was deleted, and what the log of a database holds, is in the raw bytes only.
    """
    if not artefact.data.startswith(b"SQLite format 3\0"):
        return
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(artefact.data[:18] + b"\1\1" + artefact.data[20:])  # as if it had no log beside it
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - a name from the database itself
            columns = [name for name, *_ in rows.description]
            for name, values in zip(columns, zip(*rows, strict=True), strict=False):
                cells = (value if isinstance(value, bytes) else f"{value}\n".encode() for value in values)
                yield Artefact(f"{artefact.where} > {table}.{name}", b"".join(cells))


def _unwrapped(data: bytes) -> Iterator[tuple[str, bytes]]:
    for found in PACKED.finditer(data):
        yield "inflated", _inflated(data, found.start(), wbits=47)
    for found in ZIP_MEMBER.finditer(data):
        at = found.start()
        name_bytes, extra_bytes = struct.unpack_from("<HH", data.ljust(at + 30), at + 26)
        yield "zip member", _inflated(data, at + 30 + name_bytes + extra_bytes, wbits=-15)
    for found in BASE64.finditer(data):
        text = re.sub(rb"\\?[\r\n]", b"", found[0]).replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):  # letters before it may seem to belong to it
            whole = text[start : start + (len(text) - start) // 4 * 4]
            rest = text[start + len(whole) :]
            yield f"base64 from {start}", base64.b64decode(whole) + _last_bytes(rest)
    for found in HEX.finditer(data):
        yield "hex", binascii.unhexlify(found[0])
    for found in NUMBERS.finditer(data):
        numbers = np.array([float(each) for each in NUMBER.findall(found[0])], dtype="<f4")
        yield "numbers", numbers.tobytes()


def _last_bytes(letters: bytes) -> bytes:
    """The one or two bytes in the letters before base64's padding."""
    return base64.b64decode(letters.ljust(4, b"=")) if len(letters) > 1 else b""


def _inflated(data: bytes, at: int, wbits: int) -> bytes:
    """As much as can be unpacked from here; mostly nothing, because mostly nothing was packed here."""
    unpacker = zlib.decompressobj(wbits)
    out = bytearray()
    step = 4096
    try:
        while at < len(data) and not unpacker.eof and len(out) < MOST_BYTES:
            out += unpacker.decompress(data[at : at + step], MOST_BYTES)
            at += step
    except zlib.error:
        pass
    return bytes(out)
