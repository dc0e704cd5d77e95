"""What a video management system is told, as a table; and when it is told."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from agent import signals
from agent.config.filming import CameraSettings
from agent.config.settings import InputSettings, LampSettings
from agent.footage.tamper.watch import Tamper
from agent.signals import FaultCleared, Faulted, LightPattern, Restored, SensorKind, ShowLight, Suspected, Triggered
from agent.uplink import onvif
from agent.uplink.mirror import OnvifMirror
from agent.uplink.publication import LinkDown, Receipt
from tests.uplink.lab import LabClock, make_config

if TYPE_CHECKING:
    from agent.signals import Signal
    from agent.uplink.publication import Publication

CLOCK = LabClock()
NOW = CLOCK.now()
PREFIX = "safepoint/v1/street/unit-a/onvif-ej"
CONFIG = make_config().model_copy(
    update={
        "inputs": (
            InputSettings.model_validate({"name": "panic-1", "kind": "button", "pin": 17}, strict=False),
            InputSettings.model_validate(
                {"name": "duress-1", "kind": "button", "pin": 18, "silent_after_s": 3.0}, strict=False
            ),
            InputSettings.model_validate({"name": "pir-1", "kind": "pir", "pin": 22}, strict=False),
            InputSettings.model_validate({"name": "mains-1", "kind": "mains", "pin": 23}, strict=False),
        ),
        "lamp": LampSettings(pin=5),
        "camera": CameraSettings(enabled=True),
    }
)
CAMERA = CONFIG.camera.name
TAMPER_TOPICS = (
    "VideoSource/GlobalSceneChange/ImagingService",
    "VideoSource/ImageTooBlurry/ImagingService",
    "VideoSource/ImageTooDark/ImagingService",
    "VideoSource/ImageTooBright/ImagingService",
    "VideoSource/SignalLoss",
)

Told = tuple[str, dict[str, Any], dict[str, Any], bool]


def _triggered(sensor: str, kind: SensorKind, **more: Any) -> Triggered:  # noqa: ANN401 - a signal's own
    return Triggered(sensor, kind, NOW, **more)


def _input(name: str, *, active: bool) -> Told:
    return f"Device/Trigger/DigitalInput/&{name}", {"InputToken": name}, {"LogicalState": active}, True


def _supply(token: str, *, failed: bool) -> Told:
    return f"Device/HardwareFailure/PowerSupplyFailure/&{token}", {"Token": token}, {"Failed": failed}, True


def _storage(token: str, *, failed: bool) -> Told:
    return f"Device/HardwareFailure/StorageFailure/&{token}", {"Token": token}, {"Failed": failed}, True


def _camera(topic: str, *, state: bool) -> Told:
    return f"{topic}/&{CAMERA}", {"Source": CAMERA}, {"State": state}, True


TABLE: list[tuple[Signal, list[Told]]] = [
    (_triggered("panic-1", SensorKind.BUTTON), [_input("panic-1", active=True)]),
    (Restored("panic-1", SensorKind.BUTTON, NOW), [_input("panic-1", active=False)]),
    (_triggered("pir-1", SensorKind.PIR), [_input("pir-1", active=True)]),
    (
        _triggered("mains-1", SensorKind.MAINS),
        [_input("mains-1", active=True), _supply("mains-1", failed=True)],
    ),
    (
        Restored("mains-1", SensorKind.MAINS, NOW),
        [_input("mains-1", active=False), _supply("mains-1", failed=False)],
    ),
    # What may be a silent call shows nowhere.
    (_triggered("duress-1", SensorKind.BUTTON), []),
    (_triggered("duress-1", SensorKind.BUTTON, silent=True), []),
    (Restored("duress-1", SensorKind.BUTTON, NOW), []),
    (_triggered("mic-1", SensorKind.PHRASE, silent=True, label="code-word"), []),
    (
        _triggered("mic-1", SensorKind.PHRASE, label="help-me", scores={"confidence": 0.91}),
        [
            (
                "RuleEngine/AudioDetector/Class/&mic-1/safepoint/help-me",
                {"AudioSource": "mic-1", "AnalyticsConfiguration": "safepoint", "Rule": "help-me"},
                {"Class": "help-me", "Score": 0.91},
                False,
            )
        ],
    ),
    (_triggered(CAMERA, SensorKind.CAMERA, label="covered"), [_camera(TAMPER_TOPICS[0], state=True)]),
    (_triggered(CAMERA, SensorKind.CAMERA, label="moved"), [_camera(TAMPER_TOPICS[0], state=True)]),
    (_triggered(CAMERA, SensorKind.CAMERA, label="blurred"), [_camera(TAMPER_TOPICS[1], state=True)]),
    (_triggered(CAMERA, SensorKind.CAMERA, label="dark"), [_camera(TAMPER_TOPICS[2], state=True)]),
    (_triggered(CAMERA, SensorKind.CAMERA, label="bright"), [_camera(TAMPER_TOPICS[3], state=True)]),
    (_triggered(CAMERA, SensorKind.CAMERA, label="frozen"), [_camera(TAMPER_TOPICS[4], state=True)]),
    (_triggered(CAMERA, SensorKind.CAMERA, label="signal-lost"), [_camera(TAMPER_TOPICS[4], state=True)]),
    (Restored(CAMERA, SensorKind.CAMERA, NOW), [_camera(topic, state=False) for topic in TAMPER_TOPICS]),
    (Faulted("outbox", "disk-full", "Full.", NOW), [_storage("outbox", failed=True)]),
    (FaultCleared("outbox", "disk-full", NOW), [_storage("outbox", failed=False)]),
    (Faulted("recorder", "write-failed", "No.", NOW), [_storage("footage", failed=True)]),
    (Faulted("power", "undervoltage", "Low.", NOW), [_supply("supply", failed=True)]),
    (
        Faulted("thermal", "hot", "Hot.", NOW),
        [("Device/HardwareFailure/TemperatureCritical", {}, {"Critical": True}, True)],
    ),
    (Faulted("listener", "dead", "Dead.", NOW), []),  # ONVIF has no word for it; the alert has
    (Suspected("mic-1", "help-me", NOW), []),
    (signals.TestRequested("op-1", NOW), []),
]


@pytest.mark.parametrize(
    ("signal", "told"), TABLE, ids=lambda value: "" if isinstance(value, list) else repr(value)[:60]
)
def test_each_signal_is_told_in_onvifs_words(signal: Signal, told: list[Told]) -> None:
    said = []
    for event in onvif.events_of(signal, CONFIG):
        publication = event.publication("p")
        document = json.loads(publication.payload)
        assert document.keys() == {"UtcTime", "Source", "Data"}
        assert document["UtcTime"] == "2026-11-22T02:14:07.412Z"
        assert publication.content_type == "application/json"
        topic = publication.topic.removeprefix("p/onvif-ej/")
        said.append((topic, document["Source"], document["Data"], publication.retain))
    assert said == told


def test_every_way_to_disable_a_camera_has_a_name_there() -> None:
    assert set(onvif.TAMPER) == set(Tamper)


def test_a_name_cannot_make_a_wildcard_of_a_topic() -> None:
    event = onvif.OnvifEvent("A/B", NOW.wall, {"Token": "a#b+c", "Rule": "d"}, {})
    assert event.publication("p").topic == "p/onvif-ej/A/B/&abc/d"


class Wire:
    """A link that can be cut."""

    def __init__(self) -> None:
        self.said: list[Publication] = []
        self.cut = False
        self._open: list[asyncio.Future[Receipt]] = []

    def send(self, publication: Publication) -> asyncio.Future[Receipt]:
        if self.cut:
            raise LinkDown
        assert not self._open, "a second one is on its way: a help call would wait for both"
        self.said.append(publication)
        self._open.append(asyncio.get_running_loop().create_future())
        return self._open[0]

    def break_now(self) -> None:
        """The connection dies with what was on its way."""
        self.cut = True
        self._open.pop().set_exception(LinkDown())

    async def take(self) -> dict[str, Any]:
        """Let the broker acknowledge whatever comes; what came since the last look, by topic."""
        while self._open:
            self._open.pop().set_result(Receipt(0.001, nobody_listening=False))
            await asyncio.sleep(0)
        came = {said.topic.removeprefix(f"{PREFIX}/"): json.loads(said.payload)["Data"] for said in self.said}
        self.said.clear()
        return came


async def test_a_connection_begins_with_how_everything_is_so_that_nothing_of_an_earlier_life_stays() -> None:
    wire = Wire()
    mirror = OnvifMirror(CONFIG, wire.send, CLOCK)
    wire.cut = True
    mirror.take(_triggered("pir-1", SensorKind.PIR))
    mirror.take(_triggered("mic-1", SensorKind.PHRASE, label="help-me"))
    wire.cut = False
    mirror.link_up()
    told = await wire.take()
    assert told.pop("Device/Trigger/DigitalInput/&pir-1") == {"LogicalState": True}
    assert told.pop("Monitoring/OperatingTime/LastReboot") == {"Status": "2026-11-22T01:57:27.412Z"}
    assert told.pop("Device/Trigger/Relay/&lamp") == {"LogicalState": "inactive"}
    assert not any("duress" in topic or "AudioDetector" in topic for topic in told)
    assert {value for data in told.values() for value in data.values()} == {False}
    assert {f"{topic}/&{CAMERA}" for topic in TAMPER_TOPICS} <= told.keys()


async def test_a_connection_that_breaks_in_the_middle_is_told_everything_by_the_next_one() -> None:
    wire = Wire()
    mirror = OnvifMirror(CONFIG, wire.send, CLOCK)
    mirror.link_up()
    wire.break_now()
    await asyncio.sleep(0)
    wire.cut = False
    await wire.take()
    mirror.link_up()
    assert len(await wire.take()) == len([*onvif.rest(CONFIG, NOW)])


async def test_a_property_is_told_when_it_changes_and_not_again() -> None:
    wire = Wire()
    mirror = OnvifMirror(CONFIG, wire.send, CLOCK)
    for _ in range(2):
        mirror.take(_triggered("pir-1", SensorKind.PIR))
        mirror.act([ShowLight(LightPattern.STEADY)])
        mirror.act([ShowLight(LightPattern.HEARD)])
    assert await wire.take() == {
        "Device/Trigger/DigitalInput/&pir-1": {"LogicalState": True},
        "Device/Trigger/Relay/&lamp": {"LogicalState": "active"},
    }
    mirror.act([ShowLight(LightPattern.SEEN)])
    assert await wire.take() == {}


async def test_two_faults_with_one_name_there_end_with_the_second() -> None:
    wire = Wire()
    mirror = OnvifMirror(CONFIG, wire.send, CLOCK)
    mirror.take(Faulted("recorder", "write-failed", "No.", NOW))
    mirror.take(Faulted("recorder", "disk-full", "Full.", NOW))
    mirror.take(FaultCleared("recorder", "write-failed", NOW))
    assert await wire.take() == {"Device/HardwareFailure/StorageFailure/&footage": {"Failed": True}}
    mirror.take(FaultCleared("recorder", "disk-full", NOW))
    assert await wire.take() == {"Device/HardwareFailure/StorageFailure/&footage": {"Failed": False}}


def test_nothing_is_mirrored_unless_somebody_asks_for_it() -> None:
    assert make_config().uplink.onvif_ej is False
