"""Commands that change what the unit does at the scene and tells of it: the rules decide (`agent.incidents`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.commands.carrying import NotTaken
from agent.hw.messages import MessageUnusable
from agent.signals import (
    AnnouncementRequested,
    CommandName,
    LightRequested,
    QuietRequested,
    SetRequested,
    TestRequested,
    Why,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.commands.carrying import Handlers
    from agent.hw.messages import StoredMessages
    from agent.signals import Command, Signal


def handlers(
    stored: StoredMessages, report: Callable[[Signal], None], want_self_test: Callable[[], None] | None
) -> Handlers:
    """Set and unset, light, announcements, quiet causes and test alerts.

    Args:
        stored: The messages that can be spoken.
        report: The way to the rules, which answer with `AnswerCommand` actions.
        want_self_test: Has the unit speak to itself; None where it cannot.
    """

    def set_or_unset(command: Command) -> None:
        report(SetRequested(command.name is CommandName.SET, command.by, command.at, command.ref))

    def light(command: Command) -> None:
        report(LightRequested(command.args["forS"], command.by, command.at, command.ref))

    def quiet_cause(command: Command) -> None:
        report(QuietRequested(command.args["cause"], command.args["forS"], command.by, command.at, command.ref))

    def test_alert(command: Command) -> None:
        report(TestRequested(command.by, command.at, command.ref))
        if want_self_test is not None:
            want_self_test()  # a test of the whole chain begins at the microphone

    def announce(command: Command) -> None:
        name = command.args["message"]
        if name not in stored.names:
            there = ", ".join(sorted(stored.names)) or "none"
            raise NotTaken(Why.NOT_FOUND, f"there is no stored message {name}; there are: {there}")
        try:
            lasts_s = stored.length_s(name)
        except MessageUnusable as error:
            raise NotTaken(Why.UNAVAILABLE, f"the message {name} {error}") from error
        report(AnnouncementRequested(name, lasts_s, command.by, command.at, command.ref))

    return {
        CommandName.SET: set_or_unset,
        CommandName.UNSET: set_or_unset,
        CommandName.LIGHT: light,
        CommandName.ANNOUNCE: announce,
        CommandName.QUIET_CAUSE: quiet_cause,
        CommandName.TEST_ALERT: test_alert,
    }
