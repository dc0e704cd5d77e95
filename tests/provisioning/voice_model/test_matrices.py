"""Weights kept in fewer bits are near what they were, and real Vosk reads them as we do."""

from __future__ import annotations

import json
import re
import shutil
import struct
import wave
from typing import TYPE_CHECKING

import numpy as np
import pytest
import vosk
from voicemodel.matrices import LOW, MOST_8, MOST_16, Stored, matrix, read

from agent.voice.lexicon import BUNDLED_MODEL
from fakes import SPEECH

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

HEADER = struct.calcsize("<ffii")
SENTENCES = ("help me", "call the police", "i need help", "[unk]")
SURE_WITHIN = 0.02
"""How far 16 bits may move the confidence of a word in these clips, which the bundled model hears without doubt."""
SCORE_WITHIN = 0.002
"""And the total score of a clip, as a share of it: hundreds of nats."""


def bell(rows: int, columns: int, seed: int = 1) -> NDArray[np.float64]:
    """Numbers as weights lie, each column at a scale of its own."""
    chance = np.random.default_rng(seed)
    return chance.normal(0, 1, (rows, columns)) * chance.uniform(0.05, 1, columns)


@pytest.mark.parametrize("stored", Stored)
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (4, 7), (5, 2), (96, 40)])
def test_a_matrix_comes_back_in_its_shape(stored: Stored, shape: tuple[int, int]) -> None:
    assert read(matrix(bell(*shape), stored)).shape == shape


def test_whole_numbers_come_back_as_32_bit_floats() -> None:
    numbers = bell(7, 5)
    assert (read(matrix(numbers, Stored.WHOLE)) == numbers.astype(np.float32)).all()


def test_in_16_bits_each_number_is_within_half_a_step_of_the_whole_range() -> None:
    numbers = bell(96, 40)
    half = (numbers.max() - numbers.min()) / MOST_16 / 2
    assert np.abs(read(matrix(numbers, Stored.TWO_BYTES)) - numbers).max() <= half * 1.01


def test_in_8_bits_no_number_is_off_by_more_than_half_a_step_of_the_widest_part_of_its_column() -> None:
    numbers = bell(384, 40)
    off = np.abs(read(matrix(numbers, Stored.ONE_BYTE)) - numbers)
    # The lowest and the highest part have the fewest bytes, 63; neither is longer than the column's range.
    extent = numbers.max() - numbers.min()
    assert (off.max(0) <= np.ptp(numbers, axis=0) / (LOW - 1) / 2 + extent / MOST_16).all()


def test_in_8_bits_a_column_is_as_near_as_with_kaldis_own_corners_and_as_with_even_ones() -> None:
    numbers = bell(384, 40)
    off = np.square(read(matrix(numbers, Stored.ONE_BYTE)) - numbers).mean(0) ** 0.5
    # An even step of s errs by s / sqrt(12) on average; Kaldi's quartiles by 0.0085 of a normal column's deviation.
    assert (off <= np.ptp(numbers, axis=0) / MOST_8 / 12**0.5 * 1.1).all()
    assert off.mean() <= 0.0085 * numbers.std(0).mean()


def test_a_column_of_small_numbers_beside_a_large_one_keeps_its_own_steps() -> None:
    numbers = np.stack([np.linspace(-100, 100, 50), np.linspace(0, 1, 50)], axis=1)
    off = np.abs(read(matrix(numbers, Stored.ONE_BYTE)) - numbers)
    assert off[:, 1].max() < 0.01
    assert np.abs(np.rint(numbers[:, 1] / (200 / MOST_8)) * 200 / MOST_8 - numbers[:, 1]).max() > 0.3  # as "CM3" would


@pytest.mark.parametrize("stored", Stored)
@pytest.mark.parametrize("value", [0.0, -3.5, 1e6])
def test_numbers_that_are_all_the_same_stay_so(stored: Stored, value: float) -> None:
    back = read(matrix(np.full((6, 3), value), stored))
    assert back == pytest.approx(np.full((6, 3), value), rel=1e-6, abs=1e-6)


def test_eight_bits_take_a_byte_a_number_and_eight_a_column() -> None:
    assert len(matrix(bell(96, 40), Stored.ONE_BYTE)) == len(b"CM ") + HEADER + 40 * (8 + 96)


def test_the_corners_of_a_column_rise_as_kaldis_do() -> None:
    numbers = np.zeros((9, 4))
    numbers[0, 0] = 1e-7  # and three columns that are flat
    data = matrix(numbers, Stored.ONE_BYTE)
    corners = np.frombuffer(data, "<u2", 16, len(b"CM ") + HEADER).reshape(4, 4).astype(int)
    assert (np.diff(corners) >= 1).all()


@pytest.mark.parametrize("stored", Stored)
@pytest.mark.parametrize(
    "values", [np.zeros((0, 3)), np.zeros(3), np.array([[1.0, np.nan]]), np.array([[np.inf, 0.0]])]
)
def test_what_kaldi_could_not_read_is_refused(stored: Stored, values: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="no matrix of finite numbers"):
        matrix(values, stored)


def rewritten(folder: Path, kept: Callable[[Numbers], bytes]) -> Path:
    """The bundled model with each matrix of its network kept otherwise."""
    shutil.copytree(BUNDLED_MODEL, folder)
    network = folder / "am/final.mdl"
    data, parts, at = network.read_bytes(), [], 0
    for found in re.finditer(rb"<LinearParams> (?=CM )", data):
        if found.start() < at:
            continue  # such bytes within numbers
        rows, columns = struct.unpack_from("<ii", data, found.end() + len(b"CM ") + 8)
        end = found.end() + len(b"CM ") + HEADER + columns * (8 + rows)
        parts += [data[at : found.end()], kept(read(data[found.end() : end]))]
        at = end
    assert len(parts) > 2 * 10, "the bundled model's matrices are not as this test takes them to be"
    network.write_bytes(b"".join([*parts, data[at:]]))
    return folder


def heard(folder: Path, clip: str) -> tuple[list[tuple[str, float]], float]:
    """The words that Vosk hears with their confidences, and the total score of its best path."""
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(folder))
    with wave.open(str(SPEECH / f"{clip}.wav")) as sound:
        pcm = sound.readframes(sound.getnframes())
    sure, scored = (vosk.KaldiRecognizer(model, 16000, json.dumps(SENTENCES)) for _ in range(2))
    sure.SetWords(True)  # noqa: FBT003 - vosk takes it by position only
    scored.SetMaxAlternatives(1)
    for recogniser in (sure, scored):
        recogniser.AcceptWaveform(pcm)
    words = [(word["word"], word["conf"]) for word in json.loads(sure.FinalResult())["result"]]
    return words, -json.loads(scored.FinalResult())["alternatives"][0]["confidence"]


CLIPS = ("help-me-slt", "call-the-police-rms", "i-need-help-awb", "talk-weather-slt")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model with 32 bits for each of its weights, which are those that its 8 bits stand for."""
    return rewritten(tmp_path_factory.mktemp("models") / "whole", lambda numbers: matrix(numbers, Stored.WHOLE))


def test_vosk_reads_eight_bits_just_as_we_do(whole: Path) -> None:
    for clip in CLIPS:
        (words, score), (as_read, its_score) = heard(BUNDLED_MODEL, clip), heard(whole, clip)
        assert [word for word, _ in words] == [word for word, _ in as_read]
        assert [sure for _, sure in words] == pytest.approx([sure for _, sure in as_read], abs=1e-4)
        assert score == pytest.approx(its_score, rel=1e-5)


def test_vosk_hears_the_same_with_16_bits_as_with_32(whole: Path, tmp_path: Path) -> None:
    half = rewritten(tmp_path / "half", lambda numbers: matrix(numbers, Stored.TWO_BYTES))
    sizes = [(folder / "am/final.mdl").stat().st_size for folder in (whole, half, BUNDLED_MODEL)]
    assert sizes[1] < 0.53 * sizes[0]
    assert sizes[2] < 0.28 * sizes[0]
    for clip in CLIPS:
        (words, score), (whole_words, whole_score) = heard(half, clip), heard(whole, clip)
        assert [word for word, _ in words] == [word for word, _ in whole_words]
        assert [sure for _, sure in words] == pytest.approx([sure for _, sure in whole_words], abs=SURE_WITHIN)
        assert score == pytest.approx(whole_score, rel=SCORE_WITHIN)
