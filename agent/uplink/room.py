"""The uplink: the ways to the control room, what is kept for it and what it says, as one part of the unit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog

import agent
from agent.apart import apart
from agent.clock_floor import ClockFloor
from agent.heartbeat import Heartbeat
from agent.helpers.last_rung import Others
from agent.life import KNOWN_WITHIN_S, Life, begin_life
from agent.signals import AckLevel, Acknowledged, Category, FaultCleared, Faulted
from agent.uplink import messages
from agent.uplink.client_mark import FILE_NAME, ClientMark
from agent.uplink.courier import Courier
from agent.uplink.credentials import Keeper
from agent.uplink.disk import Disk
from agent.uplink.help_ids import new_alert_id
from agent.uplink.inbox import Commanded, Inbox, Refusal
from agent.uplink.messages import State
from agent.uplink.outbox import Outbox
from agent.uplink.path_watch import PathEvent
from agent.uplink.paths import ALTERNATE, PRIMARY, Paths, alarm_manners
from agent.uplink.publication import LinkDown, PublishRefused
from agent.uplink.storage import State as DiskState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.helpers.last_rung import Call
    from agent.rooms import Room
    from agent.signals import Signal
    from agent.uplink.credentials import Credentials
    from agent.uplink.endpoint import Endpoint
    from agent.uplink.publication import Publication, Received

log = structlog.get_logger()

GOODBYE_WITHIN_S: Final = 1.0
"""For the last status and for the broker's farewell, each; the whole stop has 5 s."""


class UplinkRoom:
    """Everything between what the rules decide to tell and somebody who acknowledges it.

    `begin` first; then `rooms` run; `say_goodbye` while they do; `close` at the very end.
    """

    def __init__(  # noqa: PLR0913 - it stands between all of these
        self,
        config: Config,
        endpoint: Endpoint,
        clock: Clock,
        *,
        alternate: Endpoint | None,
        credentials: Credentials | None,
        facts: Callable[[], Mapping[str, Any]],
        report: Callable[[Signal], None],
        on_command: Callable[[Commanded | Refusal], None],
        on_up: Callable[[], None],
    ) -> None:
        """A room that does nothing yet.

        Args:
            config: Who the unit is, and how it tells.
            endpoint: The broker.
            clock: Where moments come from.
            alternate: A second way to the control room.
            credentials: With which the unit shows who it is; None: no TLS, on a bench.
            facts: What the unit's parts say of themselves, for the heartbeat.
            report: Takes what the control room says of alerts, and the uplink's own faults.
            on_command: Takes commands, and what is refused.
            on_up: Hears when there is a way again.
        """
        self._config = config
        self._clock = clock
        self._report = report
        self._on_command = on_command
        self._on_up = on_up
        self._mark = ClientMark()
        self.paths = Paths(
            {PRIMARY: endpoint} | ({} if alternate is None else {ALTERNATE: alternate}),
            alarm_manners(config, self._mark),
            on_message=self._take_message,
            will=lambda path: self._status(State.LOST, path),
            birth=lambda path: self._status(State.ONLINE, path),
            on_change=self._link_changed,
            on_event=self._path_changed,
        )
        self._keeper: Keeper | None = None
        if credentials is not None:
            self._keeper = Keeper(
                credentials,
                endpoint,
                config,
                clock,
                report,
                connected=lambda: self.paths.connected,
                hurry=self.paths.hurry,
            )
        self.outbox = Outbox(
            Disk(config.state_folder),
            config.uplink.capacity,
            clock,
            on_trouble=lambda code, text: self._report(Faulted("outbox", code, text, clock.now())),
            on_over=lambda code: self._report(FaultCleared("outbox", code, clock.now())),
        )
        self.courier = Courier(
            config, self.outbox, self.paths, clock, on_trouble=self._troubled, on_over=self._recovered
        )
        self._heartbeat = Heartbeat(config, clock, self.paths, facts, report)
        self._inbox = Inbox(config.unit)
        now = clock.now()
        self._life = Life(now.boot_id, now.monotonic_s)
        """Known in full once it was counted."""
        self._starting = True

    async def begin(self) -> None:
        """Take up what the last life left, and count this one."""
        folder = self._config.state_folder
        _, self._life, _, _ = await asyncio.gather(
            self.outbox.begin(),
            begin_life(folder, self._clock.now()),
            self._mark.recall(folder / FILE_NAME),
            self._recall_time(),
        )

    async def _recall_time(self) -> None:
        """How late it is at least: no command is in time that was over by then, however wrong the clock is."""
        self._inbox.passed = agent.BUILT
        floor = ClockFloor(self._config.state_folder, self._clock)
        try:
            known = await apart(floor.known, name="clock-floor", within_s=KNOWN_WITHIN_S)
        except TimeoutError:
            log.warning("last_known_time_unread", reason="the disk does not answer")
        else:
            self._inbox.passed = known.at

    @property
    def starting(self) -> bool:
        """Until all inputs were read: a button that is found pressed was held through the start."""
        return self._starting

    def end_start(self) -> None:
        """All inputs were read, or it is known that there are none."""
        self._starting = False
        self.outbox.end_start()

    def rooms(self) -> Iterable[Room]:
        """What runs, by name."""
        yield "link", self._run_link
        yield "courier", self._run_courier
        yield "heartbeat", self._heartbeat.run
        if self._keeper is not None:
            yield "credentials", self._keeper.run

    def new_alert_id(self, category: Category) -> str:
        """An id for an alert that begins now; help calls have theirs on the disk beforehand."""
        return self.outbox.take_help_id(at_start=self._starting) if category is Category.HELP else new_alert_id()

    def others(self, call: Call) -> Others:
        """What a restart of the machine would cost now, while a call stands so."""
        return Others(call, self.courier.pending, self.outbox.disk is DiskState.WORKING)

    def facts(self) -> Mapping[str, Any]:
        """For the heartbeat."""
        return {
            "life": self._life.facts(),
            "outbox": {
                "pending": self.courier.pending,
                "oldestAgeS": round(self.courier.oldest_age_s(self._clock.now()), 1),
                "capacity": self.outbox.capacity,
                "dropped": self.outbox.dropped,
                "lastSequence": self.outbox.last_sequence,
            },
            "paths": self.paths.facts(),
            **(self._keeper.facts() if self._keeper is not None else {}),
        }

    async def say_goodbye(self) -> None:
        """The last status, and an orderly farewell from the broker: no last will, nobody is lost."""
        try:
            async with asyncio.timeout(GOODBYE_WITHIN_S):
                await self.paths.publish(self._status(State.STOPPED))
        except (LinkDown, PublishRefused, TimeoutError) as why:
            log.warning("goodbye_not_said", reason=str(why) or "the broker did not answer in time")

    # --- the rooms -----------------------------------------------------------------------------------------------

    async def _run_link(self, working: Callable[[], None]) -> None:
        working()  # the link reports and repairs itself
        await self.paths.run()
        await asyncio.get_running_loop().create_future()  # closed: it has nothing more to do until the unit ends

    async def _run_courier(self, working: Callable[[], None]) -> None:
        working()  # it reports and repairs itself, too
        await self.courier.run()

    # --- what comes ----------------------------------------------------------------------------------------------

    def _take_message(self, received: Received) -> None:
        """The control room said something."""
        understood = self._inbox.read(received, self._clock.now())
        match understood:
            case Acknowledged(alert_id, revision, level):
                if level is AckLevel.RECEIVER:
                    self.courier.acknowledged(alert_id, revision)
                self._report(understood)
            case Commanded() | Refusal():
                self._on_command(understood)

    def _link_changed(self, up: bool) -> None:  # noqa: FBT001 - the link's own word for it
        if up:
            self._heartbeat.beat_soon()
            self._on_up()
        else:
            self.courier.hurry()

    def _path_changed(self, path: str, event: PathEvent, why: str | None) -> None:
        """One of two ways to the control room was lost or came back: the other one tells."""
        match event:
            case PathEvent.LOST:
                self._troubled(f"{path}-lost", f"The {path} path to the control room does not work: {why}.")
            case PathEvent.BACK:
                self._recovered(f"{path}-lost")
            case PathEvent.UNHEARD:
                text = f"Nobody listens at the end of the {path} path: its broker has no control room for this unit."
                self._troubled(f"{path}-unheard", text)
            case PathEvent.HEARD:
                self._recovered(f"{path}-unheard")
            case PathEvent.WILL_TOLD if self.paths.connected:
                # A broker keeps the last will of the lost path for whoever comes later: we live, say so.
                self.paths.send(self._status(State.ONLINE))

    def _troubled(self, code: str, text: str) -> None:
        self._report(Faulted("uplink", code, text, self._clock.now()))

    def _recovered(self, code: str) -> None:
        self._report(FaultCleared("uplink", code, self._clock.now()))

    def _status(self, state: State, path: str | None = None) -> Publication:
        skipped = [self.outbox.skipped] if self.outbox.skipped else []
        paths = self.paths.names if path is not None and len(self.paths.names) > 1 else ()
        return messages.status(
            self._config.unit,
            self._clock.now(),
            state,
            software=agent.__version__,
            skipped=skipped,
            path=path,
            paths=paths,
            life=self._life,
            last_sequence=self.outbox.last_sequence,
        ).publication()
