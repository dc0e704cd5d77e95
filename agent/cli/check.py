"""`safepoint check FILE`: is this configuration fit for use on this machine?"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.load import load_config
from agent.config.problems import ConfigInvalid, Problem, one_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from agent.cli.main import Subparsers
    from agent.config.hearing import VoiceSettings
    from agent.config.settings import Config


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
    if refused := list(_refused_certificates(args.file, config)):
        raise ConfigInvalid(refused)
    if config.voice.enabled and (broken := list(_broken_models(args.file, config.voice))):
        raise ConfigInvalid(broken)
    sys.stdout.write(f"{args.file}: the configuration of {config.unit.id} (profile {config.profile}) is valid\n")
    return 0


def _refused_certificates(file: Path, config: Config) -> Iterator[Problem]:
    """What a broker would refuse, or the unit itself, though the files can be read."""
    from agent.uplink.certificate import Certificate, CertificateUnreadable  # noqa: PLC0415 - for this command alone
    from agent.uplink.endpoint import Endpoint  # noqa: PLC0415
    from agent.uplink.tls import EndpointInvalid  # noqa: PLC0415

    uplink = config.uplink
    if not uplink.broker.startswith("mqtts:") or uplink.cert_file is None:
        return
    try:
        Endpoint.build(uplink.broker, ca_file=uplink.ca_file, cert_file=uplink.cert_file, key_file=uplink.key_file)
        certificate = Certificate.read(uplink.cert_file)
    except (EndpointInvalid, CertificateUnreadable) as invalid:
        yield Problem(str(file), None, "uplink", str(invalid))
        return
    if certificate.name != config.unit.id:
        message = f"{uplink.cert_file} is the certificate of {one_line(certificate.name)}, not of {config.unit.id}"
        yield Problem(str(file), None, "uplink.cert_file", message)
    if certificate.not_after < datetime.now(UTC):
        message = f"{uplink.cert_file} has ended on {certificate.not_after:%Y-%m-%d}; renew it"
        yield Problem(str(file), None, "uplink.cert_file", message)


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
