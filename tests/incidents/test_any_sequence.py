"""Whatever happens, in whatever order: no help call is lost, and no cause has two incidents."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.config.settings import InputKind, InputSettings, LampSettings
from agent.signals import (
    AckLevel,
    Acknowledged,
    AnnouncementRequested,
    FaultCleared,
    Faulted,
    LightPattern,
    LightRequested,
    Media,
    MediaFailed,
    MediaReady,
    Outcome,
    Proved,
    QuietRequested,
    Restored,
    SayLine,
    SensorKind,
    SetRequested,
    ShowLight,
    Tell,
    Triggered,
    WalkTest,
)
from tests.incidents.driven_unit import START, Unit, config, elsewhen, of

BUTTONS = ("panic-1", "counter-1")
DETECTORS = (
    ("pir-1", SensorKind.PIR),
    ("pir-2", SensorKind.PIR),
    ("door-1", SensorKind.TAMPER),
    ("cam-1", SensorKind.CAMERA),
    ("mic-1", SensorKind.LOUDNESS),
    ("mains-1", SensorKind.MAINS),
)
SENSORS = st.sampled_from([*BUTTONS, *(sensor for sensor, _ in DETECTORS)])
CALL_PATTERNS = {LightPattern.HEARD, LightPattern.SEEN}
WAITS_S = st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.9, 3.0, 9.0, 10.0, 30.0, 61.0, 200.0, 700.0, 4000.0, 90_000.0, 6e5])

SETTINGS = config(
    inputs=(
        InputSettings(name="panic-1", kind=InputKind.BUTTON, pin=5),
        InputSettings(name="counter-1", kind=InputKind.BUTTON, pin=6, silent_after_s=3.0),
    ),
    lamp=LampSettings(pin=17, on_motion="always"),
)


class AnyStreet(RuleBasedStateMachine):
    """A street on which anything may happen at any time, and a unit whose power may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = Unit(SETTINGS)
        self.now_s = 0.0
        self.calls: Counter[tuple[str, str | None, bool]] = Counter()
        """Help calls that were made, by sensor, label and whether they were tests."""
        self.walked: frozenset[str] = frozenset()
        self.walked_s = (0.0, 0.0)
        self.unproved: frozenset[str] = frozenset()
        self.duress = False
        self.checked = 0
        self.latest: dict[str, dict[str, Any]] = {}
        self.first_told: dict[str, dict[tuple[str, str, str | None], int]] = {}
        """The revision with which each detector of an alert first came."""

    # --- what happens

    @initialize(duress=st.booleans())
    def begin(self, duress: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        """On a street of duress nobody ever calls openly."""
        self.duress = duress

    @precondition(lambda self: not self.duress)
    @rule()
    def let_go(self) -> None:
        self.unit.let_go(self.now_s)

    @rule(button=st.sampled_from(BUTTONS), ago_s=st.sampled_from([0.0, 0.0, 0.3]))
    def press(self, button: str, ago_s: float) -> None:
        at_s = max(0.0, self.now_s - ago_s)
        button = "counter-1" if self.duress else button
        self.calls[button, None, self._is_test(button, at_s)] += 1
        self.unit.press(at_s, button)

    @rule(silent=st.booleans())
    def say_phrase(self, silent: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        silent = silent or self.duress
        label = "red-umbrella" if silent else "help-me"
        self.calls["mic-1", label, self._is_test("mic-1", self.now_s)] += 1
        self.unit.say_phrase(self.now_s, label, silent=silent)

    @rule(silent=st.booleans(), ago_s=st.sampled_from([0.0, 0.3]))
    def begin_a_phrase(self, silent: bool, ago_s: float) -> None:  # noqa: FBT001 - hypothesis passes it by name
        """It may never become one."""
        label = "red-umbrella" if silent or self.duress else "help-me"
        self.unit.begin_a_phrase(max(0.0, self.now_s - ago_s), label, silent=silent or self.duress)

    @rule(detector=st.sampled_from(DETECTORS), ago_s=st.sampled_from([0.0, 0.3]))
    def detect(self, detector: tuple[str, SensorKind], ago_s: float) -> None:
        self.unit.hear(Triggered(*detector, self.unit.at(max(0.0, self.now_s - ago_s)), scores={"level": 1.0}))

    @rule(detector=st.sampled_from(DETECTORS))
    def come_to_rest(self, detector: tuple[str, SensorKind]) -> None:
        self.unit.hear(Restored(*detector, self.unit.at(self.now_s)))

    @rule(part=st.sampled_from(["recorder", "listener"]), cleared=st.booleans())
    def fault(self, part: str, cleared: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        at = self.unit.at(self.now_s)
        self.unit.hear(FaultCleared(part, "dead", at) if cleared else Faulted(part, "dead", "it is dead", at))

    @rule()
    def test(self) -> None:
        self.unit.test(self.now_s)

    @rule(sensors=st.frozensets(SENSORS, max_size=3), for_s=st.sampled_from([0.5, 60.5, 900.5]))
    def walk_test(self, sensors: frozenset[str], for_s: float) -> None:
        self.walked, self.walked_s = sensors, (self.now_s, self.now_s + for_s)
        self.unit.hear(WalkTest(sensors, for_s, self.unit.at(self.now_s)))

    @rule(unproved=st.frozensets(SENSORS, max_size=2), nothing=st.booleans())
    def prove(self, unproved: frozenset[str], nothing: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        self.unproved = frozenset(BUTTONS) | {"mic-1"} if nothing else unproved
        self.unit.hear(Proved(nothing, unproved, self.unit.at(self.now_s)))

    @rule(armed=st.booleans())
    def set(self, armed: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        self.unit.hear(SetRequested(armed, "key-1", self.unit.at(self.now_s)))

    @rule(for_s=st.sampled_from([0.0, 5.0, 600.0]))
    def want_light(self, for_s: float) -> None:
        self.unit.hear(LightRequested(for_s, "op-1", self.unit.at(self.now_s), "desk#1"))

    @rule()
    def want_an_announcement(self) -> None:
        self.unit.hear(AnnouncementRequested("coming", 8.0, "op-1", self.unit.at(self.now_s), "desk#2"))

    @rule(
        cause=st.sampled_from(["panic-1", "rules:failed", "recorder:dead", "pir-1"]), for_s=st.sampled_from([0.0, 60.0])
    )
    def want_quiet(self, cause: str, for_s: float) -> None:
        self.unit.hear(QuietRequested(cause, for_s, "op-1", self.unit.at(self.now_s), "desk#3"))

    @rule(
        data=st.data(),
        level=st.sampled_from(AckLevel),
        behind=st.sampled_from([-1, 0, 0, 1, 1, 2]),
        outcome=st.sampled_from([None, *Outcome]),
    )
    def acknowledge(self, data: st.DataObject, level: AckLevel, behind: int, outcome: Outcome | None) -> None:
        """Mostly of a revision that was told lately: one out of the blue hardly ever meets a call that has grown."""
        alert_id = data.draw(st.sampled_from(["unknown-1", *self.latest]))
        self.each_revision_follows_the_one_before()
        before = self.latest.get(alert_id)
        revision = max(1, (before or {}).get("revision", 1) - behind)
        self.unit.hear(Acknowledged(alert_id, revision, level, self.unit.at(self.now_s), "op-1", outcome))
        self.each_revision_follows_the_one_before()
        if level is AckLevel.CLOSED and before and before["state"] != "closed" == self.latest[alert_id]["state"]:
            callers = self.first_told[alert_id]
            assert revision >= max(callers.values()), "nobody closes a call that he does not know of"

    @rule(data=st.data(), media=st.sampled_from(Media), made=st.booleans())
    def film(self, data: st.DataObject, media: Media, made: bool) -> None:  # noqa: FBT001 - by name
        alert_id = data.draw(st.sampled_from(["unknown-1", *self.latest]))
        at = self.unit.at(self.now_s)
        if made:
            self.unit.hear(MediaReady(alert_id, media, at, "a.file", "ab", 9, at, at))
        else:
            self.unit.hear(MediaFailed(alert_id, media, "no camera", at))

    @rule(wait_s=WAITS_S)
    def wait(self, wait_s: float) -> None:
        self.now_s += wait_s
        self.unit.wait(self.now_s)
        self._nothing_is_overdue()

    @rule(wait_s=WAITS_S)
    def oversleep(self, wait_s: float) -> None:
        self.now_s += wait_s
        self.unit.oversleep(self.now_s)
        self._nothing_is_overdue()

    @rule()
    def wake_early(self) -> None:
        self.unit.oversleep(self.now_s)
        assert self.unit.oversleep(self.now_s) == []

    @rule()
    def restart(self) -> None:
        self.walked = self.unproved = frozenset()
        self.unit.restart(self.now_s)
        self._nothing_is_overdue()

    @precondition(lambda self: self.now_s > 0)
    @rule(off_s=st.sampled_from([-1e6, 0.0, 1.0, 40.0, 5000.0, 1e6]))
    def power_cut(self, off_s: float) -> None:
        self.walked = self.unproved = frozenset()
        wall = START.wall + timedelta(seconds=self.now_s + off_s)
        self.unit.restart(self.now_s, boot=elsewhen(wall, f"boot-{len(self.unit.done)}"))
        self._nothing_is_overdue()

    # --- what must hold

    @invariant()
    def each_revision_follows_the_one_before(self) -> None:
        for tell in of(Tell, self.unit.done[self.checked :]):
            before = self.latest.get(tell.alert_id, {}).get("revision", 0)
            assert tell.revision == tell.data["revision"] == before + 1
            if before:
                assert tell.data["test"] == self.latest[tell.alert_id]["test"], "no test grows into the real thing"
            self.latest[tell.alert_id] = dict(tell.data)
            for each in tell.data["detections"]:
                caller = (each["detectorId"], each["kind"], each["label"])
                self.first_told.setdefault(tell.alert_id, {}).setdefault(caller, tell.revision)
        self.checked = len(self.unit.done)

    @invariant()
    def no_cause_has_two_active_incidents(self) -> None:
        active = Counter(
            (saved["incident"]["category"], saved["incident"]["cause"], saved["incident"]["mark"])
            for saved in self.unit.kept.values()
            if saved["what"] == "incident" and saved["incident"]["_phase"] == "active"
        )
        assert not [cause for cause, number in active.items() if number > 1]

    @invariant()
    def no_help_call_is_lost(self) -> None:
        """Each was told, or its incident waits to tell it within `grow_every_s`."""
        self.each_revision_follows_the_one_before()
        soon_s = self.unit.now.monotonic_s + SETTINGS.incidents.grow_every_s
        pending = {
            alert_id: saved["incident"]
            for alert_id, saved in self.unit.kept.items()
            if saved["what"] == "incident"
            and (grow := saved["incident"]["deadlines"].get("grow"))
            and grow["monotonic_s"] <= soon_s
        }
        known: Counter[tuple[str, str | None, bool]] = Counter()
        for alert_id, data in self.latest.items():
            if data["category"] == "help":
                detections = pending[alert_id]["detections"] if alert_id in pending else data["detections"]
                for each in detections:
                    known[each.get("detectorId") or each["sensor"], each["label"], data["test"]] += each["count"]
        assert known == +self.calls

    @invariant()
    def a_silent_call_alone_neither_lights_nor_speaks(self) -> None:
        if self.duress:
            assert not of(SayLine, self.unit.done)
            assert not CALL_PATTERNS & {show.pattern for show in of(ShowLight, self.unit.done)}

    def _is_test(self, sensor: str, at_s: float) -> bool:
        since_s, until_s = self.walked_s
        return (sensor in self.walked and since_s <= at_s <= until_s) or sensor in self.unproved

    def _nothing_is_overdue(self) -> None:
        due_s = self.unit.incidents.due()
        assert due_s is None or due_s > self.unit.now.monotonic_s


TestAnyStreet = AnyStreet.TestCase
TestAnyStreet.settings = settings(
    max_examples=300, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
