"""Commands about footage: the recorder finds it, keeps it and makes pictures of it (`agent.footage.orders`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ulid import ULID

from agent.commands.carrying import NotTaken
from agent.helpers.messages import ClipOrder, HoldOrder, OrderDone, OrderRefused, ReleaseOrder, StillOrder
from agent.signals import Answer, AnswerCommand, CommandName, Why

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.commands.carrying import Answering, Handlers
    from agent.helpers.messages import Order
    from agent.signals import Command

LONGEST_CLIP: Final = timedelta(minutes=10)
"""150 MB at 2 Mbit/s: what somebody wants to see now. For more there is `safepoint footage clip` and the export."""
AHEAD: Final = timedelta(minutes=5)
"""How far the end of a clip may be to come."""
LONGEST_HOLD: Final = timedelta(days=7)
"""One command must not fill the disk with what nobody looks at."""


class FootageOrders:
    """The orders that the recorder has, each with the command it is for."""

    def __init__(self, order: Callable[[Order], None] | None, answer: Answering) -> None:
        """No orders yet.

        Args:
            order: Gives one to the recorder, which answers by `take`; None on a unit without a camera.
            answer: Takes what comes of a command.
        """
        self._order = order
        self._answer = answer
        self._refs: dict[str, str] = {}

    def handlers(self) -> Handlers:
        """What this family carries out."""
        return {
            CommandName.STILL: self._still,
            CommandName.CLIP: self._clip,
            CommandName.FOOTAGE_HOLD: self._hold,
            CommandName.FOOTAGE_RELEASE: self._release,
        }

    def take(self, event: OrderDone | OrderRefused) -> None:
        """The recorder answered."""
        ref = self._refs.pop(event.order_id, None)
        if ref is None:
            return  # given up meanwhile
        if isinstance(event, OrderDone):
            self._answer(AnswerCommand(ref, Answer.DONE, text=event.text, result=event.facts))
        else:
            self._answer(AnswerCommand(ref, Answer.FAILED, Why(event.code), event.text))

    def given_up(self, ref: str) -> None:
        """Nobody waits for this command any more."""
        self._refs = {order_id: each for order_id, each in self._refs.items() if each != ref}

    def _still(self, command: Command) -> None:
        at = command.at.wall
        if "at" in command.args:
            at = _time(command.args["at"])
        if at > command.at.wall:
            raise NotTaken(Why.INVALID, "the moment of the still is to come")
        self._give(command, StillOrder(_new_id(), at))

    def _clip(self, command: Command) -> None:
        start, end = _interval(command)
        if end - start > LONGEST_CLIP:
            raise NotTaken(Why.INVALID, f"a clip holds at most {LONGEST_CLIP // timedelta(minutes=1)} min")
        if end > command.at.wall + AHEAD:
            raise NotTaken(Why.INVALID, f"a clip ends at most {AHEAD // timedelta(minutes=1)} min ahead")
        self._give(command, ClipOrder(_new_id(), start, end))

    def _hold(self, command: Command) -> None:
        start, end = _interval(command)
        if end - start > LONGEST_HOLD:
            raise NotTaken(Why.INVALID, f"a hold keeps at most {LONGEST_HOLD.days} days")
        args = command.args
        self._give(command, HoldOrder(_new_id(), args["ref"], args["reason"], command.by, command.at.wall, start, end))

    def _release(self, command: Command) -> None:
        args = command.args
        self._give(command, ReleaseOrder(_new_id(), args["ref"], args["reason"], command.by, command.at.wall))

    def _give(self, command: Command, order: Order) -> None:
        if self._order is None:
            raise NotTaken(Why.UNAVAILABLE, "this unit has no camera")
        self._refs[order.order_id] = command.ref
        self._answer(AnswerCommand(command.ref, Answer.RUNNING, text="the recorder has it"))
        self._order(order)


def _interval(command: Command) -> tuple[datetime, datetime]:
    start, end = _time(command.args["from"]), _time(command.args["to"])
    if end <= start:
        raise NotTaken(Why.INVALID, "the interval ends before it begins")
    return start, end


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NotTaken(Why.INVALID, f"{text} is no time") from error


def _new_id() -> str:
    """Also the name of a folder, where something is made."""
    return f"cmd-{ULID()}"
