"""The command room: the office where commands come in, and everybody who carries them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.apart import apart
from agent.commands import owed, premises, uploads
from agent.commands.audit import Audit
from agent.commands.file import CommandFile
from agent.commands.footage import FootageOrders
from agent.commands.office import Office
from agent.commands.parts import Parts
from agent.commands.sender import Sender
from agent.hw.messages import StoredMessages
from agent.signals import NoteOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.helpers.owner import Helper
    from agent.rooms import Room
    from agent.self_test import SelfTestRoom
    from agent.signals import AnswerCommand, Category, Remember, Signal
    from agent.uplink.media.uploads import Uploads
    from agent.uplink.paths import Paths


log = structlog.get_logger()

MEASURED_WITHIN_S: Final = 5.0
"""A disk that takes longer for the stored messages hangs, and commands are taken without them."""


class CommandRoom:
    """Built of what the unit has; the office takes commands, and hears here what became of them elsewhere."""

    def __init__(  # noqa: PLR0913 - what commands can be about
        self,
        config: Config,
        clock: Clock,
        paths: Paths,
        *,
        helpers: Mapping[str, Helper],
        self_test: SelfTestRoom | None,
        sending: Uploads,
        category_of: Callable[[str], Category | None],
        facts: Callable[[], Mapping[str, Any]],
        report: Callable[[Signal], None],
        remember: Callable[[Remember], object],
    ) -> None:
        """A room that does nothing yet.

        Args:
            config: Who may do what.
            clock: Where moments come from.
            paths: Where answers and audit go.
            helpers: The unit's helper processes by name.
            self_test: Has the unit speak to itself; None where it cannot.
            sending: Who moves files off the unit.
            category_of: What an alert is about.
            facts: How the unit is, as the heartbeat says it.
            report: Takes what commands have the rules do.
            remember: Takes note of what the audit has got of what was kept for it.
        """
        self._remember = remember
        self._messages = StoredMessages(config.speaker.messages)
        audit = self._audit = Audit(config.unit, CommandFile(config.state_folder), clock, paths, report)
        office = self.office = Office(config, clock, paths, audit)
        want_self_test = None if self_test is None else self_test.want
        self.orders = FootageOrders(helpers.get("recorder"), office.answered)
        self.sender = Sender(sending, clock, category_of=category_of, answer=office.answered)
        parts = Parts(config, helpers, want_self_test=want_self_test, facts=facts, answer=office.answered)
        if self_test is not None:
            self_test.on_result = parts.tested
        office.employ(premises.handlers(self._messages, report, want_self_test))
        office.employ(self.orders.handlers(), given_up=self.orders.given_up)
        office.employ(parts.handlers(), look=parts.look, given_up=parts.given_up)
        office.employ(uploads.handlers(self.sender), given_up=self.sender.given_up, resume=self.sender.resume)

    def act(self, action: AnswerCommand | NoteOutcome) -> None:
        """Tell how a command stands, or write into the audit how an incident ended."""
        if isinstance(action, NoteOutcome):
            self._note_outcome(action)
        else:
            self.office.answered(action)

    def recall(self, states: Iterable[Mapping[str, Any]]) -> None:
        """Outcomes that the last life left behind, maybe without their record."""
        for state in states:
            try:
                ended, at = owed.recalled(state)
            except (KeyError, ValueError) as error:
                log.warning("owed_outcome_unreadable", reason=repr(error))
            else:
                self._note_outcome(ended, f"written after a restart of the unit; it happened at {at}")

    def _note_outcome(self, ended: NoteOutcome, detail: str | None = None) -> None:
        """Chained like the rest: what was said of an incident is not to be changed later."""
        self._audit.note_soon(
            "outcome",
            lambda: self._remember(owed.settled(ended.alert_id)),
            alertId=ended.alert_id,
            category=ended.category,
            outcome=ended.outcome,
            cause=ended.cause,
            operatorRef=ended.by,
            detail=detail,
        )

    def rooms(self) -> Iterable[Room]:
        """What runs, by name."""
        yield "commands", self._run
        yield "uploads of commands", self.sender.run

    async def _run(self, working: Callable[[], None]) -> None:
        """Take commands, once the stored messages were measured: the buttons do not wait for that."""
        try:
            await apart(self._messages.measure, name="messages", within_s=MEASURED_WITHIN_S)
        except TimeoutError:  # the thread goes on: they can be spoken once the disk answers
            log.warning("messages_not_measured", reason="the disk does not answer")
        await self.office.run(working)
