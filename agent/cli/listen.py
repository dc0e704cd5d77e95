"""`safepoint listen FILE.wav...`: what the voice pipeline of a unit would have heard in these recordings."""

from __future__ import annotations

import json
import shlex
import sys
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.config.base import composed
from agent.hw.kit import BLOCK_SAMPLES, SAMPLE_RATE_HZ, PcmBlock

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from agent.cli.main import Subparsers
    from agent.config.hearing import VoiceSettings
    from agent.voice.decision import Detection, Phrase

BYTES_PER_SAMPLE = 2
BYTES_PER_S = BYTES_PER_SAMPLE * SAMPLE_RATE_HZ
SILENT_BLOCKS_AFTER = 5
"""A recording may end with the last sound of a word. A microphone hears on, and so does the recogniser, which needs a
quarter of a second after a word to be sure of it: the committed "help me" by espeak-ng is missed without."""
DEFAULT_PROFILE = "safe-point"
"""Whose phrases are listened for when nobody names any."""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "listen",
        help="run the voice pipeline on recordings",
        description="Run a unit's voice pipeline on 16 kHz mono 16-bit WAV files, each from a fresh start, as fast as "
        "it can. Each phrase heard is one JSON object a line; times are seconds from the start of its file.",
    )
    parser.add_argument("--config", metavar="FILE", type=Path, help="take languages, phrases and decoys from this unit")
    parser.add_argument(
        "--model", metavar="DIR", type=Path, help="use this Vosk model's folder and no further language"
    )
    parser.add_argument(
        "--phrase",
        metavar="TEXT",
        action="append",
        help="listen for this phrase, in the main language, instead of the configured ones; can be repeated",
    )
    parser.add_argument("files", metavar="FILE.wav", nargs="+", type=Path)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Listen to the files.

    Raises:
        UsageError: a file, a phrase or the model cannot be used.
        ConfigInvalid: the configuration cannot be used.
    """
    # Vosk and numpy are loaded for this command alone.
    from agent.voice.language import Language, WordUnknown, phrases_of  # noqa: PLC0415
    from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable  # noqa: PLC0415
    from agent.voice.pipeline import pipelines  # noqa: PLC0415
    from agent.voice.probe import prove  # noqa: PLC0415
    from agent.voice.verifier import VerifierUnusable  # noqa: PLC0415
    from agent.voice.verifier import load as load_verifier  # noqa: PLC0415

    for file in args.files:
        _open(file).close()  # a wrong name at the end of the list must not cost the work on all before it
    voice = _voice_settings(args.config)
    said = {_phrase(text): text for text in args.phrase or ()} or {phrase: phrase.text for phrase in phrases_of(voice)}
    if not said:
        msg = f"{args.config} has no phrases to listen for: add voice.phrases to it, or give --phrase TEXT"
        raise UsageError(msg)
    model = args.model or voice.model or BUNDLED_MODEL
    languages = () if args.model or args.phrase else voice.languages
    try:
        for each in (model, *(language.model for language in languages)):
            prove(each)
        verifier = load_verifier() if voice.verifier and not args.model else None
        fresh_pipeline = pipelines(model, list(said), voice.decoys, voice.refractory_s, verifier)
        further = [Language(language.model, phrases_of(language), language.decoys) for language in languages]
    except WordUnknown as error:
        raise UsageError(error.detail) from error
    except (ModelUnusable, VerifierUnusable) as error:
        raise UsageError(str(error)) from error
    for file in args.files:
        pipeline = fresh_pipeline()
        for language in further:
            pipeline.add(language)
        ended_s = 0.0
        for block in _blocks(file):
            ended_s = block.ended_s
            _print(file, said, pipeline.hear(block))
        _print(file, said, pipeline.end(ended_s))
    return 0


def _print(file: Path, said: Mapping[Phrase, str], detections: Sequence[Detection]) -> None:
    for heard in detections:
        found = {
            "file": str(file),
            "phrase": said.get(heard.phrase, heard.phrase.text),
            "start_s": round(heard.start_s, 3),
            "end_s": round(heard.end_s, 3),
            "decided_s": round(heard.decided_s, 3),
            "confidence": round(heard.confidence, 4),
        }
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def _voice_settings(config: Path | None) -> VoiceSettings:
    """The voice section of this unit, or of the default profile.

    Raises:
        ConfigInvalid: the file cannot be used.
    """
    from agent.config.hearing import VoiceSettings  # noqa: PLC0415
    from agent.config.load import PROFILES, load_config  # noqa: PLC0415
    from agent.config.yaml_reader import read_yaml  # noqa: PLC0415

    if config:
        return load_config(config).config.voice
    profile, _ = read_yaml(PROFILES / f"{DEFAULT_PROFILE}.yaml", DEFAULT_PROFILE)
    voice = profile.at("voice")
    return VoiceSettings.model_validate_json(json.dumps(voice.plain() if voice else {}))


def _phrase(text: str) -> Phrase:
    """The phrase that somebody means by this text.

    Raises:
        UsageError: there is no word in it.
    """
    from agent.config.hearing import PhraseSettings  # noqa: PLC0415
    from agent.voice.decision import Phrase  # noqa: PLC0415

    words = tuple(stripped for word in composed(text.lower()).split() if (stripped := word.strip('.,;:!?"')))
    if not words:
        msg = f"--phrase {text!r} has no word in it: give what people say, such as --phrase 'help me'"
        raise UsageError(msg)
    usual = PhraseSettings(say="any phrase", label="phrase")
    # A label of its own, as on a unit: two phrases with one label are one call.
    return Phrase(words, "-".join(words), usual.min_confidence, unsure_confidence=usual.unsure_confidence)


def _open(file: Path) -> wave.Wave_read:
    """Open a recording.

    Raises:
        UsageError: it is missing or of another format.
    """
    try:
        recording = wave.open(str(file), "rb")  # noqa: SIM115 - the caller closes it
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise UsageError(msg) from error
    except (wave.Error, EOFError, RuntimeError) as error:  # the last: a chunk is longer than the file
        raise _unfit(file, "it is not a PCM WAV file") from error
    if recording.getframerate() != SAMPLE_RATE_HZ:
        found = f"it has {recording.getframerate()} samples a second"
    elif recording.getnchannels() != 1:
        found = f"it has {recording.getnchannels()} channels"
    elif recording.getsampwidth() != BYTES_PER_SAMPLE:
        found = f"it has {8 * recording.getsampwidth()} bits a sample"
    elif not recording.getnframes():
        found = "it holds no sound"
    else:
        return recording
    recording.close()
    raise _unfit(file, found)


def _unfit(file: Path, found: str) -> UsageError:
    fitting = file.with_name(f"{file.stem}-16k.wav")
    command = f"sox {shlex.quote(str(file))} -r 16000 -c 1 -b 16 {shlex.quote(str(fitting))}"
    return UsageError(f"{file} must be a 16 kHz mono 16-bit WAV, but {found}; make one with: {command}")


def _blocks(file: Path) -> Iterator[PcmBlock]:
    heard_bytes = 0
    with _open(file) as recording:
        while pcm := recording.readframes(BLOCK_SAMPLES):
            whole = pcm[: len(pcm) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE]  # a file cut short may end in half a sample
            heard_bytes += len(whole)
            yield PcmBlock(whole, heard_bytes / BYTES_PER_S)
    for _ in range(SILENT_BLOCKS_AFTER):
        silence = bytes(BLOCK_SAMPLES * BYTES_PER_SAMPLE)
        heard_bytes += len(silence)
        yield PcmBlock(silence, heard_bytes / BYTES_PER_S)
