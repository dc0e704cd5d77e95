"""What a commissioning holds for: fingerprints of those parts of the configuration that a walk test proves. Pure.

Only keys that change what a sensor is or where it looks count, each by its name: a new key of a new release, another
wait or a retention changes nothing that was proved, and must not turn a town's calls for help into tests overnight.
Fingerprints are keyed by a secret of the unit, because phrases are short and easily guessed, and the result leaves it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.config.settings import Config

SITE: Final = "site"
"""Whose unit it is and where it stands: with another one nothing is proved."""
SENSOR: Final = "sensor:"
"""Before a sensor's name: with another one its alerts are tests, and its alone."""
PART: Final = "part:"
"""Before another part's name: with another one the heartbeat says that it was never tried."""


def sensor_names(config: Config) -> tuple[str, ...]:
    """Everything that can raise an alert of the scene, in the order of the configuration."""
    names = [each.name for each in config.inputs]
    names += [config.voice.name] if config.voice.enabled else []
    names += [config.camera.name] if config.camera.enabled and config.camera.tamper else []
    return tuple(names)


def fingerprints(config: Config, secret: bytes) -> dict[str, str]:
    """The fingerprint of each part that a walk test proves.

    Args:
        config: The unit's configuration.
        secret: Of this commissioning; it never leaves the unit.
    """
    return {
        part: hmac.new(secret, json.dumps(what, sort_keys=True).encode(), hashlib.sha256).hexdigest()
        for part, what in _parts(config).items()
    }


def _parts(config: Config) -> dict[str, Any]:
    unit, voice, camera, uplink = config.unit, config.voice, config.camera, config.uplink
    place = [unit.latitude, unit.longitude] if unit.latitude is not None else unit.location
    parts: dict[str, Any] = {SITE: [unit.org, unit.id, place]}
    for each in config.inputs:
        parts[SENSOR + each.name] = [each.kind, each.pin, each.active, each.pull, each.silent_after_s is not None]
    if voice.enabled:
        phrases = sorted([each.say, each.label, each.silent] for each in voice.all_phrases)
        parts[SENSOR + voice.name] = [voice.device, phrases]
    if camera.enabled:
        masks = [[mask.name, mask.points] for mask in camera.masks]
        look = [camera.bearing_deg, camera.width_px, camera.height_px, masks]
        parts[(SENSOR if camera.tamper else PART) + camera.name] = look
    if config.lamp is not None:
        parts[f"{PART}lamp"] = [config.lamp.pin, config.lamp.active]
    if config.speaker.enabled:
        parts[f"{PART}speaker"] = config.speaker.device
    ways = [uplink.broker, uplink.alternate.broker if uplink.alternate else None]
    parts[f"{PART}ways"] = ways
    return parts
