"""Everything around one unit, for demo and system tests: street, broker, control room, and the unit as a process.

    async with Town(folder, "safe-space", overrides={...}) as town:
        await town.street.press("panic-1")
        alert = await town.alert(Category.HELP)
        await town.control_room.acknowledge(alert.alert_id)

To write a scenario is to write such a story: the street's verbs on one side, the control room's on the other, and
waits on what must follow. Nothing in it sleeps to give something time.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, Self

import yaml

from agent.clock import SystemClock
from agent.config.load import load_config
from agent.config.problems import ConfigInvalid
from agent.control_room.room import ControlRoom
from agent.uplink.endpoint import Endpoint
from fakes.authority import Authority
from fakes.broker import CONTROL_ROOM, Broker
from fakes.commissioned import commission
from fakes.sound import StreetSound
from fakes.street import Street
from fakes.unit_process import UnitProcess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from agent.control_room.alerts import Alert
    from agent.signals import Category
    from fakes.witness import Narrator

ORG = "ashfield"
UNIT_ID = "hk-demo-001"
LIMIT_S = 60.0
"""How long a scenario waits for what must follow; far beyond what a working unit takes on two busy cores."""


class Town:
    """One unit and its world, in a folder of its own, over loopback only. `async with` starts it all but the unit."""

    def __init__(  # noqa: PLR0913 - what a town is made of
        self,
        folder: Path,
        profile: str,
        overrides: Mapping[str, Any] | None = None,
        *,
        journal: Path | None = None,
        narrate: Narrator | None = None,
        commissioned: bool = True,
        overheard: bool = False,
    ) -> None:
        """Build the town; nothing runs yet.

        Args:
            folder: Where everything lies; a short path, because sockets lie there too.
            profile: What kind of unit it has.
            overrides: Top-level sections of the unit's file.
            journal: Where the control room keeps every message.
            narrate: Hears what happens on the street.
            commissioned: Whether somebody has walk-tested the unit, as its file is now and whenever that changes.
            overheard: Whether the broker tells everybody everything, without TLS, at its `plain_port`.

        Raises:
            ConfigInvalid: no unit can be made of this.
            BrokerMissing: there is no mosquitto on this machine.
        """
        folder.mkdir(parents=True, exist_ok=True)
        authority = self.authority = Authority(folder / "authority")
        self.broker = Broker(folder / "broker", authority, org=ORG, plain=overheard)
        self.config_file = folder / "unit.yaml"
        self._overrides = dict(overrides or {})
        mine = authority.issue_client(UNIT_ID)
        self._base = {
            "profile": profile,
            "unit": {
                "id": UNIT_ID,
                "org": ORG,
                "name": "Hucknall demo unit, Central Walk",
                "location": "North end of Central Walk, junction with High Street (simulated)",
                "latitude": 53.0390,
                "longitude": -1.2030,
            },
            "uplink": {
                "broker": self.broker.url,
                "ca_file": str(mine.ca_file),
                "cert_file": str(mine.cert_file),
                "key_file": str(mine.key_file),
            },
            "voice": {"self_test": {"enabled": False}},  # it would speak into a story that is told at 10:30
            "hardware": {"kit": "street", "options": {"street": str(folder / "street.sock")}},
            "state_folder": str(folder / "state"),
        }
        self.state_folder = folder / "state"
        self.state_folder.mkdir(exist_ok=True)
        self._folder = folder
        self._narrate = narrate
        self._commissioned = commissioned
        self._street: Street | None = None
        self.sound = StreetSound()
        """What there is to hear; another one may take its place before the town opens."""
        self.write_config()
        self.config = load_config(self.config_file).config
        """What the unit's file said when the town was built, or when it was last rebuilt."""
        self.unit = UnitProcess(self.config_file, folder)
        self.credentials = theirs = authority.issue_client(CONTROL_ROOM)
        """The control room's certificate, for other clients of its own."""
        self.endpoint = Endpoint.build(
            self.broker.url, ca_file=theirs.ca_file, cert_file=theirs.cert_file, key_file=theirs.key_file
        )
        """The broker, as the control room knows it."""
        self._journal = journal
        self._stack = AsyncExitStack()
        self._control_room: ControlRoom | None = None

    def rebuild(self, **overrides: Any) -> None:  # noqa: ANN401 - sections of a YAML file
        """Change these sections of the unit's file before the town opens.

        Raises:
            ConfigInvalid: no unit can be made of this.
        """
        self.write_config(**overrides)
        self.config = load_config(self.config_file).config

    @property
    def street(self) -> Street:
        """The street, while the town is open."""
        if self._street is None:
            msg = "the town is not open: use it in `async with`"
            raise RuntimeError(msg)
        return self._street

    @property
    def control_room(self) -> ControlRoom:
        """The control room, while the town is open."""
        if self._control_room is None:
            msg = "the town is not open: use it in `async with`"
            raise RuntimeError(msg)
        return self._control_room

    def write_config(self, **overrides: Any) -> None:  # noqa: ANN401 - sections of a YAML file
        """Write the unit's file anew, with these top-level sections changed; the unit reads it on reload or start."""
        self._overrides.update(overrides)
        document = dict(self._base)
        for section, value in self._overrides.items():
            known = document.get(section)
            document[section] = {**known, **value} if isinstance(known, dict) else value
        self.config_file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        if self._commissioned:
            with suppress(ConfigInvalid):  # a story about a file that no unit takes
                commission(load_config(self.config_file).config)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.broker)
            self._street = Street(self.config, self._folder, self.sound, self._narrate)
            await stack.enter_async_context(self._street)
            self._control_room = ControlRoom(
                self.endpoint,
                CONTROL_ROOM,
                SystemClock(),
                org=ORG,
                journal=self._journal,
                pictures=self._folder / "pictures",
            )
            await stack.enter_async_context(self._control_room)
            await stack.enter_async_context(self.unit)
            await self._control_room.wait_for(lambda room: room.connected, LIMIT_S)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def console(self, name: str) -> ControlRoom:
        """One more console of the control room, to be used in `async with`."""
        return ControlRoom(self.endpoint, name, SystemClock(), org=ORG)

    async def start_unit(self, **environment: str) -> float:
        """Start the daemon and wait until it is armed and the control room knows it; returns the seconds to armed."""
        await self.unit.start(**environment)
        armed_s = await self.unit.ready()
        await self.control_room.wait_for(lambda room: room.desk.units, LIMIT_S)
        return armed_s

    async def alert(self, category: Category, *, after: frozenset[str] = frozenset()) -> Alert:
        """Wait for an alert of this category that is none of those known before, by their ids."""

        def look(room: ControlRoom) -> Alert | None:
            new = (alert for alert in room.alerts.values() if alert.alert_id not in after)
            return next((alert for alert in new if alert.category is category), None)

        found = await self.control_room.wait_for(look, LIMIT_S)
        if found is None:  # `wait_for` gives only what is there
            raise AssertionError
        return found

    def known(self) -> frozenset[str]:
        """Ids of the alerts on the desk now."""
        return frozenset(self.control_room.alerts)
