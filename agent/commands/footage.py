"""Commands about footage: the recorder finds it, keeps it and makes pictures of it (`agent.footage.orders`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from ulid import ULID

from agent.commands.carrying import NotTaken
from agent.helpers.messages import ClipOrder, HoldOrder, OrderDone, OrderRefused, ReleaseOrder, StillOrder
from agent.signals import Answer, AnswerCommand, CommandName, Why

if TYPE_CHECKING:
    from agent.commands.carrying import Answering, Handlers
    from agent.helpers.messages import Order
    from agent.signals import Command

LONGEST_CLIP: Final = timedelta(minutes=10)
"""150 MB at 2 Mbit/s: what somebody wants to see now. For more there is `safepoint footage clip` and the export."""
AHEAD: Final = timedelta(minutes=5)
"""How far what is wanted may be to come: the recorder waits for it, and consoles' clocks are not ours."""
LONGEST_HOLD: Final = timedelta(days=7)
"""One command must not fill the disk with what nobody looks at."""


class Recorder(Protocol):
    """Who has the footage."""

    def order(self, order: Order) -> None:
        """Take an order."""
        ...

    def withdraw(self, order_id: str) -> None:
        """Forget an order that was not begun."""
        ...


class FootageOrders:
    """The orders that the recorder has, each with the command it is for."""

    def __init__(self, recorder: Recorder | None, answer: Answering) -> None:
        """No orders yet.

        Args:
            recorder: Takes them, and answers by `take`; None on a unit without a camera.
            answer: Takes what comes of a command.
        """
        self._recorder = recorder
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
        for order_id in [order_id for order_id, each in self._refs.items() if each == ref]:
            del self._refs[order_id]
            if self._recorder is not None:
                self._recorder.withdraw(order_id)

    def _still(self, command: Command) -> None:
        at = _time(command.args["at"]) if "at" in command.args else command.at.wall
        _check_ahead(at, command)
        self._give(command, StillOrder(_new_id(), at))

    def _clip(self, command: Command) -> None:
        start, end = _interval(command)
        if end - start > LONGEST_CLIP:
            raise NotTaken(Why.INVALID, f"a clip holds at most {LONGEST_CLIP // timedelta(minutes=1)} min")
        _check_ahead(end, command)
        self._give(command, ClipOrder(_new_id(), start, end))

    def _hold(self, command: Command) -> None:
        start, end = _interval(command)
        if end - start > LONGEST_HOLD:
            raise NotTaken(Why.INVALID, f"a hold keeps at most {LONGEST_HOLD.days} days")
        _check_ahead(end, command)
        args = command.args
        self._give(command, HoldOrder(_new_id(), args["ref"], args["reason"], command.by, command.at.wall, start, end))

    def _release(self, command: Command) -> None:
        args = command.args
        self._give(command, ReleaseOrder(_new_id(), args["ref"], args["reason"], command.by, command.at.wall))

    def _give(self, command: Command, order: Order) -> None:
        if self._recorder is None:
            raise NotTaken(Why.UNAVAILABLE, "this unit has no camera")
        self._refs[order.order_id] = command.ref
        self._answer(AnswerCommand(command.ref, Answer.RUNNING, text="the recorder has it"))
        self._recorder.order(order)


def _interval(command: Command) -> tuple[datetime, datetime]:
    start, end = _time(command.args["from"]), _time(command.args["to"])
    if end <= start:
        raise NotTaken(Why.INVALID, "the interval ends before it begins")
    return start, end


def _check_ahead(moment: datetime, command: Command) -> None:
    if moment > command.at.wall + AHEAD:
        raise NotTaken(Why.INVALID, f"what is wanted may be at most {AHEAD // timedelta(minutes=1)} min ahead")


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NotTaken(Why.INVALID, f"{text} is no time") from error


def _new_id() -> str:
    """Also the name of a folder, where something is made."""
    return f"cmd-{ULID()}"
