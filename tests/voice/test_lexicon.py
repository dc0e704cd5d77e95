from __future__ import annotations

import shutil
import struct
from typing import TYPE_CHECKING

import pytest
import vosk

from agent.voice import manifest
from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable, nearest_words, unknown_words, vocabulary
from agent.voice.probe import prove
from agent.voice.symbols import HAS_OUTPUT_SYMBOLS, SYMBOLS_MAGIC, output_symbols
from tests.voice.polish import polish_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the bundled model that may be broken: as one from elsewhere, without a list of checksums."""
    return shutil.copytree(BUNDLED_MODEL, tmp_path / "model", ignore=shutil.ignore_patterns(manifest.NAME))


def move_words_into_graph(model: Path) -> None:
    """Store the word list inside Gr.fst, as small Vosk models do."""

    def text(value: str) -> bytes:
        return struct.pack("<i", len(value.encode())) + value.encode()

    listed = model / "graph/words.txt"
    words = [line.split() for line in listed.read_text(encoding="utf-8").splitlines()]
    table = struct.pack("<i", SYMBOLS_MAGIC) + text("words") + struct.pack("<qq", len(words), len(words))
    table += b"".join(text(word) + struct.pack("<q", int(number)) for word, number in words)
    graph = bytearray((model / "graph/Gr.fst").read_bytes())
    flags_at = 4 + len(text("vector")) + len(text("standard")) + 4
    struct.pack_into("<i", graph, flags_at, HAS_OUTPUT_SYMBOLS)
    header_bytes = flags_at + 4 + 4 * 8
    (model / "graph/Gr.fst").write_bytes(bytes(graph[:header_bytes]) + table + bytes(graph[header_bytes:]))
    listed.unlink()


def test_the_bundled_model_knows_the_words_of_a_call_for_help() -> None:
    known = vocabulary(BUNDLED_MODEL)
    assert {"help", "me", "call", "the", "police", "i", "need", "please"} <= known
    assert not {word for word in known if word.startswith(("<", "["))}


def test_a_word_list_inside_the_graph_is_the_same_to_us_and_to_vosk(model: Path) -> None:
    move_words_into_graph(model)
    assert vocabulary(model) == vocabulary(BUNDLED_MODEL)
    prove(model)
    assert vosk.Model(str(model)).vosk_model_find_word("police") > 0


def test_words_in_letters_beyond_ascii_are_the_same_in_the_graph_as_in_the_list(tmp_path: Path) -> None:
    polish = polish_model(tmp_path / "model")
    listed = vocabulary(polish)
    assert {"pomóż", "mi"} <= listed
    move_words_into_graph(polish)
    manifest.write(polish)
    assert vocabulary(polish) == listed
    assert vosk.Model(str(polish)).vosk_model_find_word("pomóż") > 0


@pytest.mark.parametrize("kept_bytes", [0, 3, 30, 200])
def test_a_graph_that_is_cut_short_is_not_read_past_its_end(model: Path, kept_bytes: int) -> None:
    move_words_into_graph(model)
    graph = model / "graph/Gr.fst"
    graph.write_bytes(graph.read_bytes()[:kept_bytes])
    with pytest.raises(ValueError, match="cut short"):
        output_symbols(graph)


def test_a_model_without_any_word_list_is_refused(model: Path) -> None:
    (model / "graph/words.txt").unlink()
    with pytest.raises(ModelUnusable, match=r"holds no words and there is no words\.txt"):
        vocabulary(model)


def test_a_model_that_cannot_tell_other_speech_is_refused(model: Path) -> None:
    (model / "graph/words.txt").write_text("<eps> 0\nhelp 1\nme 2\n", encoding="utf-8")
    with pytest.raises(ModelUnusable, match="all speech would be a phrase"):
        vocabulary(model)


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"there is no voice model at .*nowhere: that folder does not exist"):
        vocabulary(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name",
    ["am/final.mdl", "conf/model.conf", "conf/mfcc.conf", "graph/HCLr.fst", "graph/Gr.fst", "graph/disambig_tid.int"],
)
def test_a_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(ModelUnusable, match=f"{name}.* is missing or empty"):
        vocabulary(model)


@pytest.mark.parametrize(
    "name", ["am/final.mdl", "conf/model.conf", "graph/HCLr.fst", "graph/Gr.fst", "graph/disambig_tid.int"]
)
def test_a_file_that_is_cut_short_is_one_sentence_and_not_the_end_of_the_process(model: Path, name: str) -> None:
    broken = model / name
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    with pytest.raises(ModelUnusable, match="is damaged; install it again") as refusal:
        prove(model)
    assert "\n" not in str(refusal.value)


def test_weights_that_are_no_numbers_are_one_sentence(model: Path) -> None:
    broken = model / "am/final.mdl"
    mdl = broken.read_bytes()
    biases_at = mdl.index(b"<BiasParams> FV ") + len(b"<BiasParams> FV ") + 5
    broken.write_bytes(mdl[:biases_at] + struct.pack("<f", float("nan")) * 100 + mdl[biases_at + 400 :])
    with pytest.raises(ModelUnusable, match="is damaged; install it again"):
        prove(model)


def test_the_bundled_model_is_sound() -> None:
    prove(BUNDLED_MODEL)


def test_unknown_words_are_found_and_near_ones_offered() -> None:
    known = vocabulary(BUNDLED_MODEL)
    assert unknown_words("halp me", known) == ["halp"]
    assert "help" in nearest_words("halp", known)
