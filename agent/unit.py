"""The composition root: builds the rooms from a configuration and a hardware kit, and keeps them at work.

Data flows one way through them: sense -> decide -> act -> tell. Every signal, wherever it comes from, goes through
`Decisions.report`; every decision is made in `agent.incidents`; every effect starts in `Unit._act`. Nothing on that
way waits for anything.
"""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

import agent
from agent.commands import owed
from agent.commands.room import CommandRoom
from agent.commission.room import CommissioningRoom
from agent.decisions import Decisions
from agent.health import software
from agent.health.proofs import Proofs
from agent.helpers.last_rung import Call, Others
from agent.helpers.messages import (
    OrderDone,
    OrderRefused,
    PhraseHeard,
    PhraseSuspected,
    SelfTestBegun,
    SelfTestEnded,
)
from agent.helpers.owner import Helper, HelperState
from agent.helpers.translation import request_of, signal_of
from agent.hw.lines import line_path
from agent.incidents import Incidents
from agent.incidents.incident import Phase
from agent.local.room import LocalRoom
from agent.panel import Panel
from agent.reboot import RebootDesk
from agent.recovery import Recovery
from agent.rooms import keep
from agent.self_test import CODE, PART, SelfTestRoom
from agent.signals import (
    AnswerCommand,
    Category,
    CutClip,
    FaultCleared,
    Faulted,
    Log,
    MediaFailed,
    MediaReady,
    NoteOutcome,
    PlayMessage,
    Remember,
    SayLine,
    ShowLight,
    TakeStill,
    TakeStrip,
    Tell,
)
from agent.status_file import StatusFile, UnitStatus
from agent.unit_facts import faults_facts, footage_facts, hearing_facts
from agent.update.hold import CALLS, UpdateHold
from agent.update.room import UpdateRoom
from agent.uplink import validation
from agent.uplink.inbox import Commanded
from agent.uplink.media.room import MediaRoom
from agent.uplink.mirror import OnvifMirror
from agent.uplink.room import GOODBYE_WITHIN_S, UplinkRoom

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.helpers.translation import Told
    from agent.hw.kit import HardwareLost, Kit, Speaker
    from agent.notify import ServiceManager
    from agent.rooms import Room
    from agent.signals import Action, Filming, Signal
    from agent.uplink.credentials import Credentials
    from agent.uplink.endpoint import Endpoint
    from agent.uplink.inbox import Refusal
    from agent.uplink.media.request import UploadProgress

log = structlog.get_logger()

RULES_EVERY_S = 1.0
"""How often the rules are run though nothing happened: the proof that they can be."""


class Unit:
    """One unit, from its first deadline to its last good-bye. Build it on a running event loop and `run` it once."""

    def __init__(  # noqa: PLR0913 - what a unit stands on
        self,
        config: Config,
        kit: Kit,
        endpoint: Endpoint,
        clock: Clock,
        manager: ServiceManager,
        *,
        alternate: Endpoint | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        """A unit that does nothing yet.

        Args:
            config: Who it is and what it has.
            kit: What it stands on.
            endpoint: The broker between it and the control room.
            clock: Where its moments come from.
            manager: Who started it, and feeds on its proofs.
            alternate: A second way to the control room.
            credentials: With which it shows who it is; None: no TLS, on a bench.
        """
        self._config = config
        self._clock = clock
        self._manager = manager
        self._incidents = Incidents(config, self._new_alert_id)
        self._decisions = Decisions(self._incidents, clock, self._act)
        self._hold = UpdateHold(clock, self._incidents.without_outcome, config.update.forgotten_call_s)
        self._mirror: OnvifMirror | None = None
        self._panel = Panel(config, kit, clock, self._report)
        self._speaker: Speaker | None = None
        if config.speaker.enabled:
            self._speaker = kit.speaker(config.speaker, self._speaker_lost_or_back)
        self._helpers: dict[str, Helper] = {}
        for name, wanted in (("recorder", config.camera.enabled), ("listener", config.voice.needs_microphone)):
            if wanted:
                self._helpers[name] = Helper(name, config, clock, self._report, self._take_event)
        self._self_test: SelfTestRoom | None = None
        if config.tests_itself and self._speaker is not None:
            self._self_test = SelfTestRoom(
                config,
                clock,
                ask=self._helpers["listener"].ask_now,
                speaker=self._speaker,
                open_incidents=lambda: self._incidents.summary()["open"],
                announcing=lambda: self._incidents.announcing,
                report=self._report,
            )
        self._recovery: Recovery | None = None
        if recorder := self._helpers.get("recorder"):
            self._recovery = Recovery(
                recorder.ladder,
                RebootDesk.of_environment(config.state_folder),
                clock,
                allowed=config.recovery.reboot,
                others=self._others,
                report=self._report,
            )
        self._uplink = UplinkRoom(
            config,
            endpoint,
            clock,
            alternate=alternate,
            credentials=credentials,
            facts=self._facts,
            report=self._report,
            on_command=self._take_command,
            on_up=self._link_up,
        )
        self._uplink.outbox.on_remembered = self._resume
        if config.uplink.onvif_ej:
            self._mirror = OnvifMirror(config, self._uplink.paths.send, clock)
        self._media = MediaRoom(
            config,
            endpoint,
            clock,
            self._uplink.courier,
            lambda: self._uplink.paths.carried_bytes,
            alternate=alternate,
            interface_for=self._uplink.paths.interface_for,
            category_of=self._incidents.category_of,
            report=self._report,
            on_upload=self._upload_moved,
            barred=self._uploads_barred,
        )
        self._commands = CommandRoom(
            config,
            clock,
            self._uplink.paths,
            helpers=self._helpers,
            self_test=self._self_test,
            sending=self._media.uploads,
            category_of=self._incidents.category_of,
            facts=self._facts,
            report=self._report,
            remember=lambda settled: self._uplink.outbox.keep((), [settled]),
        )
        self._commissioning = CommissioningRoom(config, clock, self._report)
        self._updates = UpdateRoom(config.update.folder, clock, self._report)
        self._local = LocalRoom(
            config,
            clock,
            facts=self._facts,
            report=self._report,
            say=(lambda line: self._speak(line_path(line))) if self._speaker is not None else None,
            want_self_test=None if self._self_test is None else self._self_test.want,
            read_commissioning=self._commissioning.read_again,
            cut_off=lambda: self._uplink.outbox.crashed,
        )
        self._proofs = Proofs({"rules", "panel"}, manager.working)
        self._status_file = StatusFile.of_environment(self._status)

    async def run(self, stop: asyncio.Event) -> None:
        """Be the unit until `stop` is set; then outputs are safe, helpers are gone and the control room knows."""
        validation.compile_all()
        await asyncio.gather(self._uplink.begin(), self._commissioning.begin())
        gc.collect()
        gc.freeze()  # what is built stays: collecting it again and again would hold up a help call for milliseconds
        async with AsyncExitStack() as closing:  # the last one first, each though others raise
            closing.push_async_callback(self._uplink.outbox.close)
            closing.push_async_callback(self._commands.office.close)
            if self._speaker is not None:
                closing.callback(self._speaker.close)
            closing.callback(self._decisions.close)
            outcomes, remembered = owed.apart(self._uplink.outbox.remembered().values())
            self._commands.recall(outcomes)
            self._decisions.begin(remembered, crashed=self._uplink.outbox.crashed)
            self._remind_self_test()
            await self._live(stop)

    def _resume(self, states: Sequence[Mapping[str, Any]], crashed: bool) -> None:  # noqa: FBT001 - the outbox's hook
        """The disk told only now what the last life left."""
        outcomes, remembered = owed.apart(states)
        self._commands.recall(outcomes)
        self._decisions.resume(remembered, crashed)
        self._remind_self_test()

    def _remind_self_test(self) -> None:
        """Of the fault that the last life left open, if it did: it would be taken for over."""
        if self._self_test is not None and self._incidents.has_fault(PART, CODE):
            self._self_test.still_faulty()

    async def _live(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as rooms:
            tasks = [
                rooms.create_task(keep(name, work, self._clock, self._report), name=name)
                for name, work in self._rooms()
            ]
            await stop.wait()
            await self._say_goodbye()
            for task in tasks:
                task.cancel()

    def _rooms(self) -> Iterable[Room]:
        """Everything that runs, by the name under which it is reported when it does not."""
        yield "rules", self._run_rules
        yield "panel", lambda working: self._panel.run(lambda: self._panel_read(working))
        yield from self._uplink.rooms()
        yield from self._commands.rooms()
        for name, helper in self._helpers.items():
            yield f"{name} owner", partial(_without_word, helper.run)
        yield from self._media.rooms()
        yield "status file", self._status_file.run
        if self._recovery is not None:
            yield "recovery", self._recovery.run
        if self._self_test is not None:
            yield "self-test", partial(_without_word, self._self_test.run)
        yield "commissioning", self._commissioning.run
        yield "local", self._local.run
        yield "updates", self._updates.run

    def _report(self, signal: Signal) -> None:
        """Something happened: first the rules, then those who only watch."""
        self._decisions.report(signal)
        self._hold.take(signal)
        if self._mirror is not None:
            self._mirror.take(signal)
        self._local.take(signal)

    def _act(self, actions: Sequence[Action]) -> None:
        """Begin every effect: the lamp, then the call, then voice, pictures and journal. None of them waits."""
        for action in actions:
            if isinstance(action, ShowLight):
                self._panel.show(action.pattern)
        self._tell(actions)
        for action in actions:
            match action:
                case SayLine(line):
                    self._speak(line_path(line))
                case PlayMessage(message):
                    self._speak(self._config.speaker.messages[message])
                case AnswerCommand() | NoteOutcome():
                    self._commands.act(action)
                case TakeStill() | TakeStrip() | CutClip():
                    self._ask_recorder(action)
                case Log(event, alert_id, facts):
                    log.info(event, alert_id=alert_id, **facts)
        if self._mirror is not None:
            self._mirror.act(actions)
        self._local.act(actions)

    def _tell(self, actions: Sequence[Action]) -> None:
        tells = [action for action in actions if isinstance(action, Tell)]
        remembers = [action for action in actions if isinstance(action, Remember)]
        now = self._clock.now()
        remembers += [owed.owed(action, now) for action in actions if isinstance(action, NoteOutcome)]
        if tells:
            self._media.give_way()
        if tells or remembers:
            self._uplink.courier.submit(tells, remembers)

    def _speak(self, recording: Path) -> None:
        if self._speaker is not None:
            self._speaker.say(str(recording))

    def _ask_recorder(self, action: Filming) -> None:
        recorder = self._helpers.get("recorder")
        if recorder is not None:
            recorder.request(request_of(action))
            return
        # An incident that a unit with a camera left behind; this one has been told that it has none.
        self._report(
            MediaFailed(action.alert_id, action.media, "the camera was taken out of service", self._clock.now())
        )

    async def _run_rules(self, working: Callable[[], None]) -> None:
        """Run the rules though nothing happens: the proof that feeds the watchdog."""
        while True:
            self._decisions.wake()
            self._proofs.prove("rules")
            if ("panel", "down") in self._decisions.faults:
                self._panel_settled()  # known and told: no reason to restart a unit that can still hear and call
            working()
            await asyncio.sleep(RULES_EVERY_S)

    def _uploads_barred(self) -> str | None:
        """A program that somebody changed talks to the control room, and to nobody else (EN 303 645, 5.7-2)."""
        changed = (software.PART, software.CHANGED) in self._decisions.faults
        return "the unit's software was changed" if changed else None

    def _panel_read(self, working: Callable[[], None]) -> None:
        """All inputs were read."""
        working()
        self._panel_settled()

    def _panel_settled(self) -> None:
        """The pins are read, or it is known that there are none."""
        if self._uplink.starting:
            self._uplink.end_start()
            self._manager.ready("armed")
            self._local.ready_s = self._clock.now().monotonic_s
        self._proofs.prove("panel")

    # --- where signals come from ---------------------------------------------------------------------------------

    def _take_event(self, event: Told) -> None:
        """A helper process did something."""
        if isinstance(event, SelfTestBegun | SelfTestEnded):
            if self._self_test is not None:
                self._self_test.take(event)
            return
        if isinstance(event, OrderDone | OrderRefused):
            self._commands.orders.take(event)
            return
        if self._self_test is not None and isinstance(event, PhraseSuspected | PhraseHeard):
            self._self_test.talked()
        voice, camera = self._config.voice.name, self._config.camera.name
        signal = signal_of(event, self._clock, microphone=voice, camera=camera)
        self._report(signal)
        if isinstance(signal, MediaReady) and (category := self._incidents.category_of(signal.alert_id)) is not None:
            self._media.take(signal, category)

    def _take_command(self, came: Commanded | Refusal) -> None:
        if isinstance(came, Commanded):
            self._hold.commanded(came.command)
        self._commands.office.take(came)

    def _upload_moved(self, progress: UploadProgress) -> None:
        self._commands.sender.moved(progress)

    def _speaker_lost_or_back(self, lost: HardwareLost | None) -> None:
        now = self._clock.now()
        self._report(
            FaultCleared("speaker", "lost", now) if lost is None else Faulted("speaker", "lost", f"{lost}.", now)
        )

    def _new_alert_id(self, category: Category) -> str:
        return self._uplink.new_alert_id(category)

    # --- tell ----------------------------------------------------------------------------------------------------

    def _link_up(self) -> None:
        if self._mirror is not None:
            self._mirror.link_up()
        self._commands.office.link_up()

    def _facts(self) -> Mapping[str, Any]:
        """What the parts of the unit say of themselves, for the heartbeat."""
        recorder, listener = self._helpers.get("recorder"), self._helpers.get("listener")
        return {
            **faults_facts(self._decisions.faults),
            **self._uplink.facts(),
            "commands": dict(self._commands.office.facts),
            "helpers": {name: helper.facts() for name, helper in self._helpers.items()},
            **self._media.facts(),
            **self._commissioning.facts(),
            **self._updates.facts(),
            "local": self._local.facts(),
            **footage_facts(recorder, self._recovery),
            **hearing_facts(listener, self._config.voice, self._clock.now()),
            **(self._self_test.facts() if self._self_test is not None else {}),
            **self._incidents.summary(),
        }

    def _status(self) -> UnitStatus:
        """How the unit stands, for other programs of this machine."""
        return UnitStatus(
            agent.__version__,
            os.getpid(),
            self._clock.now().monotonic_s,
            armed=not self._uplink.starting,
            proofs=self._proofs.fed,
            open_calls=self._hold.open_calls(),
            connected=self._uplink.paths.connected,
            working=tuple(name for name, helper in self._helpers.items() if helper.state is HelperState.WORKING),
        )

    def _others(self) -> Others:
        """What a restart of the machine would cost now."""
        phases = {each["state"] for each in self._incidents.summary()["open"] if each["category"] in CALLS}
        call = Call.ACTIVE if Phase.ACTIVE in phases else Call.OVER if phases else Call.NONE
        return self._uplink.others(call)

    async def _say_goodbye(self) -> None:
        """The last word, and an orderly farewell from the broker, on both connections."""
        await self._uplink.say_goodbye()
        try:
            async with asyncio.timeout(GOODBYE_WITHIN_S):
                async with asyncio.TaskGroup() as farewells:
                    farewells.create_task(self._uplink.paths.close())
                    farewells.create_task(self._media.close())
        except TimeoutError:
            log.warning("link_not_closed")


async def _without_word(run: Callable[[], Awaitable[None]], working: Callable[[], None]) -> None:
    """Run what repairs and reports itself: it works as soon as it runs."""
    working()
    await run()
