"""Where commands come in: each is judged, written down, carried out once, and answered until it is over.

Written down comes before carried out, so that no power cut makes the unit do a thing twice. A disk that does not answer
holds nobody up for long: a light for somebody in danger is worth more than the certainty that it is lit once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.commands.admission import WAITED_TOO_LONG, refusal_of, why_not
from agent.commands.answers import UNSENT, Answers
from agent.commands.carrying import NotTaken
from agent.commands.file import NotWritten
from agent.commands.ledger import Full, Ledger
from agent.commands.patience import is_overdue
from agent.commands.redaction import without_secrets
from agent.signals import Answer, AnswerCommand, Why
from agent.uplink.inbox import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.clock import Clock
    from agent.commands.audit import Audit
    from agent.commands.carrying import Handler, Handlers
    from agent.commands.file import Contents
    from agent.commands.ledger import Entry
    from agent.config.settings import Config
    from agent.signals import CommandName
    from agent.uplink.inbox import Commanded
    from agent.uplink.link import Link
    from agent.uplink.paths import Paths

log = structlog.get_logger()

WRITTEN_WITHIN_S: Final = 0.5
"""An answer is due within a second (standards.md goal 27); a worn card takes a tenth of one to write."""
WAITING: Final = 64
"""Commands that wait to be written: one at a time is carried out, and a console gives one a second at most."""
LOOK_EVERY_S: Final = 0.5


class Office:
    """All commands of one unit. `take` what comes; `run` opens their file and carries them out."""

    def __init__(self, config: Config, clock: Clock, link: Link | Paths, audit: Audit) -> None:
        self._config = config
        self._clock = clock
        self._audit = audit
        self._answers = Answers(config.unit, clock, link)
        self._ledger = Ledger()
        self._handlers: dict[CommandName, Handler] = {}
        self._given_up: list[Callable[[str], None]] = []
        self._resumes: dict[CommandName, Callable[[str], None]] = {}
        self._looks: list[Callable[[], None]] = []
        self._waiting: deque[tuple[Commanded, asyncio.Future[None]]] = deque()
        self._is_open = False
        """The file is open, or was waited for long enough."""
        self.knows_all = False
        """What the last life left is in the ledger, so far as it can be read."""
        self._held: deque[Commanded | Refusal] = deque()
        """What came before it was open."""
        self._early: deque[AnswerCommand] = deque(maxlen=UNSENT)
        """Answers to commands that only the file may know."""
        self._news = asyncio.Event()

    def employ(
        self,
        handlers: Handlers,
        *,
        look: Callable[[], None] | None = None,
        given_up: Callable[[str], None] | None = None,
        resume: Callable[[str], None] | None = None,
    ) -> None:
        """Take in a family of commands.

        Args:
            handlers: Who carries out which.
            look: Called twice a second.
            given_up: Hears of a command that took too long.
            resume: Hears, once the file is read, of each command that was not over: it goes on with it, or answers
                that it is over. Without it such a command has failed.
        """
        self._handlers |= handlers
        self._looks += [look] if look else []
        self._given_up += [given_up] if given_up else []
        self._resumes |= dict.fromkeys(handlers, resume) if resume else {}

    async def _open(self) -> None:
        """Wait for the file, but not for long, and then take what came meanwhile."""
        contents = await self._audit.open()
        self._is_open = True
        if contents is not None:
            self._recall(contents)
        while self._held:
            self.take(self._held.popleft())

    async def _open_late(self) -> None:
        """The disk that did not answer at the start may do so yet."""
        if not self.knows_all:
            contents = await self._audit.open_late()
            log.info("commands_recalled_late", count=len(contents.entries))
            self._recall(contents)

    def _recall(self, contents: Contents) -> None:
        """Take up what the last life left. What was being done is over, unless its family resumes it."""
        self.knows_all = True
        recalled = self._ledger.recall(contents.entries)
        if contents.unreadable:
            log.warning("commands_unreadable", count=contents.unreadable)
        for entry in recalled:
            if entry.is_over:
                continue
            if entry.name in self._resumes:
                entry.since = self._clock.now()  # its patience begins anew
                self._resumes[entry.name](entry.ref)
            else:
                text = "the unit was restarted before it was over"
                self.answered(AnswerCommand(entry.ref, Answer.FAILED, Why.INTERRUPTED, text))
        while self._early:
            self.answered(self._early.popleft())

    def take(self, came: Commanded | Refusal) -> None:
        """A command came, or what is none."""
        if not self._is_open:
            if len(self._held) < WAITING:
                self._held.append(came)
            else:
                full = "the unit is starting, and too many commands wait already: wait a minute"
                self._refuse(came if isinstance(came, Refusal) else refusal_of(came, Why.BUSY, full))
            return
        if isinstance(came, Refusal):
            self._refuse(came)
            return
        command = came.command
        known = self._ledger.get(command.ref)
        if known is not None and known.digest == command.digest:
            self._repeat(known, came)
        elif (refusal := why_not(came, known, self._config.commands, self._clock.now().monotonic_s)) is not None:
            self._refuse(refusal)
        else:
            self._accept(came)

    def answered(self, answer: AnswerCommand) -> None:
        """A command that was begun goes on, or is over."""
        entry = self._ledger.get(answer.command)
        if entry is None and not self.knows_all:
            self._early.append(answer)
            return
        if entry is None or entry.is_over:
            log.warning("answer_to_nobody", command=answer.command, answer=answer.answer)
            return
        entry.enter(answer, self._clock.now())
        log.info("command_answered", command=entry.name, by=entry.by, answer=answer.answer, reason=answer.text)
        self._audit.keep(entry, "answer", **_of_entry(entry), status=entry.answer, code=entry.why, detail=entry.text)
        self._answers.give(entry)

    def link_up(self) -> None:
        """What could not be said is said now, as far as it is still of use."""
        self._answers.link_up()

    @property
    def facts(self) -> Mapping[str, int]:
        """For the heartbeat."""
        return {"running": len(self._ledger.unfinished), **self._audit.facts}

    async def run(self, working: Callable[[], None]) -> None:
        """Carry out what was taken, in the order in which it came, until cancelled."""
        if not self._is_open:
            await self._open()
        async with asyncio.TaskGroup() as work:
            work.create_task(self._open_late(), name="commands-open-late")
            work.create_task(self._audit.run(), name="audit")
            work.create_task(self._look(), name="commands-look")
            working()
            while True:
                while self._waiting:
                    came, written = self._waiting.popleft()
                    await self._is_written(written)
                    self._carry_out(came)
                self._news.clear()
                await self._news.wait()

    async def close(self) -> None:
        """Write what is left to write."""
        await self._audit.close()

    # --- taking --------------------------------------------------------------------------------------------------

    def _accept(self, came: Commanded) -> None:
        command = came.command
        if len(self._waiting) >= WAITING:
            self._refuse(refusal_of(came, Why.BUSY, "too many commands wait already: wait a minute"))
            return
        try:
            entry, forgotten = self._ledger.take(command)
        except Full:
            self._refuse(refusal_of(came, Why.BUSY, "the unit has more commands than it can remember: wait a minute"))
            return
        if came.reply is not None:
            entry.reply_topic, entry.correlation = came.reply.topic, came.reply.correlation
        log.info("command_accepted", command=command.name, by=command.by, source=command.source)
        written = self._audit.keep(
            entry,
            "command",
            forgotten=forgotten,
            **_of_entry(entry),
            args=without_secrets(command.args),
            reason=command.reason,
            status=Answer.ACCEPTED,
        )
        self._waiting.append((came, written))
        self._news.set()

    def _repeat(self, entry: Entry, came: Commanded) -> None:
        """The same command again: it is not done again, and its last answer goes to where it is asked for now."""
        if came.reply is not None:
            entry.reply_topic, entry.correlation = came.reply.topic, came.reply.correlation
        log.info("command_repeated", command=entry.name, by=entry.by, answer=entry.answer)
        self._audit.keep(entry, "repeated", **_of_entry(entry), status=entry.answer)
        self._answers.give(entry)

    def _refuse(self, refusal: Refusal) -> None:
        log.warning("message_refused", topic=refusal.topic[:256], why=refusal.why, reason=refusal.text)
        document: Mapping[str, Any] = refusal.said or {}
        data: Mapping[str, Any] = document.get("data", {})
        self._audit.note(
            "refused",
            topic=refusal.topic[:256],
            commandId=document.get("id"),
            source=document.get("source"),
            command=refusal.name,
            operatorRef=data.get("operatorRef"),
            reason=data.get("reason"),
            digest=refusal.digest,
            status=Answer.REFUSED,
            code=refusal.why,
            detail=refusal.text[:1024],
        )
        self._answers.refuse(refusal)

    # --- carrying out --------------------------------------------------------------------------------------------

    async def _is_written(self, written: asyncio.Future[None]) -> None:
        try:
            async with asyncio.timeout(WRITTEN_WITHIN_S):
                await asyncio.shield(written)
        except (NotWritten, TimeoutError) as error:
            log.warning("command_not_written", reason=str(error) or "the disk does not answer", effect="carried out")

    def _carry_out(self, came: Commanded) -> None:
        command = came.command
        entry = self._ledger.get(command.ref)
        if entry is None or entry.is_over:
            return
        if self._clock.now().monotonic_s > came.lapses_s:
            self.answered(AnswerCommand(command.ref, Answer.REFUSED, Why.EXPIRED, WAITED_TOO_LONG))
            return
        self._answers.give(entry)  # accepted
        try:
            self._handlers[command.name](command)
        except NotTaken as refused:
            self.answered(AnswerCommand(command.ref, Answer.REFUSED, refused.why, refused.text))
        except Exception as error:  # one command that fails must not keep the next from being taken
            log.exception("command_failed", command=command.name)
            text = f"it cannot be carried out: {type(error).__name__}"
            if not entry.is_over:
                self.answered(AnswerCommand(command.ref, Answer.FAILED, Why.UNAVAILABLE, text))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for look in self._looks:
                look()
            now = self._clock.now()
            for entry in self._ledger.unfinished:
                if is_overdue(entry, now):
                    for given_up in self._given_up:
                        given_up(entry.ref)
                    text = "nothing was heard of it for too long"
                    self.answered(AnswerCommand(entry.ref, Answer.FAILED, Why.TIMED_OUT, text))


def _of_entry(entry: Entry) -> dict[str, Any]:
    return {
        "commandId": entry.command_id,
        "source": entry.source,
        "command": entry.name,
        "operatorRef": entry.by,
        "digest": entry.digest,
    }
