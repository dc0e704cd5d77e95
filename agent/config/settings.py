"""What a unit can be told: the shape of its configuration, with the meaning, unit and default of every key.

Strict and closed: a wrong type is refused, never coerced (`no` is not pin 0), an unknown key is refused, a secret is
only ever the path of a file. What one section's keys must be to each other is said here too (`nonsense`); what needs
several sections or the machine is in `agent.config.rules` and `agent.config.machine`.
"""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from agent.config.base import Gpio, LocalPath, LocalTime, Name, Seconds, Settings
from agent.config.commanding import CommandSettings
from agent.config.filming import CameraSettings, FootageSettings, RecoverySettings
from agent.config.hearing import VoiceSettings
from agent.config.notices import SignageSettings
from agent.config.sending import (
    Capacity,
    DataPlanSettings,
    HeartbeatSeconds,
    LateAfterSeconds,
    ResendWaits,
    UploadSettings,
    resend_nonsense,
)
from agent.config.updating import UpdateSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

Text = Annotated[str, Field(min_length=1)]


class UnitSettings(Settings):
    """Who and where this unit is: what an operator reads first in every alert."""

    id: Name
    """The unit's name in topics and on its certificate."""
    org: Name
    """Who runs the scheme; the second level of the unit's topics."""
    name: Text
    """What people call it ("Hucknall Safe Point - Central Walk (opp. Boots)")."""
    location: Text
    """Where it stands, in words a patrol can follow."""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    timezone: str = "Europe/London"
    """The IANA zone in which schedules are meant and local times are shown."""
    test: bool = False
    """Every alert is marked as a test, whether the unit is commissioned (`safepoint commission`) or not."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """Coordinates come as a pair."""
        if self.latitude is None and self.longitude is not None:
            yield "latitude", "is missing beside longitude: give both or neither"
        if self.longitude is None and self.latitude is not None:
            yield "longitude", "is missing beside latitude: give both or neither"


class InputKind(StrEnum):
    """What is wired to an input."""

    BUTTON = "button"
    PIR = "pir"
    TAMPER = "tamper"
    MAINS = "mains"


class InputSettings(Settings):
    """One digital input."""

    name: Name
    kind: InputKind
    pin: Gpio
    active: Literal["low", "high"] = "low"
    """The level that means pressed, movement, opened, or mains failed."""
    pull: Literal["up", "down", "none"] = "up"
    """The internal resistor; `none` only with one on the board."""
    settle_ms: Annotated[float, Field(ge=0, le=25)] = 4.0
    """A level must hold this long to count. 4 ms rides over the bounce of a good contact and the spikes of a lamp
    switching nearby, and still leaves the lamp inside its 10 ms; under the 30 ms of the shortest press that counts."""
    stuck_after_s: Seconds = 60.0
    """A button active for longer than this is reported as stuck."""
    silent_after_s: Seconds | None = None
    """Buttons only: held for this long it is a silent duress call. The alert leaves at once either way; lamp and
    speaker then wait until the button is let go."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """Only a button can be held for a silent call, and that before it counts as stuck."""
        if self.silent_after_s is None:
            return
        if self.kind is not InputKind.BUTTON:
            yield "silent_after_s", f"is for buttons only, and this input is a {self.kind}: remove it"
        elif self.silent_after_s >= self.stuck_after_s:
            yield "silent_after_s", f"must be shorter than stuck_after_s ({self.stuck_after_s:g} s)"


class LampSettings(Settings):
    """The lamp, or the relay before it."""

    pin: Gpio
    active: Literal["low", "high"] = "high"
    """`low` for the usual relay boards."""
    on_motion: Literal["always", "never", "unset", "dark"] = "always"
    """When movement alone lights the lamp; `dark` is `dark_from` to `dark_to`."""
    on_motion_s: Seconds = 60.0
    """How long the lamp stays on after the last movement."""
    dark_from: LocalTime = time(17, 0)
    dark_to: LocalTime = time(7, 0)

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """The dark has two different ends."""
        if self.on_motion == "dark" and self.dark_from == self.dark_to:
            yield "dark_to", "is the same as dark_from, so it is unclear whether it is ever dark"


class SpeakerSettings(Settings):
    """The speaker of the unit."""

    enabled: bool = False
    device: str = "default"
    """An ALSA PCM name (`aplay -L` lists them)."""
    messages: dict[Name, LocalPath] = Field(default_factory=dict)
    """Stored messages that an operator can have spoken (`announce`), by name: WAV files of at most 15 s. Try each with
    `safepoint listen` first: the unit hears what it says, and it must not be a phrase."""


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class SetWindow(Settings):
    """A time of the week in which the detectors are set; past midnight when `until` is not after `since`."""

    days: Annotated[tuple[Day, ...], Field(min_length=1)] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    """The days on which the window begins."""
    since: LocalTime
    """Local time: set from here."""
    until: LocalTime
    """Local time: unset from here."""


class ArmingSettings(Settings):
    """When detectors raise alerts; help calls always do."""

    mode: Literal["manual", "schedule", "always"] = "manual"
    windows: tuple[SetWindow, ...] = ()
    """With `schedule`. A set or unset by hand holds until the schedule's next change."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """A schedule needs a window."""
        if self.mode == "schedule" and not self.windows:
            yield "windows", "is empty: mode schedule needs at least one window with since and until"


class IncidentSettings(Settings):
    """The numbers of the incident rules."""

    confirm_within_s: Seconds = 60.0
    """Two different sensor kinds within this time confirm (standards.md goal 11)."""
    receiver_late_s: Seconds = 10.0
    """No receiver acknowledgement of a help call by then: the person is told to phone (goal 2)."""
    repeat_no_connection_s: Seconds = 30.0
    """The fallback line is repeated after this time while nothing is received."""
    operator_late_help_s: Seconds = 30.0
    operator_late_other_s: Seconds = 90.0
    """No operator acknowledgement by then is told to the control room as late (EN 50518, goal 3)."""
    escalate_help_s: Seconds = 60.0
    escalate_other_s: Seconds = 180.0
    grow_every_s: Seconds = 10.0
    """Further triggers that change nothing but a count are told at most this often."""
    light_after_event_s: Seconds = 300.0
    """The lamp keeps a help call's pattern for this long after the event, unless it is closed before."""
    runaway_alerts: Annotated[int, Field(ge=2)] = 5
    runaway_within_s: Seconds = 600.0
    """So many detector alerts within this time inhibit the detectors, and that is reported (goal 13)."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """What is late comes before what is escalated."""
        if self.escalate_help_s <= self.operator_late_help_s:
            yield "escalate_help_s", f"must be longer than operator_late_help_s ({self.operator_late_help_s:g} s)"
        if self.escalate_other_s <= self.operator_late_other_s:
            yield "escalate_other_s", f"must be longer than operator_late_other_s ({self.operator_late_other_s:g} s)"


MAX_PORT = 65_535


BrokerUrl = Annotated[
    str,
    Field(
        # Host names and IPv4 addresses only: nothing that could carry a user name or a password.
        pattern=r"^mqtts?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$",
        json_schema_extra={"needs": "mqtts://HOST or mqtts://HOST:PORT (no user name, password or path)"},
    ),
]
Interface = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$",
        json_schema_extra={"needs": "the name of a network interface, such as eth0 or wwan0"},
    ),
]


class AlternatePathSettings(Settings):
    """A second way to the control room: another broker, or the same one over another network."""

    broker: BrokerUrl
    """`mqtts://host:8883`; certificates and key are those of the first path."""
    interface: Interface | None = None
    """The network interface it goes through; None leaves that to the routing table."""


class UplinkSettings(Settings):
    """The way to the control room."""

    broker: BrokerUrl
    """`mqtts://host:8883`; the host is checked against the broker's certificate."""
    interface: Interface | None = None
    """The network interface the way goes through; None leaves that to the routing table."""
    alternate: AlternatePathSettings | None = None
    """A second way. Both are connected all the time; what nobody acknowledges goes alternately over both."""
    ca_file: LocalPath | None = None
    """The certificate authority that signed the broker's certificate (PEM); both, while a new one takes its place."""
    cert_file: LocalPath | None = None
    """This unit's certificate (PEM); its common name is `unit.id`."""
    key_file: LocalPath | None = None
    """This unit's private key (PEM), readable by its owner alone."""
    allow_tls_1_2: bool = False
    """Allows TLS 1.2 beside 1.3: for a broker that has no better."""
    insecure_lab: bool = False
    """Allows `mqtt://` without TLS: for a bench only."""
    heartbeat_s: HeartbeatSeconds = 25.0
    """Keep-alive and heartbeat: a broker declares a silent unit dead at 1.5 x this, 37.5 s (goal 4: <= 90 s)."""
    resend_s: ResendWaits = (2.0, 5.0, 15.0, 60.0)
    """Waits between attempts while no receiver acknowledgement comes (goal 2). The last one repeats for help calls; the
    rest then waits until the control room says anything, and one alert at a time asks for that."""
    late_after_s: LateAfterSeconds = 10.0
    """An alert that leaves the unit this long after the unit had it to say is marked `late`."""
    capacity: Capacity = 10_000
    """Alert revisions the outbox keeps."""
    data_plan: DataPlanSettings = DataPlanSettings()
    uploads: UploadSettings = UploadSettings()
    onvif_ej: bool = False
    """Mirror events for a video management system (ONVIF's names, below `onvif-ej/` of the unit's topics)."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """No plain text outside a bench, TLS in both directions, and repetitions that come soon."""
        for text in resend_nonsense(self.resend_s):
            yield "resend_s", text
        brokers = {"broker": self.broker}
        if self.alternate is not None:
            brokers["alternate"] = self.alternate.broker
            if (self.alternate.broker, self.alternate.interface) == (self.broker, self.interface):
                yield "alternate", "is the same way as the first: give another broker or another interface"
        for key, broker in brokers.items():
            scheme, _, host = broker.partition("://")
            port = host.partition(":")[2]
            if port and not 1 <= int(port) <= MAX_PORT:
                yield key, f"has port {port}, but ports go from 1 to {MAX_PORT}"
            if scheme == "mqtt" and not self.insecure_lab:
                yield key, "is mqtt:// without TLS: use mqtts://, or on a bench say insecure_lab: true"
        if any(broker.startswith("mqtts://") for broker in brokers.values()):
            for key in ("ca_file", "cert_file", "key_file"):
                if getattr(self, key) is None:
                    yield key, "is missing: mqtts:// needs ca_file, cert_file and key_file"


class HardwareSettings(Settings):
    """Which hardware the unit stands on."""

    kit: str = "pi"
    """An installed hardware kit (entry point group `safepoint.kits`)."""
    options: dict[str, str] = Field(default_factory=dict)
    """What the kit wants to know."""


class Config(Settings):
    """The whole configuration of one unit."""

    profile: str
    """Which kind of unit this is; its values stand where the file says nothing."""
    unit: UnitSettings
    uplink: UplinkSettings
    hardware: HardwareSettings = HardwareSettings()
    inputs: tuple[InputSettings, ...] = ()
    lamp: LampSettings | None = None
    speaker: SpeakerSettings = SpeakerSettings()
    voice: VoiceSettings = VoiceSettings()
    camera: CameraSettings = CameraSettings()
    footage: FootageSettings = FootageSettings()
    recovery: RecoverySettings = RecoverySettings()
    arming: ArmingSettings = ArmingSettings()
    incidents: IncidentSettings = IncidentSettings()
    commands: CommandSettings = CommandSettings()
    signage: SignageSettings = SignageSettings()
    update: UpdateSettings = UpdateSettings()
    state_folder: LocalPath = Path("/var/lib/safepoint")
    """Outbox, ledger and footage."""

    @property
    def tests_itself(self) -> bool:
        """Whether it speaks to itself once a day, and must hear it."""
        return self.voice.enabled and self.speaker.enabled and self.voice.self_test.enabled

    @property
    def footage_folder(self) -> Path:
        """Where footage really lies."""
        return self.footage.folder or self.state_folder / "footage"
