"""The files that the builder writes are those that real Vosk reads."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import numpy as np
import vosk
from voicemodel import assemble, lexicon, texts
from voicemodel.features import MELS
from voicemodel.layers import Affine, computed

from agent.voice import manifest
from agent.voice.lexicon import BUNDLED_MODEL
from agent.voice.probe import prove

if TYPE_CHECKING:
    from pathlib import Path

OUTPUTS = 80


def untrained(chance: np.random.Generator) -> list[Affine]:
    """A network of every kind of layer that there is, with weights that mean nothing."""
    return [
        Affine("first", chance.normal(0, 0.02, (32, 5 * MELS)), np.zeros(32), (-2, -1, 0, 1, 2), "input", relu=True),
        Affine("second.into", chance.normal(0, 0.1, (16, 3 * 32)), np.zeros(16), (-3, 0, 3), "first"),
        Affine("second", chance.normal(0, 0.1, (32, 16)), np.zeros(32), (0,), "second.into", relu=True, skip="first"),
        Affine("output", chance.normal(0, 0.1, (OUTPUTS, 32)), np.zeros(OUTPUTS), (0,), "second"),
    ]


def built(folder: Path) -> Path:
    even = np.full(39, 1 / 39)
    filler = assemble.Filler(even, np.tile(even, (39, 1)), 1.0)
    layers = untrained(np.random.default_rng(1))
    assemble.assemble(folder, layers, lexicon.read(), filler, texts.phrases("trained"))
    manifest.write(folder)
    return folder


def test_vosk_loads_what_the_builder_wrote_and_takes_a_grammar(tmp_path: Path) -> None:
    folder = built(tmp_path / "model")
    vosk.SetLogLevel(-1)
    recogniser = vosk.KaldiRecognizer(vosk.Model(str(folder)), 16000, json.dumps(["help me", "[unk]"]))
    recogniser.AcceptWaveform(np.random.default_rng(2).integers(-3000, 3000, 16000).astype("<i2").tobytes())
    heard = json.loads(recogniser.FinalResult())["text"].split()
    assert set(heard) <= {"help", "me", "[unk]"}


def test_the_units_own_probe_finds_no_fault_with_its_files(tmp_path: Path) -> None:
    folder = built(tmp_path / "model")
    complaints = ""
    try:
        prove(folder)
    except Exception as unusable:  # noqa: BLE001 - what it says is looked at
        complaints = str(unusable)
    # An untrained network hears nothing; that is the one thing that may be wrong with it.
    assert "damaged" not in complaints


def test_the_transition_model_is_that_of_the_model_in_the_package() -> None:
    ours = b"\0B" + assemble.transition_model().encoded()
    assert (BUNDLED_MODEL / "am/final.mdl").read_bytes().startswith(ours)


def test_a_layer_sees_the_frames_at_its_offsets() -> None:
    frames = np.arange(20, dtype=np.float32)[:, None] * np.ones((1, 2), np.float32)
    layer = Affine("output", np.array([[1.0, 0, 0, -1.0]]), np.zeros(1), (-3, 3), "input")
    assert np.isnan(computed([layer], frames)[:3]).all()
    assert (computed([layer], frames)[3:17] == -6).all()


def read(path: Path) -> tuple[dict[int, list[tuple[int, int, int]]], set[int]]:
    """The arcs of an OpenFst file (reads, writes, to) by state, and the states where it may end."""
    data = path.read_bytes()
    at = 4
    for _ in range(2):
        at += 4 + struct.unpack_from("<i", data, at)[0]
    states = struct.unpack_from("<iiQqqq", data, at)[4]
    at += struct.calcsize("<iiQqqq")
    arcs: dict[int, list[tuple[int, int, int]]] = {}
    final = set()
    for state in range(states):
        ends, count = struct.unpack_from("<fq", data, at)
        at += struct.calcsize("<fq")
        if ends != float("inf"):
            final.add(state)
        found = [struct.unpack_from("<iifi", data, at + 16 * number) for number in range(count)]
        arcs[state] = [(reads, writes, to) for reads, writes, _, to in found]
        at += 16 * count
    assert at == len(data)
    return arcs, final


def accepts(arcs: dict[int, list[tuple[int, int, int]]], final: set[int], reads: list[int], writes: int) -> bool:
    """Whether some path reads just these inputs and writes this one output."""
    reached = {(0, 0, False)}
    todo = list(reached)
    while todo:
        state, place, wrote = todo.pop()
        for arc_reads, arc_writes, to in arcs[state]:
            if arc_reads and (place == len(reads) or arc_reads != reads[place]):
                continue
            if arc_writes and (wrote or arc_writes != writes):
                continue
            there = (to, place + bool(arc_reads), wrote or bool(arc_writes))
            if there not in reached:
                reached.add(there)
                todo.append(there)
    return any(place == len(reads) and wrote and state in final for state, place, wrote in reached)


def test_every_pronunciation_is_a_path_through_the_graph_that_is_stored(tmp_path: Path) -> None:
    words = {"help": (("hh", "eh", "l", "p"), ("hh", "eh", "ax", "p")), "me": (("m", "iy"),)}
    even = np.full(39, 1 / 39)
    transitions = assemble.transition_model()
    filler = assemble.Filler(even, np.tile(even, (39, 1)), 1.0)
    assemble.decoding_graph(transitions, sorted(words), words, filler).write(tmp_path / "HCLr.fst")
    arcs, final = read(tmp_path / "HCLr.fst")
    for number, word in enumerate(sorted(words), 2):
        for sounds in words[word]:
            assert accepts(arcs, final, [transitions.enter(phone) for phone in assemble.positions(sounds)], number)
        assert not accepts(arcs, final, [transitions.enter(assemble.phone_id("z", "singleton"))], number)
