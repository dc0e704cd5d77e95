"""What a video management system is told: our signals as ONVIF events in JSON ("onvif-ej", ONVIF Core). Pure.

Only the shape of topics and payloads is ONVIF's; a unit claims no profile, has no SOAP service, and its alerts do not
depend on any of this. Topics are ONVIF's own words where there are some (standards.md 3.1).

What may be a silent call is not told: the screen of a video system may hang where the person who threatens sees it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agent.config.settings import InputKind
from agent.signals import FaultCleared, Faulted, LightPattern, Restored, SensorKind, Triggered
from agent.uplink.jsonable import jsonable, timestamp
from agent.uplink.publication import Publication

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from agent.clock import Moment
    from agent.config.settings import Config
    from agent.signals import Signal

CONTENT_TYPE: Final = "application/json"
LAMP: Final = "lamp"
"""The relay's token."""

DIGITAL_INPUT: Final = "Device/Trigger/DigitalInput"
RELAY: Final = "Device/Trigger/Relay"
AUDIO_CLASS: Final = "RuleEngine/AudioDetector/Class"
SIGNAL_LOSS: Final = "VideoSource/SignalLoss"
GLOBAL_CHANGE: Final = "VideoSource/GlobalSceneChange/ImagingService"
STORAGE: Final = "Device/HardwareFailure/StorageFailure"
POWER: Final = "Device/HardwareFailure/PowerSupplyFailure"
TEMPERATURE: Final = "Device/HardwareFailure/TemperatureCritical"
LAST_REBOOT: Final = "Monitoring/OperatingTime/LastReboot"

TAMPER: Final = {
    "covered": GLOBAL_CHANGE,
    "moved": GLOBAL_CHANGE,
    "blurred": "VideoSource/ImageTooBlurry/ImagingService",
    "dark": "VideoSource/ImageTooDark/ImagingService",
    "bright": "VideoSource/ImageTooBright/ImagingService",
    "frozen": SIGNAL_LOSS,
    "signal-lost": SIGNAL_LOSS,
}
"""How each way to disable a camera (`agent.footage.tamper`) is called.

A picture that repeats itself is no signal either.
"""

FAULTS: Final = {
    ("outbox", "disk-full"): (STORAGE, "outbox"),
    ("outbox", "disk-read-only"): (STORAGE, "outbox"),
    ("outbox", "disk-stuck"): (STORAGE, "outbox"),
    ("outbox", "disk-lost"): (STORAGE, "outbox"),
    ("storage", "read-only"): (STORAGE, "state"),
    ("recorder", "write-failed"): (STORAGE, "footage"),
    ("recorder", "disk-full"): (STORAGE, "footage"),
    ("recorder", "mount-missing"): (STORAGE, "footage"),
    ("power", "undervoltage"): (POWER, "supply"),
    ("thermal", "hot"): (TEMPERATURE, ""),
}
"""Those of our faults that ONVIF has a word for: (part, code) -> topic and token."""


@dataclass(frozen=True)
class OnvifEvent:
    """One event."""

    topic: str
    """ONVIF's, without `tns1:`."""
    at: datetime
    source: Mapping[str, str]
    data: Mapping[str, Any]
    is_property: bool = True
    """It says how something is, and stays true until the next one: brokers keep it. Else it says what happened."""

    def publication(self, prefix: str) -> Publication:
        """The event as the link takes it, below a unit's own topics."""
        said = {"UtcTime": timestamp(self.at), "Source": dict(self.source), "Data": jsonable(self.data)}
        return Publication(
            topic=f"{prefix}/onvif-ej/{self.local_topic}",
            payload=json.dumps(said, separators=(",", ":")).encode("ascii"),
            retain=self.is_property,
            content_type=CONTENT_TYPE,
        )

    @property
    def local_topic(self) -> str:
        """The topic below the prefix: with the values of its source, less what MQTT would take for wildcards."""
        values = [_plain(value) for value in self.source.values()]
        return "/".join([self.topic, *([f"&{values[0]}", *values[1:]] if values else [])])


def rest(config: Config, now: Moment) -> Iterator[OnvifEvent]:
    """Every property of a unit as it is when nothing is the matter: what a life begins with."""
    at, booted = now.wall, now.later(-now.monotonic_s).wall
    yield OnvifEvent(LAST_REBOOT, at, {}, {"Status": timestamp(booted)})
    for one in config.inputs:
        if _told(config, one.name):
            yield _input(one.name, at, active=False)
            if one.kind is InputKind.MAINS:
                yield _failed(POWER, one.name, at, failed=False)
    if config.camera.enabled:
        yield from _camera_well(config.camera.name, at)
    for topic, token in dict.fromkeys(FAULTS.values()):
        yield _failed(topic, token, at, failed=False)
    if config.lamp is not None:
        yield lamp(LightPattern.OFF, at)


def events_of(signal: Signal, config: Config) -> Iterator[OnvifEvent]:
    """What a signal is in ONVIF's words: nothing, one event, or several."""
    match signal:
        case Triggered(silent=True):
            return
        case Triggered(sensor, SensorKind.PHRASE, at, label=label, scores=scores):
            source = {"AudioSource": sensor, "AnalyticsConfiguration": "safepoint", "Rule": label or "phrase"}
            data = {"Class": label or "phrase", "Score": scores.get("confidence")}
            yield OnvifEvent(AUDIO_CLASS, at.wall, source, data, is_property=False)
        case Triggered(sensor, SensorKind.CAMERA, at, label=label) if label in TAMPER:
            yield _camera(TAMPER[label], sensor, at.wall, state=True)
        case Restored(sensor, SensorKind.CAMERA, at):
            yield from _camera_well(sensor, at.wall)
        case Triggered(sensor) | Restored(sensor) if _told(config, sensor):
            active = isinstance(signal, Triggered)
            yield _input(sensor, signal.at.wall, active=active)
            if signal.kind is SensorKind.MAINS:
                yield _failed(POWER, sensor, signal.at.wall, failed=active)
        case Faulted(part, code) | FaultCleared(part, code) if (part, code) in FAULTS:
            topic, token = FAULTS[part, code]
            yield _failed(topic, token, signal.at.wall, failed=isinstance(signal, Faulted))


def lamp(pattern: LightPattern, at: datetime) -> OnvifEvent:
    """The lamp's relay."""
    state = "inactive" if pattern is LightPattern.OFF else "active"
    return OnvifEvent(RELAY, at, {"RelayToken": LAMP}, {"LogicalState": state})


def _told(config: Config, name: str) -> bool:
    """Whether an input is told at all: one that can be held for a silent call is not."""
    return any(one.name == name and one.silent_after_s is None for one in config.inputs)


def _input(name: str, at: datetime, *, active: bool) -> OnvifEvent:
    return OnvifEvent(DIGITAL_INPUT, at, {"InputToken": name}, {"LogicalState": active})


def _camera(topic: str, name: str, at: datetime, *, state: bool) -> OnvifEvent:
    return OnvifEvent(topic, at, {"Source": name}, {"State": state})


def _camera_well(name: str, at: datetime) -> Iterator[OnvifEvent]:
    for topic in dict.fromkeys(TAMPER.values()):
        yield _camera(topic, name, at, state=False)


def _failed(topic: str, token: str, at: datetime, *, failed: bool) -> OnvifEvent:
    if topic == TEMPERATURE:  # the one of them without a token
        return OnvifEvent(topic, at, {}, {"Critical": failed})
    return OnvifEvent(topic, at, {"Token": token}, {"Failed": failed})


def _plain(value: str) -> str:
    return value.replace("#", "").replace("+", "")
