"""A second engine, asked about nothing but what the first one took for a phrase: Moonshine tiny, trained on people.

It writes down speech of any words, so that it knows what else may have been said where the voice model knows its few
phrases only; in loud noise it writes nonsense, where the voice model still hears. So it neither hears calls by itself
nor has the last word in noise (`second_hearing.py`). It comes with a package that a unit may have or not.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from agent.hw.kit import SAMPLE_RATE_HZ
from agent.parent_death import end_with_parent
from agent.voice import byte_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Sound = NDArray[np.float32]

PACKAGE: Final = "moonshine_voice"
ENCODER, DECODER, PIECES = "encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"
BEGIN, END = 1, 2
"""The numbers of the pieces that begin and end all that it writes."""
SHORTEST_S: Final = 0.6
"""Less sound than this is followed by silence: its first layers need some of it."""
THREADS: Final = 2
"""Of a Pi's four cores. On x86-64 a question about 2.2 s of sound takes 50 ms with one."""

LOADED_WITHIN_S: Final = 8.0
"""Half a second from a good card: what takes so much longer must not keep a unit from hearing. A listener that has not
heard its first block within 20 s is taken for hung (`agent.helpers.patience`), and loads the voice model as well."""


class VerifierUnusable(Exception):
    """The second engine is not installed, or broken: install it, or do without."""


class Verifier(Protocol):
    """Says how well words fit a sound."""

    def fit(self, text: str, pcm: bytes) -> float:
        """How likely it is that this is what is said first in the sound: the logarithm, at most 0."""
        ...


class Moonshine:
    """The network in a folder."""

    def __init__(self, folder: Path) -> None:
        """Load it: half a second, and 125 MB of memory.

        Raises:
            VerifierUnusable: it cannot be loaded.
        """
        try:
            import onnxruntime  # noqa: PLC0415 - an extra that a unit may not have
        except ImportError as missing:
            raise VerifierUnusable(_missing("onnxruntime")) from missing
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the cores are the recorder's too
        options.log_severity_level = 4  # what it says of itself on stderr helps nobody here
        try:
            self._pieces = byte_pairs.read((folder / PIECES).read_bytes())
            self._encoder, self._decoder = (
                onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
                for name in (ENCODER, DECODER)
            )
        except Exception as error:  # onnxruntime's own errors have no common class
            msg = f"the second engine at {folder} cannot be used ({error}); install the package moonshine-voice again"
            raise VerifierUnusable(msg) from error
        self._past = {
            each.name: each.shape[1::2]
            for each in self._decoder.get_inputs()
            if each.name.startswith("past_key_values")
        }
        """Of what was written before, the number of heads and their width: it is asked about beginnings, so nothing."""

    def fit(self, text: str, pcm: bytes) -> float:
        """The best of the ways to write the words: the network writes the beginning of a sentence, or a name, large."""
        sound = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        missing = round(SHORTEST_S * SAMPLE_RATE_HZ) - len(sound)
        heard = self._heard(np.pad(sound, (0, max(0, missing))))
        return max(self._likelihoods(heard, [byte_pairs.encoded(way, self._pieces) for way in ways_to_write(text)]))

    def _heard(self, sound: Sound) -> Sound:
        batch = sound[np.newaxis]
        (heard,) = self._encoder.run(None, {"input_values": batch, "attention_mask": np.ones_like(batch, np.int64)})
        return np.asarray(heard, np.float32)

    def _likelihoods(self, heard: Sound, texts: Sequence[Sequence[int]]) -> list[float]:
        """Of each text, the logarithm of how likely it is to be written for what was heard."""
        longest, count = max(map(len, texts)), len(texts)
        # What stands behind the end of a shorter one changes nothing before it.
        written = np.array([[BEGIN, *text[:-1], *[END] * (longest - len(text))] for text in texts], np.int64)
        again = np.repeat(heard, count, axis=0)
        logits = self._decoder.run(
            ["logits"],
            {
                "input_ids": written,
                "encoder_hidden_states": again,
                "encoder_attention_mask": np.ones(again.shape[:2], np.int64),
                "use_cache_branch": np.array([False]),
                **{name: np.zeros((count, heads, 0, width), np.float32) for name, (heads, width) in self._past.items()},
            },
        )[0]
        every = np.logaddexp.reduce(logits, axis=-1)
        return [
            float(sum(logits[row, place, piece] - every[row, place] for place, piece in enumerate(text)))
            for row, text in enumerate(texts)
        ]


def ways_to_write(text: str) -> list[str]:
    """A phrase within a sentence, as its beginning, or as a name: "snow boy", "Snow boy", "Snow Boy", "Snowboy"."""
    return list(dict.fromkeys((text, text.capitalize(), text.title(), text.replace(" ", "").capitalize())))


def installed() -> Path:
    """The folder of the network that comes with its package, which is not imported: it would load a second runtime.

    Raises:
        VerifierUnusable: it is not installed, or only in part.
    """
    runtime, package = (importlib.util.find_spec(name) for name in ("onnxruntime", PACKAGE))
    if runtime is None or package is None or package.origin is None:
        raise VerifierUnusable(_missing("onnxruntime" if runtime is None else PACKAGE))
    folder = Path(package.origin).parent / "assets/tiny-en"
    for name in (ENCODER, DECODER, PIECES):
        if not (folder / name).is_file():
            msg = f"the second engine cannot be used: {folder / name} is missing; install moonshine-voice 0.0.45"
            raise VerifierUnusable(msg)
    return folder


@cache
def load() -> Moonshine:
    """The installed one, tried in a process of its own before; a second time it is there.

    Raises:
        VerifierUnusable: it is not installed, or broken.
    """
    folder = installed()
    _prove(folder)
    return Moonshine(folder)


def _prove(folder: Path) -> None:
    """Load it elsewhere, so that one that hangs, or ends its process, leaves the unit hearing.

    Raises:
        VerifierUnusable: that happened, or it loads and cannot answer.
    """
    try:
        tried = subprocess.run(
            [sys.executable, "-m", "agent.voice.verifier", str(folder)],
            capture_output=True,
            timeout=LOADED_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        msg = f"the second engine at {folder} cannot be used: it did not load within {LOADED_WITHIN_S:g} s"
        raise VerifierUnusable(msg) from late
    if tried.returncode < 0:
        msg = f"the second engine at {folder} cannot be used: it ends the process that loads it"
        raise VerifierUnusable(msg)
    if tried.returncode:
        Moonshine(folder)  # says more, where that is what fails
        msg = f"the second engine at {folder} cannot be used: it fails when it is asked; install moonshine-voice again"
        raise VerifierUnusable(msg)


def _missing(package: str) -> str:
    return (
        f"the second engine cannot be used: the package {package.replace('_', '-')} is not installed; install "
        'safepoint-agent with its extra "verifier" (provision.sh does, with second_engine = yes in its answers), or '
        "leave voice.verifier out"
    )


if __name__ == "__main__":
    end_with_parent()  # though it hangs
    Moonshine(Path(sys.argv[1])).fit("help", bytes(2 * SAMPLE_RATE_HZ))
