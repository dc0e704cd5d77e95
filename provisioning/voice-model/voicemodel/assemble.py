"""Puts a voice model together: network, words and the graph between them, as the files that Vosk loads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemodel.features import MELS, MFCC_CONF
from voicemodel.kaldi import Transition, TransitionModel, write_acoustic_model
from voicemodel.matrices import Stored
from voicemodel.openfst import Arc, Graph
from voicemodel.phones import PHONES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from voicemodel.layers import Affine
    from voicemodel.lexicon import Lexicon
    from voicemodel.phones import Phones

POSITIONS = ("begin", "end", "internal", "singleton")
"""Where in a word a sound stands: Vosk finds the words' ends by it. All four share their outputs."""
SILENCE = 1
UNKNOWN = 1
PAUSE = 0.3
"""How likely a pause is after a word."""

MODEL_CONF = """\
--min-active=200
--max-active=3000
--beam=12.0
--lattice-beam=4.0
--acoustic-scale=1.0
--frame-subsampling-factor=3
# Words at once: the usual first pass over phones takes 12 s of computing for one noisy block, since the filler word
# [unk] spells noise in endless ways. The memory cap (bytes) bounds what is left.
--phone-determinize=false
--max-mem=2000000
# 90 ms steps of the network instead of 210 ms: decisions come 0.1 s earlier.
--frames-per-chunk=9
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""


@dataclass(frozen=True)
class Filler:
    """The model of all speech that is none of the grammar's phrases: sounds that follow each other as in talk."""

    first: NDArray[np.float64]
    """How likely a word begins with each sound."""
    follows: NDArray[np.float64]
    """How likely each sound follows another within a word, from x to."""
    scale: float
    """On the costs of both. The operating point of the whole model: more hears more, and more that was not said."""
    word_cost: float = 0.0
    """For each word of it."""


def phone_id(phone: str, position: str) -> int:
    """The number of a sound at a position in a word; 0 is nothing and 1 silence."""
    return 2 + 4 * PHONES.index(phone) + POSITIONS.index(position)


def transition_model() -> TransitionModel:
    """All sounds at all positions."""
    silence = Transition(SILENCE, 0, 1)
    return TransitionModel(
        [
            silence,
            *(
                Transition(phone_id(phone, position), 2 + 2 * number, 3 + 2 * number)
                for number, phone in enumerate(PHONES)
                for position in POSITIONS
            ),
        ]
    )


def positions(sounds: Phones) -> list[int]:
    """The numbers of a word's sounds."""
    if len(sounds) == 1:
        return [phone_id(sounds[0], "singleton")]
    where = ["begin", *["internal"] * (len(sounds) - 2), "end"]
    return [phone_id(sound, position) for sound, position in zip(sounds, where, strict=True)]


def cost(probability: float) -> float:
    """Of something so likely."""
    return -math.log(probability)


def decoding_graph(transitions: TransitionModel, words: Sequence[str], lexicon: Lexicon, filler: Filler) -> Graph:
    """From transition ids to words, in a loop with pauses: Kaldi's HCL with reordered self-loops."""
    graph = Graph()
    start, loop, pause = graph.state(), graph.state(), graph.state()
    graph.final[loop] = 0.0
    graph.arc(start, Arc(0, 0, cost(0.5), loop))
    graph.arc(start, Arc(transitions.enter(SILENCE), 0, cost(0.5), pause))
    graph.arc(pause, Arc(transitions.stay(SILENCE), 0, 0.0, pause))
    graph.arc(pause, Arc(0, 0, 0.0, loop))

    def end_word(state: int) -> None:
        graph.arc(state, Arc(0, 0, cost(1 - PAUSE), loop))
        graph.arc(state, Arc(transitions.enter(SILENCE), 0, cost(PAUSE), pause))

    for number, word in enumerate(words, UNKNOWN + 1):
        said = lexicon[word]
        for sounds in said:
            state = loop
            for place, phone in enumerate(positions(sounds)):
                to = graph.state()
                first = place == 0
                graph.arc(
                    state,
                    Arc(transitions.enter(phone), number if first else 0, cost(1 / len(said)) if first else 0.0, to),
                )
                graph.arc(to, Arc(transitions.stay(phone), 0, 0.0, to))
                state = to
            end_word(state)
    _add_filler(graph, loop, transitions, filler, end_word)
    return graph


def _add_filler(
    graph: Graph, loop: int, transitions: TransitionModel, filler: Filler, end_word: Callable[[int], None]
) -> None:
    states = {}
    for phone in PHONES:
        for position in POSITIONS:
            state = graph.state()
            states[phone, position] = state
            graph.arc(state, Arc(transitions.stay(phone_id(phone, position)), 0, 0.0, state))
    for number, phone in enumerate(PHONES):
        begins = filler.word_cost + filler.scale * cost(float(filler.first[number]))
        for position in ("begin", "singleton"):
            graph.arc(loop, Arc(transitions.enter(phone_id(phone, position)), UNKNOWN, begins, states[phone, position]))
        for position in ("end", "singleton"):
            end_word(states[phone, position])
        for other_number, other in enumerate(PHONES):
            follows = filler.scale * cost(float(filler.follows[number, other_number]))
            for position in ("begin", "internal"):
                for next_position in ("internal", "end"):
                    graph.arc(
                        states[phone, position],
                        Arc(
                            transitions.enter(phone_id(other, next_position)), 0, follows, states[other, next_position]
                        ),
                    )


def default_grammar(words: Sequence[str], phrases: Sequence[str]) -> Graph:
    """What is listened for when nobody gives a grammar: these phrases, or anything else."""
    graph = Graph()
    start = graph.state()
    graph.final[start] = 0.0
    graph.arc(start, Arc(UNKNOWN, UNKNOWN, 1.0, start))
    number = {word: place for place, word in enumerate(words, UNKNOWN + 1)}
    for phrase in phrases:
        said = phrase.split()
        state = start
        for place, word in enumerate(said):
            to = start if place == len(said) - 1 else graph.state()
            graph.arc(state, Arc(number[word], number[word], 0.0 if place else 4.0, to))
            state = to
    return graph


def assemble(  # noqa: PLR0913 - all that a model consists of
    folder: Path,
    layers: Sequence[Affine],
    lexicon: Lexicon,
    filler: Filler,
    phrases: Sequence[str],
    *,
    stored: Stored = Stored.TWO_BYTES,
) -> None:
    """Write the model's files into a folder."""
    for part in ("am", "conf", "graph/phones"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    transitions = transition_model()
    words = sorted(lexicon)
    write_acoustic_model(folder / "am/final.mdl", transitions, layers, MELS, stored)
    (folder / "conf/mfcc.conf").write_text(MFCC_CONF)
    (folder / "conf/model.conf").write_text(MODEL_CONF)
    listed = ["<eps> 0", f"[unk] {UNKNOWN}", *(f"{word} {number}" for number, word in enumerate(words, UNKNOWN + 1))]
    (folder / "graph/words.txt").write_text("".join(f"{line}\n" for line in listed))
    ids = [(phone, position, phone_id(phone, position)) for phone in PHONES for position in POSITIONS]
    boundary = [f"{SILENCE} nonword", *(f"{number} {position}" for _, position, number in ids)]
    (folder / "graph/phones/word_boundary.int").write_text("".join(f"{line}\n" for line in boundary))
    named = ["<eps> 0", f"SIL {SILENCE}", *(f"{phone}_{position} {number}" for phone, position, number in ids)]
    (folder / "graph/phones.txt").write_text("".join(f"{line}\n" for line in named))
    # The graph has no disambiguation symbols; the file must be there and hold an integer.
    (folder / "graph/disambig_tid.int").write_text(f"{transitions.count + 1}\n")
    decoding_graph(transitions, words, lexicon, filler).write(folder / "graph/HCLr.fst")
    default_grammar(words, phrases).write(folder / "graph/Gr.fst")
