"""A unit's incidents, driven by verbs on a clock that only the test moves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from agent.clock import ClockQuality, Moment
from agent.config.filming import CameraSettings
from agent.config.settings import (
    Config,
    HardwareSettings,
    InputKind,
    InputSettings,
    LampSettings,
    UnitSettings,
    UplinkSettings,
)
from agent.incidents import Incidents
from agent.signals import (
    AckLevel,
    Acknowledged,
    Category,
    FaultCleared,
    Faulted,
    LightPattern,
    Line,
    Log,
    Media,
    MediaFailed,
    MediaReady,
    Outcome,
    Remember,
    Restored,
    SayLine,
    SensorKind,
    SetRequested,
    ShowLight,
    Suspected,
    Tell,
    TestRequested,
    Triggered,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.signals import Action, Signal

START = Moment(1000.0, datetime(2026, 11, 22, 20, 0, tzinfo=UTC), "boot-1", ClockQuality.SYNCED)

A = TypeVar("A")


def config(**sections: object) -> Config:
    """A unit with everything: two buttons (one for silent calls), two PIRs, a door contact, lamp and camera."""
    whole: dict[str, object] = {
        "profile": "safe-point",
        "unit": UnitSettings(id="hk-001", org="ashfield", name="HK-001", location="opposite Boots"),
        "uplink": UplinkSettings(broker="mqtt://localhost:1883", insecure_lab=True),
        "hardware": HardwareSettings(),
        "inputs": (
            InputSettings(name="panic-1", kind=InputKind.BUTTON, pin=5),
            InputSettings(name="counter-1", kind=InputKind.BUTTON, pin=6, silent_after_s=3.0),
            InputSettings(name="pir-1", kind=InputKind.PIR, pin=7),
            InputSettings(name="door-1", kind=InputKind.TAMPER, pin=8),
            InputSettings(name="mains-1", kind=InputKind.MAINS, pin=9),
        ),
        "lamp": LampSettings(pin=17, on_motion="never"),
        "camera": CameraSettings(enabled=True),
    }
    return Config.model_validate(whole | sections)


class Unit:
    """Says what happens and when (seconds since the start); collects what the unit does about it."""

    def __init__(
        self, settings: Config | None = None, *, armed: bool = False, start: Moment = START, new_id: NewId | None = None
    ) -> None:
        self.settings = settings or config()
        self.start = start
        self.now = start
        self.done: list[Action] = []
        self.kept: dict[str, Mapping[str, Any]] = {}
        self._unread: dict[str, Mapping[str, Any]] = {}
        self._new_id = new_id or ids()
        self.incidents = Incidents(self.settings, self._new_id)
        self._take(self.incidents.begin([], start))
        if armed:
            self.set()

    # --- what happens

    def press(self, at_s: float = 0.0, button: str = "panic-1") -> list[Action]:
        return self.trigger(at_s, button, SensorKind.BUTTON)

    def let_go(self, at_s: float, button: str = "counter-1") -> list[Action]:
        return self.restore(at_s, button, SensorKind.BUTTON)

    def say_phrase(
        self, at_s: float = 0.0, label: str = "help-me", *, silent: bool = False, since_s: float | None = None
    ) -> list[Action]:
        since, scores = None if since_s is None else self.at(since_s), {"confidence": 0.9}
        return self.hear(Triggered("mic-1", SensorKind.PHRASE, self.at(at_s), silent, label, scores, since))

    def begin_a_phrase(self, at_s: float = 0.0, label: str = "help-me", *, silent: bool = False) -> list[Action]:
        return self.hear(Suspected("mic-1", label, self.at(at_s), silent))

    def walk(self, at_s: float = 0.0, pir: str = "pir-1") -> list[Action]:
        return self.trigger(at_s, pir, SensorKind.PIR)

    def open_door(self, at_s: float = 0.0, door: str = "door-1") -> list[Action]:
        return self.trigger(at_s, door, SensorKind.TAMPER)

    def shut_door(self, at_s: float, door: str = "door-1") -> list[Action]:
        return self.restore(at_s, door, SensorKind.TAMPER)

    def make_noise(self, at_s: float = 0.0) -> list[Action]:
        return self.hear(Triggered("mic-1", SensorKind.LOUDNESS, self.at(at_s), scores={"loudness_dba": 96.0}))

    def trigger(self, at_s: float, sensor: str, kind: SensorKind) -> list[Action]:
        return self.hear(Triggered(sensor, kind, self.at(at_s)))

    def restore(self, at_s: float, sensor: str, kind: SensorKind) -> list[Action]:
        return self.hear(Restored(sensor, kind, self.at(at_s)))

    def fail(
        self, at_s: float = 0.0, part: str = "recorder", code: str = "dead", *, tampered: bool = False
    ) -> list[Action]:
        return self.hear(Faulted(part, code, f"the {part} is {code}", self.at(at_s), tampered))

    def work_again(self, at_s: float, part: str = "recorder", code: str = "dead") -> list[Action]:
        return self.hear(FaultCleared(part, code, self.at(at_s)))

    def test(self, at_s: float = 0.0) -> list[Action]:
        return self.hear(TestRequested("op-1", self.at(at_s)))

    def set(self, at_s: float = 0.0, *, armed: bool = True) -> list[Action]:
        return self.hear(SetRequested(armed, "key-1", self.at(at_s)))

    def receive(self, at_s: float, alert_id: str | None = None) -> list[Action]:
        return self._acknowledge(at_s, AckLevel.RECEIVER, alert_id)

    def see(self, at_s: float, alert_id: str | None = None, revision: int | None = None) -> list[Action]:
        return self._acknowledge(at_s, AckLevel.OPERATOR, alert_id, revision=revision)

    def close(
        self,
        at_s: float,
        outcome: Outcome | None = Outcome.GENUINE,
        alert_id: str | None = None,
        revision: int | None = None,
    ) -> list[Action]:
        return self._acknowledge(at_s, AckLevel.CLOSED, alert_id, outcome, revision=revision)

    def film(self, at_s: float, media: Media, sha256: str = "ab", alert_id: str | None = None) -> list[Action]:
        at = self.at(at_s)
        return self.hear(MediaReady(alert_id or self.last_alert, media, at, "some.file", sha256, 1000, at, at))

    def miss(self, at_s: float, media: Media, alert_id: str | None = None) -> list[Action]:
        return self.hear(MediaFailed(alert_id or self.last_alert, media, "the camera is gone", self.at(at_s)))

    def wait(self, until_s: float) -> list[Action]:
        """Let time pass as the daemon does: wake at each deadline, and at the end."""
        actions: list[Action] = []
        while (due_s := self.incidents.due()) is not None and due_s <= self.at(until_s).monotonic_s:
            self.now = replace(self.start.later(due_s - self.start.monotonic_s), monotonic_s=due_s)  # not rounded
            actions += self._take(self.incidents.wake(self.now))
        self.now = self.at(until_s)
        return actions + self._take(self.incidents.wake(self.now))

    def oversleep(self, until_s: float) -> list[Action]:
        """Wake once, however many deadlines have passed."""
        self.now = self.at(until_s)
        return self._take(self.incidents.wake(self.now))

    def restart(
        self, at_s: float, *, boot: Moment | None = None, settings: Config | None = None, crashed: bool = False
    ) -> list[Action]:
        """End the program and begin it again, in the same boot or in another one."""
        self.settings = settings or self.settings
        if boot is not None:
            self.start = boot.later(-at_s)
        self.now = self.at(at_s)
        self.incidents = Incidents(self.settings, self._new_id)
        stored = json.loads(json.dumps([*self.kept.values()]))
        return self._take(self.incidents.begin(stored, self.now, crashed=crashed))

    def restart_without_memory(self, at_s: float) -> list[Action]:
        """Begin again while what was kept cannot be read."""
        self._unread, self.kept = self.kept, {}
        return self.restart(at_s)

    def find_memory(self, at_s: float) -> list[Action]:
        """What could not be read can be read now."""
        self.now = self.at(at_s)
        late = {key: state for key, state in self._unread.items() if key not in self.kept}
        self.kept = late | self.kept
        return self._take(self.incidents.resume(json.loads(json.dumps([*late.values()])), self.now, crashed=False))

    def hear(self, signal: Signal) -> list[Action]:
        if signal.at.monotonic_s > self.now.monotonic_s:
            self.now = signal.at
        return self._take(self.incidents.handle(signal, self.now))

    def at(self, at_s: float) -> Moment:
        return self.start.later(at_s)

    # --- what came of it

    @property
    def last_alert(self) -> str:
        return of(Tell, self.done)[-1].alert_id

    def light(self) -> LightPattern:
        return of(ShowLight, self.done)[-1].pattern

    def _acknowledge(
        self,
        at_s: float,
        level: AckLevel,
        alert_id: str | None,
        outcome: Outcome | None = None,
        revision: int | None = None,
    ) -> list[Action]:
        """Of the newest revision that was told, unless another one is meant."""
        name, at = alert_id or self.last_alert, self.at(at_s)
        newest = max((tell.revision for tell in of(Tell, self.done) if tell.alert_id == name), default=1)
        return self.hear(Acknowledged(name, revision or newest, level, at, "op-7", outcome, "a test"))

    def _take(self, actions: list[Action]) -> list[Action]:
        for action in of(Remember, actions):
            if action.state is None:
                self.kept.pop(action.alert_id, None)
            else:
                self.kept[action.alert_id] = action.state
        self.done += actions
        return actions


if TYPE_CHECKING:
    NewId = Callable[[Category], str]


def ids() -> NewId:
    numbers = count(1)
    return lambda category: f"{category}-{next(numbers)}"


def of(kind: type[A], actions: Sequence[object]) -> list[A]:
    return [action for action in actions if isinstance(action, kind)]


def lines(actions: Sequence[Action]) -> list[Line]:
    return [action.line for action in of(SayLine, actions)]


def lights(actions: Sequence[Action]) -> list[LightPattern]:
    return [action.pattern for action in of(ShowLight, actions)]


def told(actions: Sequence[Action]) -> dict[str, Any]:
    """The data of the one revision in there."""
    (tell,) = of(Tell, actions)
    return dict(tell.data)


def revisions(actions: Sequence[Action]) -> list[tuple[str, int, str]]:
    return [(tell.alert_id, tell.revision, tell.data["state"]) for tell in of(Tell, actions)]


def logged(actions: Sequence[Action]) -> list[str]:
    return [action.event for action in of(Log, actions)]


def with_numbers(settings: Config, **numbers: float) -> Config:
    """The same configuration with other numbers in the incident rules."""
    changed = settings.incidents.model_copy(update=numbers)
    return settings.model_copy(update={"incidents": changed})


def elsewhen(wall: datetime, boot_id: str = "boot-1", quality: ClockQuality = ClockQuality.SYNCED) -> Moment:
    return replace(START, wall=wall, boot_id=boot_id, quality=quality)
