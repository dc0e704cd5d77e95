"""The composition root: builds the rooms from a configuration and a hardware kit, and keeps them at work.

Data flows one way through them: sense -> decide -> act -> tell. Every signal, wherever it comes from, goes through
`Decisions.report`; every decision is made in `agent.incidents`; every effect starts in `Unit._act`. Nothing on that
way waits for anything.
"""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

import agent
from agent.commands import premises, uploads
from agent.commands.audit import Audit
from agent.commands.file import CommandFile
from agent.commands.footage import FootageOrders
from agent.commands.office import Office
from agent.commands.parts import Parts
from agent.commands.sender import Sender
from agent.decisions import Decisions
from agent.health.proofs import Proofs
from agent.heartbeat import Heartbeat
from agent.helpers.last_rung import Call, Others
from agent.helpers.messages import (
    OrderDone,
    OrderRefused,
    PhraseHeard,
    PhraseSuspected,
    SelfTestBegun,
    SelfTestEnded,
)
from agent.helpers.owner import Helper
from agent.helpers.translation import request_of, signal_of
from agent.hw.lines import line_path
from agent.incidents import Incidents
from agent.incidents.incident import Phase
from agent.life import Life, begin_life
from agent.meter_facts import meter_facts
from agent.panel import Panel
from agent.reboot import RebootDesk
from agent.recovery import Recovery
from agent.rooms import keep
from agent.self_test import CODE, PART, SelfTestRoom
from agent.signals import (
    AckLevel,
    Acknowledged,
    AnswerCommand,
    Category,
    CutClip,
    FaultCleared,
    Faulted,
    Log,
    MediaFailed,
    MediaReady,
    MediaSent,
    PlayMessage,
    Remember,
    SayLine,
    ShowLight,
    TakeStill,
    TakeStrip,
    Tell,
)
from agent.uplink import messages, validation
from agent.uplink.connection import Manners
from agent.uplink.courier import Courier
from agent.uplink.credentials import Keeper
from agent.uplink.disk import Disk
from agent.uplink.help_ids import new_alert_id
from agent.uplink.inbox import READ_BYTES, Commanded, Inbox, Refusal
from agent.uplink.media.request import PieceOf, UploadState
from agent.uplink.media.room import MediaRoom
from agent.uplink.messages import State
from agent.uplink.mirror import OnvifMirror
from agent.uplink.outbox import Outbox
from agent.uplink.path_watch import PathEvent
from agent.uplink.paths import ALTERNATE, PRIMARY, Paths
from agent.uplink.publication import LinkDown, PublishRefused, Subscription
from agent.uplink.storage import State as DiskState
from agent.uplink.topics import UnitTopics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.helpers.translation import Told
    from agent.hw.kit import HardwareLost, Kit, Speaker
    from agent.notify import ServiceManager
    from agent.signals import Action, Filming, Signal
    from agent.uplink.credentials import Credentials
    from agent.uplink.media.request import UploadProgress
    from agent.uplink.publication import Publication, Received
    from agent.uplink.tls import Endpoint

log = structlog.get_logger()

RULES_EVERY_S = 1.0
"""How often the rules are run though nothing happened: the proof that they can be."""
CALLS = frozenset({Category.HELP, Category.INTRUDER})
"""People depend on the unit while one of these is open."""
GOODBYE_WITHIN_S = 1.0
"""For the last status and for the broker's farewell, each; the whole stop has 5 s."""


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
        topics = UnitTopics(config.unit.org, config.unit.id)
        self._link = Paths(
            {PRIMARY: endpoint} | ({} if alternate is None else {ALTERNATE: alternate}),
            Manners(
                config.unit.id,
                (Subscription(topics.ack), Subscription(topics.command("+"), retain_as_published=True)),
                keepalive_s=config.uplink.heartbeat_s,
                max_payload=READ_BYTES,
            ),
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
                self._report,
                connected=lambda: self._link.connected,
                hurry=self._link.hurry,
            )
        if config.uplink.onvif_ej:
            self._mirror = OnvifMirror(config, self._link.send, clock)
        self._outbox = Outbox(
            Disk(config.state_folder),
            config.uplink.capacity,
            clock,
            on_trouble=self._storage_troubled,
            on_over=self._storage_recovered,
        )
        self._heartbeat = Heartbeat(config, clock, self._link, self._facts, self._report)
        self._courier = Courier(
            config, self._outbox, self._link, clock, on_trouble=self._uplink_troubled, on_over=self._uplink_recovered
        )
        self._inbox = Inbox(config.unit)
        self._media = MediaRoom(
            config,
            endpoint,
            clock,
            self._courier,
            lambda: self._link.sent_bytes,
            category_of=self._incidents.category_of,
            on_upload=self._upload_moved,
        )
        now = clock.now()
        self._life = Life(now.boot_id, now.monotonic_s)
        """Known in full once it was counted."""
        audit = Audit(config.unit, CommandFile(config.state_folder), clock, self._link, self._report)
        self._office = Office(config, clock, self._link, audit)
        self._sender = Sender(
            self._media.uploads, clock, category_of=self._incidents.category_of, answer=self._office.answered
        )
        self._orders = self._employ()
        self._starting = True
        """Until all inputs were read: a button that is found pressed was held through the start."""
        self._proofs = Proofs({"rules", "panel"}, manager.working)

    def _employ(self) -> FootageOrders:
        """Say who carries out which commands; returns who hears of what the recorder makes."""
        office, test = self._office, self._self_test
        want_self_test = None if test is None else test.want
        orders = FootageOrders(self._helpers.get("recorder"), office.answered)
        parts = Parts(
            self._config,
            self._helpers,
            want_self_test=want_self_test,
            facts=self._facts,
            answer=office.answered,
        )
        office.employ(premises.handlers(self._config.speaker, self._report, want_self_test))
        office.employ(orders.handlers(), given_up=orders.given_up)
        office.employ(parts.handlers(), look=parts.look, given_up=parts.given_up)
        sender = self._sender
        office.employ(
            uploads.handlers(self._config.footage_folder, sender), given_up=sender.given_up, resume=sender.resume
        )
        if test is not None:
            test.on_result = parts.tested
        return orders

    async def run(self, stop: asyncio.Event) -> None:
        """Be the unit until `stop` is set; then outputs are safe, helpers are gone and the control room knows."""
        validation.compile_all()
        _, self._life = await asyncio.gather(
            self._outbox.begin(), begin_life(self._config.state_folder, self._clock.now())
        )
        gc.collect()
        gc.freeze()  # what is built stays: collecting it again and again would hold up a help call for milliseconds
        try:
            self._decisions.begin(self._outbox.remembered().values(), crashed=self._outbox.crashed)
            if self._self_test is not None and self._incidents.has_fault(PART, CODE):
                self._self_test.still_faulty()
            await self._live(stop)
        finally:
            self._decisions.close()
            if self._speaker is not None:
                self._speaker.close()
            await self._office.close()
            await self._outbox.close()

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

    def _rooms(self) -> Iterable[tuple[str, Callable[[Callable[[], None]], Awaitable[None]]]]:
        """Everything that runs, by the name under which it is reported when it does not."""
        yield "rules", self._run_rules
        yield "panel", lambda working: self._panel.run(lambda: self._panel_read(working))
        yield "link", self._run_link
        yield "commands", self._office.run
        yield "courier", partial(_without_word, self._courier.run)
        yield "heartbeat", self._heartbeat.run
        if self._keeper is not None:
            yield "credentials", self._keeper.run
        for name, helper in self._helpers.items():
            yield f"{name} owner", partial(_without_word, helper.run)
        yield from self._media.rooms()
        yield "uploads of commands", self._sender.run
        if self._recovery is not None:
            yield "recovery", self._recovery.run
        if self._self_test is not None:
            yield "self-test", partial(_without_word, self._self_test.run)

    def _report(self, signal: Signal) -> None:
        """Something happened: first the rules, then those who only watch."""
        self._decisions.report(signal)
        if self._mirror is not None:
            self._mirror.take(signal)

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
                case AnswerCommand():
                    self._office.answered(action)
                case TakeStill() | TakeStrip() | CutClip():
                    self._ask_recorder(action)
                case Log(event, alert_id, facts):
                    log.info(event, alert_id=alert_id, **facts)
        if self._mirror is not None:
            self._mirror.act(actions)

    def _tell(self, actions: Sequence[Action]) -> None:
        tells = [action for action in actions if isinstance(action, Tell)]
        remembers = [action for action in actions if isinstance(action, Remember)]
        if tells:
            self._media.give_way()
        if tells or remembers:
            self._courier.submit(tells, remembers)

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

    def _panel_read(self, working: Callable[[], None]) -> None:
        """All inputs were read."""
        working()
        self._panel_settled()

    def _panel_settled(self) -> None:
        """The pins are read, or it is known that there are none."""
        if self._starting:
            self._starting = False
            self._outbox.end_start()
            self._manager.ready("armed")
        self._proofs.prove("panel")

    # --- where signals come from ---------------------------------------------------------------------------------

    def _take_event(self, event: Told) -> None:
        """A helper process did something."""
        if isinstance(event, SelfTestBegun | SelfTestEnded):
            if self._self_test is not None:
                self._self_test.take(event)
            return
        if isinstance(event, OrderDone | OrderRefused):
            self._orders.take(event)
            return
        if self._self_test is not None and isinstance(event, PhraseSuspected | PhraseHeard):
            self._self_test.talked()
        voice, camera = self._config.voice.name, self._config.camera.name
        signal = signal_of(event, self._clock, microphone=voice, camera=camera)
        self._report(signal)
        if isinstance(signal, MediaReady) and (category := self._incidents.category_of(signal.alert_id)) is not None:
            self._media.take(signal, category)

    def _upload_moved(self, progress: UploadProgress) -> None:
        """An upload goes on, or is over: the latter is told with its alert."""
        log.info(
            "upload",
            upload_id=progress.upload_id,
            state=progress.state,
            sent_bytes=progress.sent_bytes,
            size_bytes=progress.size_bytes,
        )
        if isinstance(progress.what, PieceOf) and progress.state in {UploadState.DONE, UploadState.FAILED}:
            self._report(
                MediaSent(
                    progress.what.alert_id,
                    progress.what.media,
                    self._clock.now(),
                    host=progress.host,
                    sha256=progress.sha256,
                    confirmed=progress.confirmed,
                    reason=progress.reason,
                )
            )
        self._sender.moved(progress)

    def _take_message(self, received: Received) -> None:
        """The control room said something."""
        understood = self._inbox.read(received, self._clock.now())
        match understood:
            case Acknowledged(alert_id, revision, level):
                if level is AckLevel.RECEIVER:
                    self._courier.acknowledged(alert_id, revision)
                self._report(understood)
            case Commanded() | Refusal():
                self._office.take(understood)

    def _speaker_lost_or_back(self, lost: HardwareLost | None) -> None:
        now = self._clock.now()
        self._report(
            FaultCleared("speaker", "lost", now) if lost is None else Faulted("speaker", "lost", f"{lost}.", now)
        )

    def _storage_troubled(self, code: str, text: str) -> None:
        self._report(Faulted("outbox", code, text, self._clock.now()))

    def _storage_recovered(self, code: str) -> None:
        self._report(FaultCleared("outbox", code, self._clock.now()))

    def _uplink_troubled(self, code: str, text: str) -> None:
        self._report(Faulted("uplink", code, text, self._clock.now()))

    def _uplink_recovered(self, code: str) -> None:
        self._report(FaultCleared("uplink", code, self._clock.now()))

    def _new_alert_id(self, category: Category) -> str:
        return self._outbox.take_help_id(at_start=self._starting) if category is Category.HELP else new_alert_id()

    # --- tell ----------------------------------------------------------------------------------------------------

    async def _run_link(self, working: Callable[[], None]) -> None:
        working()  # the link reports and repairs itself
        await self._link.run()
        await asyncio.get_running_loop().create_future()  # closed: it has nothing more to do until the unit ends

    def _link_changed(self, up: bool) -> None:  # noqa: FBT001 - the link's own word for it
        if up:
            self._heartbeat.beat_soon()
            if self._mirror is not None:
                self._mirror.link_up()
            self._office.link_up()
        else:
            self._courier.hurry()

    def _path_changed(self, path: str, event: PathEvent, why: str | None) -> None:
        """One of two ways to the control room was lost or came back: the other one tells."""
        match event:
            case PathEvent.LOST:
                self._uplink_troubled(f"{path}-lost", f"The {path} path to the control room does not work: {why}.")
            case PathEvent.BACK:
                self._uplink_recovered(f"{path}-lost")
            case PathEvent.WILL_TOLD if self._link.connected:
                # A broker keeps the last will of the lost path for whoever comes later: we live, say so.
                self._link.send(self._status(State.ONLINE))

    def _status(self, state: State, path: str | None = None) -> Publication:
        unit, now = self._config.unit, self._clock.now()
        skipped = [self._outbox.skipped] if self._outbox.skipped else []
        paths = self._link.names if path is not None and len(self._link.names) > 1 else ()
        return messages.status(
            unit,
            now,
            state,
            software=agent.__version__,
            skipped=skipped,
            path=path,
            paths=paths,
            life=self._life,
            last_sequence=self._outbox.last_sequence,
        ).publication()

    def _facts(self) -> Mapping[str, Any]:
        """What the parts of the unit say of themselves, for the heartbeat."""
        faults = [
            {"part": part, "code": code, "text": text} for (part, code), text in sorted(self._decisions.faults.items())
        ]
        return {
            "state": "degraded" if faults else "ok",
            "faults": faults,
            "life": self._life.facts(),
            "outbox": {
                "pending": self._courier.pending,
                "oldestAgeS": round(self._courier.oldest_age_s(self._clock.now()), 1),
                "capacity": self._outbox.capacity,
                "dropped": self._outbox.dropped,
                "lastSequence": self._outbox.last_sequence,
            },
            "paths": self._link.facts(),
            "commands": dict(self._office.facts),
            "helpers": {name: helper.facts() for name, helper in self._helpers.items()},
            **self._media.facts(),
            **(self._keeper.facts() if self._keeper is not None else {}),
            **self._footage_facts(),
            **self._hearing_facts(),
            **(self._self_test.facts() if self._self_test is not None else {}),
        } | dict(self._incidents.summary())

    def _footage_facts(self) -> Mapping[str, Any]:
        """How much footage there is, as soon as the recorder has said it, and what is done to get more."""
        recorder = self._helpers.get("recorder")
        if recorder is None or self._recovery is None:
            return {}
        footage = {} if recorder.footage is None else {"footage": dict(recorder.footage.facts)}
        return {**footage, "recovery": self._recovery.facts()}

    def _hearing_facts(self) -> Mapping[str, Any]:
        """How the microphone hears and how loud it is, as far as the listener said it, and when."""
        listener, voice = self._helpers.get("listener"), self._config.voice
        if listener is None:
            return {}
        facts: dict[str, Any] = {}
        now = self._clock.now()
        if listener.hearing is not None:
            facts |= {"ageS": round(now.monotonic_s - listener.hearing.at_s, 1), **listener.hearing.facts}
        if voice.meter.enabled:
            facts |= meter_facts(voice.meter.calibrated_on, listener.sound, now)
        return {"mics": [{"id": voice.name, **facts}]} if facts else {}

    def _others(self) -> Others:
        """What a restart of the machine would cost now."""
        phases = {each["state"] for each in self._incidents.summary()["open"] if each["category"] in CALLS}
        call = Call.ACTIVE if Phase.ACTIVE in phases else Call.OVER if phases else Call.NONE
        return Others(call, self._courier.pending, self._outbox.disk is DiskState.WORKING)

    async def _say_goodbye(self) -> None:
        """The last status, and an orderly farewell from the broker: no last will, nobody is lost."""
        try:
            async with asyncio.timeout(GOODBYE_WITHIN_S):
                await self._link.publish(self._status(State.STOPPED))
        except (LinkDown, PublishRefused, TimeoutError) as why:
            log.warning("goodbye_not_said", reason=str(why) or "the broker did not answer in time")
        try:
            async with asyncio.timeout(GOODBYE_WITHIN_S):
                async with asyncio.TaskGroup() as farewells:
                    farewells.create_task(self._link.close())
                    farewells.create_task(self._media.close())
        except TimeoutError:
            log.warning("link_not_closed")


async def _without_word(run: Callable[[], Awaitable[None]], working: Callable[[], None]) -> None:
    """Run what repairs and reports itself: it works as soon as it runs."""
    working()
    await run()
