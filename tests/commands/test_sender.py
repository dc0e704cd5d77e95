"""An upload that a command named is answered until it is over, also by the unit's next life."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.commands.carrying import NotTaken
from agent.commands.sender import Sender
from agent.commands.uploads import UploadRequest, handlers
from agent.config.sending import UploadSettings
from agent.signals import Answer, Category, Command, CommandName, Media, Why
from agent.uplink import messages
from agent.uplink.media.request import (
    Confirmed,
    File,
    PieceOf,
    Refusal,
    UploadProgress,
    UploadRefused,
    UploadState,
    Way,
    check_request,
)
from agent.uplink.media.request import UploadRequest as Upload
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import check
from tests.uplink.lab import LabClock, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.signals import AnswerCommand

REF = "/safepoint/street/control-room/desk#1"
HOSTS = UploadSettings(hosts=("films.example",))


class MediaRoom:
    """Moves nothing: the story says how an upload goes on."""

    def __init__(self, *remembered: str) -> None:
        self.begun: dict[str, Upload] = {}
        self.cancelled: list[str] = []
        self.remembered = {*remembered}
        self.refuses: UploadRefused | OSError | None = None
        self.tells: Sender

    def check(self, request: Upload) -> None:
        check_request(request, HOSTS, insecure_lab=False)

    async def loaded(self) -> None:
        pass

    def knows(self, upload_id: str) -> bool:
        return upload_id in self.begun or upload_id in self.remembered

    async def begin(self, request: Upload) -> UploadProgress:
        if self.refuses is not None:
            raise self.refuses
        self.begun[request.upload_id] = request
        return self.progress(request, UploadState.ACCEPTED)

    async def cancel(self, upload_id: str, reason: str) -> bool:
        request = self.begun.pop(upload_id, None)
        if request is None:
            return False
        self.cancelled.append(upload_id)
        self.tells.moved(self.progress(request, UploadState.FAILED, reason=reason))
        return True

    def progress(
        self,
        request: Upload,
        state: UploadState,
        sent_bytes: int = 0,
        reason: str | None = None,
        **differently: Any,  # noqa: ANN401 - members of the progress
    ) -> UploadProgress:
        confirmed = Confirmed.DIGEST if state is UploadState.DONE else None
        return UploadProgress(
            request.upload_id,
            state,
            request.what,
            "films.example",
            sent_bytes,
            100,
            sha256="5" * 64,
            reason=reason,
            context=dict(request.context),
            **{"confirmed": confirmed} | differently,
        )

    def moves(
        self,
        state: UploadState,
        sent_bytes: int = 0,
        reason: str | None = None,
        **differently: Any,  # noqa: ANN401 - members of the progress
    ) -> None:
        (request,) = self.begun.values()
        self.tells.moved(self.progress(request, state, sent_bytes, reason, **differently))


class Desk:
    """A sender, the room it has, and what it answered."""

    def __init__(self, *remembered: str) -> None:
        self.clock = LabClock()
        self.room = MediaRoom(*remembered)
        self.answers: list[AnswerCommand] = []
        self.sender = self.room.tells = Sender(
            self.room,  # type: ignore[arg-type]
            self.clock,
            category_of={"inc-1": Category.HELP}.get,
            answer=self.answers.append,
        )

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Sender]:
        running = asyncio.create_task(self.sender.run(lambda: None))
        try:
            yield self.sender
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def answered(self, *answers: Answer) -> AnswerCommand:
        await until(lambda: [each.answer for each in self.answers] == [*answers], f"the answers are {answers}")
        return self.answers[-1]


def asked(file: str = "incidents/inc-1/clip.mp4", url: str = "https://films.example/1?key=secret") -> UploadRequest:
    return UploadRequest(REF, file, url, {"A": "b"})


async def test_an_upload_is_answered_until_it_is_over() -> None:
    desk = Desk()
    async with desk.at_work() as sender:
        sender.take(asked())
        await desk.answered(Answer.RUNNING)
        (upload,) = desk.room.begun.values()
        assert (upload.what, upload.headers) == (PieceOf("inc-1", Media.CLIP), {"A": "b"})
        desk.room.moves(UploadState.RUNNING, 10)
        desk.room.moves(UploadState.RUNNING, 20)
        assert len(desk.answers) == 2, "each word is written down: not one for every tenth"
        desk.clock.pass_s(10.0)
        desk.room.moves(UploadState.RUNNING, 90)
        desk.room.moves(UploadState.WAITING, 90, "nobody answers")
        assert desk.answers[-1].text == "it is tried again: nobody answers"
        desk.room.moves(UploadState.DONE, 100)
        done = await desk.answered(*[Answer.RUNNING] * 4, Answer.DONE)
        assert done.result["sha256"] == "5" * 64
        assert done.result["confirmed"] == "digest"
        assert "secret" not in str(desk.answers)


@pytest.mark.parametrize(
    "file", ["incidents/cmd-1/clip.mp4", "exports/inc-1.zip", "exports/inc-1/clip.mp4", "exports/clip.mp4"]
)
async def test_what_a_command_had_made_and_an_export_belong_to_no_alert(file: str) -> None:
    desk = Desk()
    async with desk.at_work() as sender:
        sender.take(asked(file))
        await desk.answered(Answer.RUNNING)
        (upload,) = desk.room.begun.values()
        assert upload.what == File(Path(file))


def test_an_address_that_the_unit_must_not_send_to_is_refused() -> None:
    with pytest.raises(NotTaken, match=r"elsewhere\.example:443 is none of the hosts") as refused:
        Desk().sender.take(asked(url="https://elsewhere.example/1"))
    assert refused.value.why is Why.FORBIDDEN


@pytest.mark.parametrize(
    "url",
    [
        "https://[SECRET/1",
        "https://films.example:SECRET/1",
        "https://films.exa\uff03mple/1?SECRET",
        "https://films.example/1?SECRET#x",
        "https://films.example/1?SECRET\u00e9",
        "https://",
    ],
)
def test_a_refused_address_is_not_repeated(url: str) -> None:
    with pytest.raises(NotTaken, match="a url is not 1 to 4096 visible ASCII characters") as refused:
        Desk().sender.take(asked(url=url))
    assert refused.value.why is Why.INVALID
    assert "SECRET" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("confirmed", "told"),
    [
        (Confirmed.DIGEST, "has it, with the right SHA-256"),
        (Confirmed.CHUNKS, "took every chunk with its SHA-256"),
        (Confirmed.SIZE, "did not confirm the SHA-256"),
        (Confirmed.NOTHING, "confirmed neither length nor SHA-256"),
    ],
)
async def test_the_last_answer_says_what_was_not_confirmed(confirmed: Confirmed, told: str) -> None:
    desk = Desk()
    async with desk.at_work() as sender:
        sender.take(asked())
        await desk.answered(Answer.RUNNING)
        desk.room.moves(UploadState.DONE, 100, confirmed=confirmed)
        done = await desk.answered(Answer.RUNNING, Answer.DONE)
        assert told in str(done.text)
        assert done.result["confirmed"] == confirmed


async def test_signed_parts_and_the_address_to_confirm_at_reach_the_media_room() -> None:
    args: dict[str, Any] = {
        "file": "incidents/inc-1/clip.mp4",
        "partUrls": ["https://films.example/1?part=1", "https://films.example/1?part=2"],
        "partBytes": 5_242_880,
        "confirmUrl": "https://films.example/1?head",
    }
    now = LabClock().now()
    message = messages.command(
        UnitTopics("street", "unit-a"), "desk", now.wall, CommandName.UPLOAD, operator_ref="op", args=args
    )
    check(message.kind, message.document)
    desk = Desk()
    async with desk.at_work() as sender:
        begin = handlers(sender)[CommandName.UPLOAD]
        begin(Command("1", "/safepoint/street/control-room/desk", CommandName.UPLOAD, args, "op", now))
        await desk.answered(Answer.RUNNING)
        (upload,) = desk.room.begun.values()
        assert (upload.way, upload.part_urls, upload.part_bytes) == (Way.PARTS, tuple(args["partUrls"]), 5_242_880)
        assert (upload.url, upload.complete_url, upload.confirm_url) == ("", None, args["confirmUrl"])
        desk.room.moves(UploadState.DONE, 100, confirmed=Confirmed.DIGEST, etags=("a", "b"))
        assert (await desk.answered(Answer.RUNNING, Answer.DONE)).result["etags"] == ["a", "b"]


@pytest.mark.parametrize("way", [Way.AUTO, Way.PUT, Way.RANGES, Way.TUS])
async def test_a_command_says_how_a_file_goes_to_its_address(way: Way) -> None:
    args = {"file": "incidents/inc-1/clip.mp4", "url": "https://films.example/1"}
    args |= {} if way is Way.AUTO else {"way": way.value}
    now = LabClock().now()
    topics = UnitTopics("street", "unit-a")
    message = messages.command(topics, "desk", now.wall, CommandName.UPLOAD, operator_ref="op", args=args)
    check(message.kind, message.document)
    desk = Desk()
    async with desk.at_work() as sender:
        handlers(sender)[CommandName.UPLOAD](
            Command("1", "/safepoint/street/control-room/desk", CommandName.UPLOAD, args, "op", now)
        )
        await desk.answered(Answer.RUNNING)
        (upload,) = desk.room.begun.values()
    assert (upload.way, upload.url) == (way, args["url"])


@pytest.mark.parametrize(
    ("trouble", "answer", "why"),
    [
        (UploadRefused(Refusal.DATA_PLAN, "the plan is used up"), Answer.REFUSED, Why.UNAVAILABLE),
        (UploadRefused(Refusal.TOO_LARGE, "too large"), Answer.REFUSED, Why.OVERSIZED),
        (OSError(5, "Input/output error"), Answer.FAILED, Why.DISK),
    ],
)
async def test_an_upload_that_cannot_begin_is_answered_with_its_reason(
    trouble: UploadRefused | OSError, answer: Answer, why: Why
) -> None:
    desk = Desk()
    desk.room.refuses = trouble
    async with desk.at_work() as sender:
        sender.take(asked())
        assert (await desk.answered(answer)).why is why


async def test_an_upload_that_fails_says_why() -> None:
    desk = Desk()
    async with desk.at_work() as sender:
        sender.take(asked())
        await desk.answered(Answer.RUNNING)
        desk.room.moves(UploadState.FAILED, reason="the server says 403")
        assert (await desk.answered(Answer.RUNNING, Answer.FAILED)).text == "the server says 403"


async def test_an_upload_that_nobody_waits_for_is_ended_without_a_further_word() -> None:
    desk = Desk()
    async with desk.at_work() as sender:
        sender.take(asked())
        await desk.answered(Answer.RUNNING)
        (upload_id,) = desk.room.begun
        sender.given_up(REF)
        await until(lambda: desk.room.cancelled == [upload_id], "the upload is ended")
        await desk.answered(Answer.RUNNING)


async def test_a_new_life_goes_on_with_an_upload_that_is_on_the_disk_and_fails_one_that_is_not() -> None:
    first = Desk()
    async with first.at_work() as sender:
        sender.take(asked())
        await first.answered(Answer.RUNNING)
    (upload,) = first.room.begun.values()
    second = Desk(upload.upload_id)
    second.room.begun = {upload.upload_id: upload}
    second.sender.resume(REF)
    second.sender.resume("/safepoint/street/control-room/desk#2")
    async with second.at_work():
        lost = await second.answered(Answer.FAILED)
        assert (lost.command, lost.why) == ("/safepoint/street/control-room/desk#2", Why.INTERRUPTED)
        second.room.moves(UploadState.DONE, 100)
        assert (await second.answered(Answer.FAILED, Answer.DONE)).command == REF
