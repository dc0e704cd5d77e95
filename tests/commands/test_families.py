"""What each family of commands does with what it is told, and what it refuses."""

from __future__ import annotations

import wave
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import SystemClock
from agent.commands import premises, uploads
from agent.commands.carrying import NotTaken
from agent.commands.footage import FootageOrders
from agent.commands.parts import Parts, without_words
from agent.helpers.messages import ClipOrder, HoldOrder, OrderDone, OrderRefused, StillOrder
from agent.helpers.owner import HelperState
from agent.hw.lines import line_path
from agent.hw.messages import StoredMessages
from agent.signals import AnnouncementRequested, Answer, AnswerCommand, Command, CommandName, Line, Why
from agent.uplink.jsonable import timestamp
from agent.voice.self_test import Result
from tests.uplink.lab import make_config

if TYPE_CHECKING:
    from pathlib import Path

    from agent.commands.uploads import UploadRequest
    from agent.helpers.messages import Order
    from agent.signals import Signal

NOW = SystemClock().now()


def command(name: CommandName, command_id: str = "1", **args: Any) -> Command:  # noqa: ANN401 - a command's own
    return Command(command_id, "/safepoint/street/control-room/desk", name, args, "op-1", NOW)


def interval(from_s: float, to_s: float) -> dict[str, str]:
    """From and to, in seconds from now."""
    return {"from": timestamp(NOW.later(from_s).wall), "to": timestamp(NOW.later(to_s).wall)}


@dataclass
class Recorder:
    """Takes orders."""

    orders: list[Order] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    def order(self, order: Order) -> None:
        self.orders.append(order)

    def withdraw(self, order_id: str) -> None:
        self.withdrawn.append(order_id)


@dataclass
class FakeHelper:
    """A helper that restarts when the story says so."""

    name: str = "recorder"
    starts: int = 1
    state: HelperState = HelperState.WORKING
    restarted_by: list[str] = field(default_factory=list)

    def restart(self, by: str) -> None:
        self.restarted_by.append(by)
        self.state = HelperState.DOWN


class Sender:
    """Sends files, in the words of the story."""

    def __init__(self) -> None:
        self.taken: list[UploadRequest] = []

    def take(self, request: UploadRequest) -> None:
        self.taken.append(request)


# --- footage ---------------------------------------------------------------------------------------------------------


def test_each_footage_command_is_an_order_and_its_answer_the_commands() -> None:
    recorder, answers = Recorder(), list[AnswerCommand]()
    orders = FootageOrders(recorder, answers.append)
    give = orders.handlers()
    give[CommandName.STILL](command(CommandName.STILL))
    give[CommandName.CLIP](command(CommandName.CLIP, "2", **interval(-60, 60)))
    give[CommandName.FOOTAGE_HOLD](command(CommandName.FOOTAGE_HOLD, "3", **interval(-60, 0), ref="r", reason="why"))
    still, clip, hold = recorder.orders
    assert isinstance(still, StillOrder)
    assert still.at == NOW.wall
    assert isinstance(clip, ClipOrder)
    assert isinstance(hold, HoldOrder)
    assert (hold.ref, hold.by) == ("r", "op-1")
    orders.take(OrderDone(still.order_id, "stored", {"file": "x"}))
    orders.take(OrderRefused(clip.order_id, "no-footage", "nothing is stored"))
    orders.take(OrderRefused(clip.order_id, "no-footage", "nothing is stored"))
    over = [(each.command.rpartition("#")[2], each.answer, each.why) for each in answers[3:]]
    assert over == [("1", Answer.DONE, None), ("2", Answer.FAILED, Why.NO_FOOTAGE)]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        (CommandName.CLIP, interval(60, -60)),
        (CommandName.CLIP, interval(-700, 0)),
        (CommandName.CLIP, interval(-10, 400)),
        (CommandName.CLIP, {"from": "2026-13-01T00:00:00Z", "to": "2026-13-02T00:00:00Z"}),
        (CommandName.STILL, {"at": timestamp(NOW.later(400).wall)}),
        (CommandName.FOOTAGE_HOLD, {**interval(-8 * 86_400, 0), "ref": "r", "reason": "why"}),
    ],
)
def test_an_impossible_time_is_refused_before_the_recorder_hears_of_it(name: CommandName, args: dict[str, Any]) -> None:
    recorder = Recorder()
    with pytest.raises(NotTaken) as refused:
        FootageOrders(recorder, lambda _: None).handlers()[name](command(name, **args))
    assert refused.value.why is Why.INVALID
    assert not recorder.orders


def test_an_order_that_took_too_long_is_withdrawn_and_its_late_answer_ignored() -> None:
    recorder, answers = Recorder(), list[AnswerCommand]()
    orders = FootageOrders(recorder, answers.append)
    still = command(CommandName.STILL)
    orders.handlers()[CommandName.STILL](still)
    orders.given_up(still.ref)
    orders.take(OrderDone(recorder.orders[0].order_id, "stored", {}))
    assert recorder.withdrawn == [recorder.orders[0].order_id]
    assert [each.answer for each in answers] == [Answer.RUNNING]


def test_a_unit_without_a_camera_says_so() -> None:
    with pytest.raises(NotTaken, match="no camera"):
        FootageOrders(None, lambda _: None).handlers()[CommandName.STILL](command(CommandName.STILL))


# --- parts -----------------------------------------------------------------------------------------------------------


def parts(helper: FakeHelper, answers: list[AnswerCommand], wanted: list[int] | None = None) -> Parts:
    return Parts(
        make_config(),
        {helper.name: helper},  # type: ignore[dict-item]
        want_self_test=None if wanted is None else lambda: wanted.append(1),
        facts=lambda: {"state": "ok", "faults": [], "secret": 1},
        answer=answers.append,
    )


def test_a_restarted_part_is_done_when_its_next_process_works() -> None:
    helper, answers = FakeHelper(), list[AnswerCommand]()
    room = parts(helper, answers)
    room.handlers()[CommandName.RESTART_PART](command(CommandName.RESTART_PART, part="recorder"))
    assert helper.restarted_by == ["op-1"]
    room.look()
    helper.starts, helper.state = 2, HelperState.STARTING
    room.look()
    assert [each.answer for each in answers] == [Answer.RUNNING]
    helper.state = HelperState.WORKING
    room.look()
    room.look()
    assert [each.answer for each in answers] == [Answer.RUNNING, Answer.DONE]


def test_a_part_that_the_unit_does_not_have_is_not_restarted() -> None:
    with pytest.raises(NotTaken, match="has no listener; its helpers: recorder"):
        parts(FakeHelper(), []).handlers()[CommandName.RESTART_PART](command(CommandName.RESTART_PART, part="listener"))


def test_a_self_test_says_what_was_heard_and_how_the_parts_are() -> None:
    wanted, answers = list[int](), list[AnswerCommand]()
    room = parts(FakeHelper(), answers, wanted)
    room.handlers()[CommandName.SELF_TEST](command(CommandName.SELF_TEST))
    assert wanted == [1]
    room.tested(Result(NOW, 3, None, None))
    assert answers[-1].answer is Answer.DONE
    assert answers[-1].result == {"state": "ok", "faults": [], "heard": False, "attempts": 3, "levelDbfs": None}
    room.tested(Result(NOW, 1, -20.0, 1.0))
    assert len(answers) == 2, "the daily test is nobody's answer"


def test_nothing_that_people_say_is_in_a_report_of_the_configuration() -> None:
    whole = {"voice": {"phrases": [{"say": "is daniel in today", "label": "staff-duress"}], "decoys": ["is it open"]}}
    assert without_words(whole) == {"voice": {"phrases": [{"label": "staff-duress"}]}}


# --- uploads ---------------------------------------------------------------------------------------------------------


def test_a_file_of_the_unit_is_handed_to_whoever_sends() -> None:
    sender = Sender()
    give = uploads.handlers(sender)[CommandName.UPLOAD]
    upload = command(
        CommandName.UPLOAD, file="incidents/cmd-1/still.jpg", url="https://x.example/1", headers={"A": "b"}
    )
    give(upload)
    (taken,) = sender.taken
    assert (taken.command, taken.reference, taken.url, taken.headers) == (
        upload.ref,
        "incidents/cmd-1/still.jpg",
        "https://x.example/1",
        {"A": "b"},
    )


# --- stored messages -------------------------------------------------------------------------------------------------


def test_a_message_is_measured_once_and_asked_of_no_disk_afterwards(tmp_path: Path) -> None:
    recording = tmp_path / "coming.wav"
    recording.write_bytes(line_path(Line.HEARD).read_bytes())
    stored = StoredMessages({"coming": recording, "gone": tmp_path / "gone.wav"})
    said: list[Signal] = []
    announce = premises.handlers(stored, said.append, None)[CommandName.ANNOUNCE]
    for name, why in (("coming", Why.UNAVAILABLE), ("gone", Why.UNAVAILABLE), ("other", Why.NOT_FOUND)):
        with pytest.raises(NotTaken) as refused:  # the disk has not answered yet
            announce(command(CommandName.ANNOUNCE, message=name))
        assert refused.value.why is why
    stored.measure()
    recording.unlink()
    announce(command(CommandName.ANNOUNCE, message="coming"))
    (asked,) = said
    assert isinstance(asked, AnnouncementRequested)
    assert 0 < asked.lasts_s < 15
    with pytest.raises(NotTaken, match="the message gone cannot be read"):
        announce(command(CommandName.ANNOUNCE, message="gone"))


def silence(path: Path, lasts_s: float) -> Path:
    with wave.open(str(path), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(8000)
        recording.writeframes(bytes(2 * round(8000 * lasts_s)))
    return path


def test_a_message_of_more_than_15_s_is_not_spoken(tmp_path: Path) -> None:
    stored = StoredMessages({"long": silence(tmp_path / "a.wav", 15.1), "just": silence(tmp_path / "b.wav", 15.0)})
    stored.measure()
    said: list[Signal] = []
    announce = premises.handlers(stored, said.append, None)[CommandName.ANNOUNCE]
    with pytest.raises(NotTaken, match=r"the message long lasts 15\.1 s, and a message has .* at most 15 s") as refused:
        announce(command(CommandName.ANNOUNCE, message="long"))
    assert refused.value.why is Why.UNAVAILABLE
    assert said == []
    announce(command(CommandName.ANNOUNCE, message="just"))
    (asked,) = said
    assert isinstance(asked, AnnouncementRequested)
    assert asked.lasts_s == 15.0
