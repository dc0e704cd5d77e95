"""`safepoint check FILE`: is this configuration fit for use on this machine?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.load import load_config
from agent.config.problems import ConfigInvalid, Problem

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from agent.cli.main import Subparsers
    from agent.config.hearing import VoiceSettings


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "check",
        help="check a unit's configuration and name every problem",
        description="Check a unit's configuration. Every problem is a line on stderr, and the exit code is then 2.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the unit's configuration (YAML)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Check the file.

    Raises:
        ConfigInvalid: it cannot be used.
    """
    config = load_config(args.file).config
    if config.voice.enabled and (broken := list(_broken_models(args.file, config.voice))):
        raise ConfigInvalid(broken)
    sys.stdout.write(f"{args.file}: the configuration of {config.unit.id} (profile {config.profile}) is valid\n")
    return 0


def _broken_models(file: Path, voice: VoiceSettings) -> Iterator[Problem]:
    """The models, of all languages, that only Vosk itself finds broken."""
    # Vosk is tried for this command alone: half a second for each model.
    from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable  # noqa: PLC0415
    from agent.voice.probe import prove  # noqa: PLC0415

    models = {"voice.model": voice.model or BUNDLED_MODEL}
    models |= {f"voice.languages[{i}].model": language.model for i, language in enumerate(voice.languages)}
    for key, model in models.items():
        try:
            prove(model)
        except ModelUnusable as error:
            yield Problem(str(file), None, key, str(error))
