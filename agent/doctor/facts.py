"""What is known about a unit when it is examined. Values only: they travel as JSON between two processes."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the types of all facts
from dataclasses import dataclass, field
from datetime import date, datetime  # noqa: TC003
from pathlib import Path
from typing import Any

from agent.config.problems import Problem  # noqa: TC001
from agent.config.settings import Config  # noqa: TC001
from agent.health.reading import Reading  # noqa: TC001


@dataclass(frozen=True)
class Configuration:
    """The unit's file, read twice: as the daemon reads it at its start, and as `safepoint check` does."""

    file: Path
    config: Config | None
    """None: the daemon cannot start with it."""
    problems: tuple[Problem, ...] = ()
    """What `safepoint check` finds."""
    shown: str = ""
    """As `safepoint config` shows it, but without what nobody outside may read (`agent.doctor.redact`)."""
    private: tuple[str, ...] = ()
    """Words that must leave the unit nowhere: what people say to it."""


@dataclass(frozen=True)
class Service:
    """What systemd says of a unit of its own (`systemctl show`)."""

    load: str
    """`loaded`, `not-found`, `masked` ..."""
    active: str = ""
    """`active`, `activating`, `failed`, `inactive` ..."""
    sub: str = ""
    enabled: str = ""
    """`enabled`, `disabled`, `static` ..."""
    restarts: int = 0
    """How often it was started again by itself since it was started by hand or by the boot."""
    result: str = "success"
    """How it ended last: `exit-code`, `watchdog`, `oom-kill` ..."""
    up_s: float | None = None
    """How long it has been active; None while it is not."""
    status: str = ""
    """What it says of itself."""
    user: str = ""
    groups: tuple[str, ...] = ()
    """The groups that it is given beside those of its user."""
    needs_reload: bool = False
    """Its file was changed on the disk, and systemd has not read it."""


@dataclass(frozen=True)
class Way:
    """One way to the control room, tried a moment ago without saying anything on it."""

    key: str
    """`uplink.broker` or `uplink.alternate.broker`."""
    broker: str
    """`mqtts://host:8883`."""
    failed: str | None = None
    """At which step: `name`, `reach`, `trust` (we do not trust the broker), `turned away` (it does not trust us),
    `files` (there is nothing to show); None when it works."""
    reason: str = ""


@dataclass(frozen=True)
class OwnCertificate:
    """The certificate in use: the one of the configuration, or the one that was put in its place since."""

    file: Path
    key_file: Path
    trouble: str | None = None
    """Why the two and the authority cannot be used."""
    name: str = ""
    """Whose it is."""
    not_before: datetime | None = None
    """None: it cannot be read."""
    not_after: datetime | None = None
    exposed: bool = False
    """Others than its owner can read the key."""


@dataclass(frozen=True)
class Node:
    """A device file."""

    path: str
    group: str
    mode: int


@dataclass(frozen=True)
class Devices:
    """What hardware the kernel shows."""

    board: str
    """The board's own name; empty when it has none."""
    pins: tuple[Node, ...] = ()
    """/dev/gpiochip*."""
    sound: tuple[Node, ...] = ()
    """/dev/snd/*."""
    video: tuple[Node, ...] = ()
    """/dev/video* and /dev/media*."""
    microphones: tuple[str, ...] = ()
    """Sound devices that record."""
    speakers: tuple[str, ...] = ()
    """Sound devices that play."""
    cameras: tuple[str, ...] = ()
    """Sensors that a driver has found on the ribbon cable."""
    lacking: tuple[str, ...] = ()
    """Debian packages that are not installed, of those which the configured parts need."""


@dataclass(frozen=True)
class Access:
    """Under which rights the daemon works."""

    user: str
    known: bool
    """There is such a user."""
    groups: tuple[str, ...] = ()
    """All groups the daemon is in."""
    state_folder: Path = Path("/var/lib/safepoint")
    state_owner: str | None = None
    """None: there is no such folder yet."""
    state_mode: int = 0o700


@dataclass(frozen=True)
class Footage:
    """How recording goes."""

    mount_trouble: str | None = None
    """Why nothing may be written to the footage volume."""
    status: Mapping[str, Any] | None = None
    """What `safepoint footage status --json` says."""
    refused: str = ""
    """Why it says nothing."""


@dataclass(frozen=True)
class Backlog:
    """What waits for the control room."""

    calls: int = 0
    others: int = 0
    oldest_s: float = 0.0
    """How long the oldest has been waiting, as far as the clocks tell."""


@dataclass(frozen=True)
class Commissioning:
    """How far it is proved that the unit works where it stands (`safepoint commission`)."""

    state: str
    """`agent.commission.standing.State`."""
    text: str
    """The same in a sentence."""
    all_tests: bool
    """Every alert is marked as a test."""
    papers: Mapping[str, date] = field(default_factory=dict)
    """Until when each paper holds that allows the unit, by its name."""


@dataclass(frozen=True)
class Logins:
    """Who can log in, and how."""

    passwords: tuple[str, ...] = ()
    """Users that have a password, by name."""
    ssh_passwords: bool | None = None
    """The SSH server takes passwords; None: there is no SSH server."""
    ssh_root: bool = False
    """root may log in over SSH, in any way."""


@dataclass(frozen=True)
class Machine:
    """What runs here."""

    wall: datetime
    synced: bool
    """The kernel says that a time source disciplines the clock."""
    uptime_s: float
    throttled: int | None
    """The Raspberry Pi firmware's word on its supply and heat (`vcgencmd get_throttled`); None: no such board."""
    watchdog_s: float | None
    """The hardware watchdog's time as systemd feeds it; None: it does not."""
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """All of it. A part that is None could not be looked at, and `unanswered` says why, or was no question here."""

    configuration: Configuration | None = None
    machine: Machine | None = None
    services: Mapping[str, Service] | None = None
    """By the unit's name in systemd."""
    ways: tuple[Way, ...] | None = None
    certificate: OwnCertificate | None = None
    broken_models: tuple[Problem, ...] | None = None
    devices: Devices | None = None
    access: Access | None = None
    health: Mapping[str, Reading] | None = None
    """What `agent.health` finds."""
    footage: Footage | None = None
    backlog: Backlog | None = None
    commissioning: Commissioning | None = None
    logins: Logins | None = None
    journal: tuple[str, ...] | None = None
    """The agent's last lines, the oldest first."""
    unanswered: Mapping[str, str] = field(default_factory=dict)
    """Why a part is missing, by its name; `HANGS` when nothing came back in time."""

    @property
    def config(self) -> Config | None:
        """The configuration that the daemon uses."""
        return None if self.configuration is None else self.configuration.config

    @property
    def on_a_pi(self) -> bool:
        """Whether the configuration wants a board's own hardware."""
        return self.config is not None and self.config.hardware.kit == "pi"

    @property
    def agent(self) -> Service | None:
        """The daemon's service."""
        return None if self.services is None else self.services.get(AGENT)

    @property
    def running(self) -> bool:
        """Whether the daemon runs."""
        return self.agent is not None and self.agent.active in {"active", "reloading"}


AGENT = "safepoint-agent.service"
HANGS = "it did not answer in time"
