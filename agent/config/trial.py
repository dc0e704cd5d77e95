"""Tries what a configuration names, beyond whether the files are there: certificates, keys and voice models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.config.problems import Problem, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.config.hearing import VoiceSettings
    from agent.config.settings import Config


def refused_certificates(file: Path, config: Config) -> Iterator[Problem]:
    """What a broker would refuse, or the unit itself, though the files can be read."""
    from agent.uplink.certificate import Certificate, CertificateUnreadable  # noqa: PLC0415 - heavy
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


def broken_models(file: Path, voice: VoiceSettings) -> Iterator[Problem]:
    """The models, of all languages, that only Vosk itself finds broken. Half a second for each model.

    And the second engine, where the unit is to have it.
    """
    from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable  # noqa: PLC0415 - heavy
    from agent.voice.probe import prove  # noqa: PLC0415
    from agent.voice.verifier import VerifierUnusable  # noqa: PLC0415
    from agent.voice.verifier import load as load_verifier  # noqa: PLC0415

    models = {"voice.model": voice.model or BUNDLED_MODEL}
    models |= {f"voice.languages[{i}].model": language.model for i, language in enumerate(voice.languages)}
    for key, model in models.items():
        try:
            prove(model)
        except ModelUnusable as error:
            yield Problem(str(file), None, key, str(error))
    if voice.verifier:
        try:
            load_verifier()
        except VerifierUnusable as error:
            yield Problem(str(file), None, "voice.verifier", str(error))
