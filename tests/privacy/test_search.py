"""The search of the privacy test finds what it looks for, however it is hidden, and nothing else."""

from __future__ import annotations

import base64
import gzip
import io
import json
import sqlite3
import zipfile
import zlib
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING, cast

import av
import numpy as np
import pytest

from fakes import SPEECH
from fakes.sound import StreetSound
from tests.privacy.layers import Artefact, sound_tracks, table_columns, with_layers
from tests.privacy.sound_search import FOUND_SCORE, RESEMBLES_SCORE, SoundSearch, halved
from tests.privacy.spoken import PHRASE, SENTENCES, UNKNOWN_SPEECH, recording
from tests.privacy.word_search import WordSearch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

RNG = np.random.default_rng(1)
OTHER = "talk-train-rms"
"""Somebody else's talk, by the voice that says the phrase."""
NO_SOUND = (
    Artefact("random bytes", RNG.bytes(300_000)),
    Artefact("text", json.dumps([{"event": "working", "done": at, "lost": 0} for at in range(2_000)]).encode()),
    Artefact("a square wave", bytes([0, 0, 0, 200] * 10_000)),
    Artefact("a ramp", np.arange(40_000, dtype="<u2").tobytes()),
    Artefact("hardly anything", bytes(20_000) + b"\x01\x02\x03" * 40 + bytes(20_000)),
)
WORDS = WordSearch(SENTENCES.values(), [UNKNOWN_SPEECH])


def junk(size: int) -> bytes:
    return RNG.bytes(size)


def s16(samples: NDArray[np.floating] | NDArray[np.integer]) -> bytes:
    return np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes()


def doubled(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(samples)
    wide: NDArray[np.float64] = 2 * np.fft.irfft(np.pad(spectrum, (0, samples.size // 2)), 2 * samples.size)
    return wide


def under(samples: NDArray[np.int16], other: NDArray[np.int16], db: float) -> NDArray[np.float64]:
    """The samples within other sound, so far below it."""
    louder = np.std(samples) / np.std(other) * 10 ** (db / 20)
    mixed: NDArray[np.float64] = np.resize(other, 2 * samples.size) * louder
    mixed[4_000 : 4_000 + samples.size] += samples
    mixed *= 0.3
    return mixed


def encoded(samples: NDArray[np.int16], codec: str, container: str) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = cast("av.AudioStream", file.add_stream(codec, rate=16_000, layout="mono"))
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        file.mux([*stream.encode(frame), *stream.encode(None)])
    return out.getvalue()


def in_rows(blocks: list[bytes]) -> bytes:
    """A database with a row for each block."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE outbox (at REAL, body BLOB)")
        database.executemany(
            "INSERT INTO outbox VALUES (?, ?)", [(float(at), block) for at, block in enumerate(blocks)]
        )
        database.commit()
        return database.serialize()


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("notes.txt", data)
    return out.getvalue()


def hidden_sounds() -> Iterator[Artefact]:
    """The phrase, hidden in every way that a unit could write it."""
    said = recording(PHRASE)
    plain = s16(said)
    stereo = np.stack((recording(OTHER)[: said.size], said), axis=1)
    blocks = [plain[at : at + 3_200] for at in range(0, len(plain), 3_200)]
    street = StreetSound(seed=3)
    street.play(SPEECH / f"{PHRASE}.wav", 20)
    ways = {
        "plain": plain,
        "in a bigger file, at an odd place": junk(100_001) + plain + junk(50_000),
        "softly": s16(0.03 * said),
        "clipped": s16(20.0 * said),
        "upside down": s16(-1.0 * said),
        "a third of a second of it": junk(20_000) + s16(said[5_000:10_400]) + junk(20_000),
        "late, after silence": bytes(30_000) + plain,
        "as the microphone hears it": b"".join(street.next_block() for _ in range(25)),
        "10 dB under another voice": s16(under(said, recording(OTHER), 10)),
        "at 32 kHz": s16(doubled(said)),
        "at 8 kHz": s16(halved(said)),
        "in one of two channels": s16(stereo),
        "big-endian": said.astype(">i2").tobytes(),
        "24 bits": b"".join(b"\x00" + said[at : at + 1].tobytes() for at in range(said.size)),
        "32 bits": (said.astype("<i4") << 16).tobytes(),
        "floats": (said / 32768).astype("<f4").tobytes(),
        "8 bits": (said // 256 + 128).astype(np.uint8).tobytes(),
        "mu-law": encoded(said, "pcm_mulaw", "mulaw"),
        "a-law": encoded(said, "pcm_alaw", "alaw"),
        "FLAC": encoded(said, "flac", "flac"),
        "gzip": junk(501) + gzip.compress(plain) + junk(500),
        "zlib": junk(501) + zlib.compress(plain, 9),
        "ZIP": zipped(plain),
        "base64": b'{"data": "' + base64.b64encode(plain) + b'"}',
        "base64 in lines": base64.encodebytes(plain),
        "base64 of gzip": b"log pcm=" + base64.urlsafe_b64encode(gzip.compress(plain)),
        "hex": b"pcm " + plain.hex().encode(),
        "block by block, each packed and a line of base64": b"".join(
            base64.b64encode(gzip.compress(block)) + b"\n" for block in blocks
        ),
        "block by block, each in a message": b"".join(
            json.dumps({"seq": at, "pcm": base64.b64encode(block).decode()}).encode() for at, block in enumerate(blocks)
        ),
        "block by block, in a database": in_rows(blocks),
        "numbers": json.dumps({"samples": said.tolist()}).encode(),
        "lines of numbers": "\n".join(f"{sample / 32768:.5f}" for sample in said).encode(),
    }
    yield from (Artefact(way, data) for way, data in ways.items())


@cache
def found_in() -> dict[str, float]:
    """The best score of the phrase in each hiding place."""
    tops = [top for each in hidden_sounds() for top in (each, *sound_tracks(each), *table_columns(each))]
    layers = [layer for top in tops for layer in with_layers(top)]
    best: dict[str, float] = {}
    for found in SoundSearch({PHRASE: recording(PHRASE)}).find(layers):
        place = found.where.partition(" > ")[0]
        best[place] = max(best.get(place, 0.0), found.score)
    return best


def test_the_sound_is_found_however_it_is_hidden() -> None:
    assert {each.where for each in hidden_sounds()} == set(found_in())


def test_what_is_found_stands_clear_of_what_is_not() -> None:
    assert min(found_in().values()) > 1.5 * FOUND_SCORE, found_in()


def test_a_tenth_of_a_second_is_noticed_and_bytes_that_are_no_sound_are_not() -> None:
    search = SoundSearch({name: recording(name) for name in SENTENCES})
    tenth = junk(50_001) + s16(recording(PHRASE)[9_000:10_600]) + junk(50_000)
    found = search.find([Artefact("tenth", tenth), *NO_SOUND], RESEMBLES_SCORE)
    assert {each.where for each in found} == {"tenth"}


def test_other_sound_is_not_taken_for_it() -> None:
    street = StreetSound(seed=4)
    strangers = [path.stem for path in sorted(SPEECH.glob("*.wav")) if path.stem not in SENTENCES]
    assert len(strangers) > 8
    others = {name: s16(recording(name)) for name in strangers}
    others["the street"] = b"".join(street.next_block() for _ in range(100))
    search = SoundSearch({name: recording(name) for name in SENTENCES})
    assert search.find([Artefact(name, data) for name, data in others.items()]) == []


SAID = SENTENCES[PHRASE]


@pytest.mark.parametrize(
    "hidden",
    [
        SAID.encode(),
        SAID.upper().encode(),
        SAID.title().replace(" ", "-").encode(),
        json.dumps(SAID.split(), indent=2).encode(),
        SAID.encode("utf-16-le"),
        SAID.encode("utf-16-be"),
        SAID.encode("utf-32"),
        b"text=" + base64.b64encode(f"heard {SAID} now".encode()),
        b"x" + base64.b64encode(f"he said {SAID}".encode("utf-16")) + b"y",
        gzip.compress(json.dumps({"heard": SAID}).encode(), mtime=0),
        base64.b64encode(zlib.compress(f"some text before: {SAID}".encode())),
        SAID.encode().hex().encode() + b"00",
        json.dumps([{"word": word, "conf": 1.0} for word in SAID.split()]).encode(),
        b"a partial result: [unk] [unk]",
        junk(1000) + b"POLICE" + junk(1000),
    ],
    ids=lambda hidden: repr(hidden[:24]),
)
def test_the_words_are_found_however_they_are_written(hidden: bytes) -> None:
    assert list(WORDS.find(with_layers(Artefact("here", hidden))))


@pytest.mark.parametrize(
    "harmless",
    [
        b"recall the policy of the unit",
        b'{"type": "help", "phrase": "phrase-1", "confidence": 0.97, "headline": "Help is called by voice"}',
        junk(300_000),
        base64.b64encode(junk(100_000)),
    ],
    ids=lambda harmless: repr(harmless[:24]),
)
def test_other_text_is_not_taken_for_them(harmless: bytes) -> None:
    assert list(WORDS.find(with_layers(Artefact("here", harmless)))) == []
