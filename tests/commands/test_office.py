"""Commands are judged, carried out once, answered to their end and audited, over restarts and without a disk."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from agent.commands import office as office_module
from agent.commands.carrying import NotTaken
from agent.commands.file import FILE_NAME
from agent.commands.office import WAITING
from agent.commands.redaction import without_secrets
from agent.config.commanding import CommandSettings, MemberSettings
from agent.signals import Answer, AnswerCommand, CommandName, FaultCleared, Faulted, Why
from agent.uplink.lanes import Lane
from tests.commands.desk import TOPICS, Desk, HungFile, HungWrites, plain, whole
from tests.uplink.lab import until

if TYPE_CHECKING:
    from pathlib import Path

    from agent.commands.carrying import Handler
    from agent.signals import Command


async def test_a_command_is_accepted_done_and_audited(tmp_path: Path) -> None:
    async with Desk(tmp_path).open() as desk:
        command = desk.command()
        desk.comes(command)
        await desk.answered("accepted", "done")
        assert [each.name for each in desk.done] == [CommandName.SET]
        assert {each.correlation_data for each in desk.link.sent if "/rsp/" in each.topic} == {command.correlation_data}
        records = await desk.audited(3)
        assert desk.link.lanes[TOPICS.audit] is Lane.REST, "no alert waits behind the audit"
        assert [record["what"] for record in records] == ["began", "command", "answer"]
        assert records[1]["operatorRef"] == "op-1"
        assert records[1]["commandId"] == command.document["id"]
        assert whole(records) == 3


async def test_the_same_command_again_is_answered_again_and_not_done_again(tmp_path: Path) -> None:
    async with Desk(tmp_path).open() as desk:
        command = desk.command()
        desk.comes(command)
        await desk.answered("accepted", "done")
        desk.comes(command)
        await desk.answered("accepted", "done", "done")
        assert desk.answers()[1] == desk.answers()[2]
        assert len(desk.done) == 1


async def test_it_is_not_done_again_after_a_restart_either_however_late_it_comes(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    command = first.command()
    async with first.open():
        first.comes(command)
        await first.answered("accepted", "done")
    async with Desk(tmp_path).open() as desk:
        desk.comes(command)
        await desk.answered("done")
        assert desk.answers()[0] == first.answers()[1]
        assert not desk.done
        sent = await desk.audited(2)
        both = {record["hash"]: record for record in [*first.audit(), *sent]}
        assert [record["what"] for record in both.values()] == ["began", "command", "answer", "began", "repeated"]
        assert whole([*both.values()]) == 5, "one chain over the restart"


async def test_what_was_being_done_when_the_unit_ended_has_failed_and_is_not_begun_again(tmp_path: Path) -> None:
    first = Desk(tmp_path, Desk.for_ever)
    command = first.command(CommandName.LIGHT, by="op-1")
    command.document["data"]["args"] = {"forS": 60}
    async with first.open():
        first.comes(command)
        await first.answered("accepted", "running")
    async with Desk(tmp_path).open() as desk:
        await desk.answered("failed")
        assert desk.answers()[0]["code"] == Why.INTERRUPTED
        desk.comes(command)
        await desk.answered("failed", "failed")
        assert not desk.done


async def test_what_goes_on_by_itself_after_a_restart_is_answered_at_its_end(tmp_path: Path) -> None:
    first = Desk(tmp_path, Desk.for_ever)
    command = first.command()
    async with first.open():
        first.comes(command)
        await first.answered("accepted", "running")
    async with Desk(tmp_path, resumes=True).open() as desk:
        desk.office.answered(AnswerCommand(first.done[0].ref, Answer.DONE, text="all of it was sent"))
        await desk.answered("done")
        assert not desk.done


async def test_an_id_that_was_used_for_something_else_is_refused(tmp_path: Path) -> None:
    async with Desk(tmp_path).open() as desk:
        command = desk.command()
        desk.comes(command)
        await desk.answered("accepted", "done")
        command.document["data"]["operatorRef"] = "op-2"
        desk.comes(command)
        await desk.answered("accepted", "done", "refused")
        assert desk.answers()[2]["code"] == Why.REPLAYED
        assert len(desk.done) == 1


async def test_a_late_command_is_refused(tmp_path: Path) -> None:
    async with Desk(tmp_path).open() as desk:
        command = desk.command()
        command.document["time"] = command.document["expirytime"] = "2026-01-01T00:00:00.000Z"
        desk.comes(command)
        await desk.answered("refused")
        assert desk.answers()[0]["code"] == Why.EXPIRED
        assert not desk.done


async def test_a_command_that_expires_while_the_file_is_not_open_is_not_carried_out(tmp_path: Path) -> None:
    file = HungFile(tmp_path)
    desk = Desk(tmp_path, file=file)
    async with desk.open(wait=False):
        came = asyncio.get_running_loop().time()
        desk.comes(desk.command(), expiry_s=1)
        desk.comes(desk.command(), expiry_s=30)
        await until(lambda: asyncio.get_running_loop().time() > came + 1.0, "the first one is over")
        file.may_open.set()
        await until(lambda: desk.done, "the second one is done")
        assert sorted(desk.statuses()) == ["accepted", "done", "refused"]
        assert next(each for each in desk.answers() if each["status"] == "refused")["code"] == Why.EXPIRED


async def test_a_command_that_expires_while_it_waits_for_the_disk_is_not_carried_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office_module, "WRITTEN_WITHIN_S", 1.5)
    file = HungWrites(tmp_path)
    async with Desk(tmp_path, file=file).open() as desk:
        try:
            desk.comes(desk.command(), expiry_s=1)
            await desk.answered("refused")
        finally:
            file.may_write.set()
        assert desk.answers()[0]["code"] == Why.EXPIRED
        assert not desk.done


RIGHTS = CommandSettings(
    members={
        "operator": (MemberSettings(operator="op-*"),),
        "supervisor": (MemberSettings(operator="sup-7", console="desk"),),
    }
)


@pytest.mark.parametrize(
    ("by", "console", "name", "allowed"),
    [
        ("op-1", "desk", CommandName.SET, True),
        ("op-1", "desk", CommandName.RESTART_PART, False),
        ("sup-7", "desk", CommandName.RESTART_PART, True),
        ("sup-7", "elsewhere", CommandName.RESTART_PART, False),
        ("visitor", "desk", CommandName.SET, False),
    ],
)
async def test_who_has_no_right_is_refused_and_named_in_the_audit(
    tmp_path: Path, by: str, console: str, name: CommandName, *, allowed: bool
) -> None:
    async with Desk(tmp_path, commands=RIGHTS).open() as desk:
        command = desk.command(name, by=by, console=console)
        if name is CommandName.RESTART_PART:
            command.document["data"]["args"] = {"part": "recorder"}
        desk.comes(command)
        if allowed:
            await desk.answered("accepted", "done")
            return
        await desk.answered("refused")
        assert desk.answers()[0]["code"] == Why.FORBIDDEN
        assert not desk.done
        record = (await desk.audited(2))[1]
        assert (record["what"], record["code"], record["operatorRef"]) == ("refused", Why.FORBIDDEN, by)


async def test_a_console_that_takes_anothers_name_has_not_its_roles_and_stands_in_the_audit_with_its_own(
    tmp_path: Path,
) -> None:
    async with Desk(tmp_path, commands=RIGHTS).open() as desk:
        command = desk.command(CommandName.RESTART_PART, by="sup-7", console="desk")
        command.document["data"]["args"] = {"part": "recorder"}
        its_own = TOPICS.command("elsewhere", "restart-part"), TOPICS.response("elsewhere")
        desk.comes(command, topic=its_own[0], response_topic=its_own[1])
        await desk.answered("refused")
        assert desk.answers()[0]["code"] == Why.ANOTHER_NAME
        assert {each.topic for each in desk.link.sent if "/rsp/" in each.topic} == {its_own[1]}
        assert not desk.done
        record = (await desk.audited(2))[1]
        assert (record["what"], record["code"], record["topic"]) == ("refused", Why.ANOTHER_NAME, its_own[0])
        assert record["source"] == "/safepoint/street/control-room/desk"
        desk.comes(command)
        await desk.answered("refused", "accepted", "done")


async def test_a_family_that_does_not_take_it_or_breaks_is_answered_for(tmp_path: Path) -> None:
    def family(_desk: Desk) -> Handler:
        def begin(command: Command) -> None:
            if command.name is CommandName.SET:
                raise NotTaken(Why.UNAVAILABLE, "there is nothing to set")
            raise ZeroDivisionError

        return begin

    async with Desk(tmp_path, family).open() as desk:
        desk.comes(desk.command(CommandName.SET))
        await desk.answered("accepted", "refused")
        desk.comes(desk.command(CommandName.UNSET))
        await desk.answered("accepted", "refused", "accepted", "failed")
        assert desk.answers()[1]["detail"] == "there is nothing to set"


async def test_without_a_disk_commands_are_carried_out_and_audited_from_memory(tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_text("a file where the folder should be")
    async with Desk(file).open() as desk:
        desk.comes(desk.command())
        await desk.answered("accepted", "done")
        assert whole(await desk.audited(3)) == 3
        assert [each for each in desk.reported if isinstance(each, Faulted)]


async def test_a_disk_that_comes_back_gets_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.commands.audit.RETRY_S", 0.1)
    file = tmp_path / "state"
    file.write_text("a file where the folder should be")
    first = Desk(file)
    command = first.command()
    async with first.open():
        first.comes(command)
        await first.answered("accepted", "done")
        file.unlink()
        await until(lambda: any(isinstance(each, FaultCleared) for each in first.reported), "the fault is over")
    async with Desk(file).open() as desk:
        desk.comes(command)
        await desk.answered("done")
        assert not desk.done


async def test_a_file_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    async with Desk(tmp_path).open() as desk:
        desk.comes(desk.command())
        await desk.answered("accepted", "done")
        await desk.audited(3)
        (tmp_path / FILE_NAME).unlink()
        command = desk.command()
        desk.comes(command)
        await desk.answered("accepted", "done", "accepted", "done")
        assert whole(await desk.audited(5)) == 5
        assert not desk.reported
    async with Desk(tmp_path).open() as desk:
        desk.comes(command)
        await desk.answered("done")
        assert not desk.done


async def test_what_comes_before_the_file_is_open_waits_for_it_in_its_order(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    old = first.command()
    async with first.open():
        first.comes(old)
        await first.answered("accepted", "done")
    file = HungFile(tmp_path)
    desk = Desk(tmp_path, file=file)
    new = desk.command()
    async with desk.open(wait=False):
        for message in (old, new):
            desk.comes(message)
        await asyncio.sleep(0)  # the office waits for its file now
        assert not desk.answers()
        file.may_open.set()
        await desk.answered("done", "accepted", "done")
        assert [each.id for each in desk.done] == [new.document["id"]]


async def test_no_more_waits_for_the_file_than_there_is_room_for(tmp_path: Path) -> None:
    file = HungFile(tmp_path)
    desk = Desk(tmp_path, file=file)
    async with desk.open(wait=False):
        for _ in range(WAITING + 2):
            desk.comes(desk.command())
        assert desk.statuses() == ["refused", "refused"]
        assert {answer["code"] for answer in desk.answers()} == {Why.BUSY}
        file.may_open.set()
        await until(lambda: len(desk.done) == WAITING, "all that waited are done")
        records = await desk.audited(2)
        assert [record["what"] for record in records[:2]] == ["began", "lost"]
        assert records[1]["count"] == 2


async def test_a_file_that_opens_late_is_taken_up_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Desk(tmp_path, Desk.at_once)
    done, begun = first.command(), first.command(CommandName.UNSET)
    async with first.open():
        first.comes(done)
        await first.answered("accepted", "done")
    second = Desk(tmp_path, Desk.for_ever)
    async with second.open():
        second.comes(begun)
        await second.answered("accepted", "running")
    monkeypatch.setattr("agent.commands.audit.OPEN_WITHIN_S", 0.01)
    file = HungFile(tmp_path)
    desk = Desk(tmp_path, file=file)
    try:
        async with desk.open():
            meanwhile = desk.command()
            desk.comes(meanwhile)
            await desk.answered("accepted", "done")
            file.may_open.set()
            await until(lambda: desk.office.knows_all, "what was kept is known")
            await desk.answered("accepted", "done", "failed")
            for message in (done, meanwhile, begun):
                desk.comes(message)
            await desk.answered("accepted", "done", "failed", "done", "done", "failed")
            assert desk.answers()[-1]["code"] == Why.INTERRUPTED
            assert [each.id for each in desk.done] == [meanwhile.document["id"]]
    finally:
        file.may_open.set()


async def test_what_a_late_file_tells_is_resumed_and_heard_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Desk(tmp_path, Desk.for_ever)
    async with first.open():
        first.comes(first.command())
        await first.answered("accepted", "running")
        ref = first.done[0].ref
    monkeypatch.setattr("agent.commands.audit.OPEN_WITHIN_S", 0.01)
    file = HungFile(tmp_path)
    desk = Desk(tmp_path, file=file, resumes=True)
    try:
        async with desk.open():
            desk.office.answered(AnswerCommand(ref, Answer.DONE, text="all of it was sent"))
            assert not desk.answers()
            file.may_open.set()
            await desk.answered("done")
            assert desk.resumed == [ref]
    finally:
        file.may_open.set()


async def test_a_file_that_could_not_be_read_at_the_start_is_taken_up_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.commands.audit.RETRY_S", 0.05)
    folder, away = tmp_path / "state", tmp_path / "away"
    first = Desk(folder)
    command = first.command()
    async with first.open():
        first.comes(command)
        await first.answered("accepted", "done")
    folder.rename(away)
    folder.write_text("a file where the folder should be")
    async with Desk(folder).open() as desk:
        there = tmp_path / "there"
        there.symlink_to(away)
        there.replace(folder)  # in one step: the office may look for its folder, and make it, at any moment
        await until(lambda: desk.office.knows_all, "what was kept is known")
        desk.comes(command)
        await desk.answered("done")
        assert not desk.done


async def test_a_damaged_file_is_moved_aside_and_told_in_the_chain(tmp_path: Path) -> None:
    (tmp_path / "commands.sqlite").write_bytes(b"no database at all" * 100)
    async with Desk(tmp_path).open() as desk:
        desk.comes(desk.command())
        await desk.answered("accepted", "done")
        assert "it is kept as" in (await desk.audited(1))[0]["detail"]
    assert any(name.startswith("commands.sqlite.unreadable-") for name in os.listdir(tmp_path))  # noqa: PTH208


async def test_what_could_not_be_sent_is_sent_when_the_link_is_back_in_order_and_once(tmp_path: Path) -> None:
    async with Desk(tmp_path).open() as desk:
        desk.link.go_down()
        for _ in range(3):
            desk.comes(desk.command())
        await until(lambda: len(desk.done) == 3, "all are done")
        assert not desk.answers()
        desk.link.come_up()
        desk.office.link_up()
        await until(lambda: len(desk.statuses()) == 6, "all answers are out")
        records = await desk.audited(7)
        assert whole(records) == len(records) == 7


async def test_an_answer_that_was_lost_with_one_of_two_paths_goes_over_the_other_at_once(tmp_path: Path) -> None:
    async with Desk(tmp_path).open() as desk:
        command = desk.command()
        desk.link.swallowing = []
        desk.comes(command)
        await until(lambda: desk.done and len(desk.link.swallowing or ()) >= 2, "both answers were swallowed")
        assert not desk.answers()
        desk.link.cut_first_path()
        await desk.answered("accepted", "done")
        desk.comes(command)  # the room did not wait for that, and repeats it over the other path
        await desk.answered("accepted", "done", "done")
        assert len(desk.done) == 1


async def test_records_that_were_not_sent_are_sent_by_the_next_life(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    async with first.open():
        first.link.go_down()
        first.comes(first.command())
        await until(lambda: len(first.done) == 1, "it is done")
    async with Desk(tmp_path).open() as desk:
        records = await desk.audited(4)
        assert [record["what"] for record in records][:3] == ["began", "command", "answer"]
        assert whole(records) == len(records)


def test_no_key_to_an_address_is_written_down() -> None:
    args = {
        "file": "incidents/a/clip.mp4",
        "url": "https://me:secret@bucket.example.org/clip?X-Signature=secret#secret",
        "partUrls": ["https://me:secret@bucket.example.org/clip?X-Signature=secret#secret"],
        "completeUrl": "https://bucket.example.org/clip?X-Signature=secret",
        "confirmUrl": "https://bucket.example.org/clip?X-Signature=secret",
        "headers": {"Authorization": "secret"},
    }
    assert "secret" not in json.dumps(without_secrets(args))
    assert without_secrets(args)["url"] == "https://bucket.example.org/clip"
    assert without_secrets(args)["partUrls"] == ["https://bucket.example.org/clip"]


FILE = {"file": "incidents/a/clip.mp4"}
ADDRESS = FILE | {"url": "https://bucket.example.org/x?X-Amz-Signature=SECRET"}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (FILE | {"url": "http://bucket/x?X-Amz-Signature=SECRET"}, r"data.args.url breaks pattern ^https://[^\s]+$"),
        (FILE | {"url": "https://bucket/x?X-Amz-Signature=SECRET y"}, "data.args.url breaks pattern"),
        (FILE | {"url": "https://bucket/" + "SECRET" * 700}, "data.args.url breaks maxLength 4096"),
        (FILE | {"url": ["https://bucket/SECRET"]}, "data.args.url is not of type string"),
        (ADDRESS | {"partUrls": ["https://bucket/SECRET"], "partBytes": 1}, "data.args breaks oneOf"),
        (FILE | {"partUrls": ["ftp://bucket/SECRET"], "partBytes": 1}, "data.args.partUrls.0 breaks pattern"),
        (ADDRESS | {"headers": {"Authorization": "Bearer SECRET\u00e9"}}, "data.args.headers.... breaks pattern"),
        (ADDRESS | {"headers": {"SECRET": 1}}, "data.args.headers.... is not of type string"),
        (ADDRESS | {"headers": {"Bearer SECRET": ""}}, "data.args.headers breaks pattern"),
        (ADDRESS | {"SECRET": ""}, "data.args breaks additionalProperties"),
        (ADDRESS | {"file": "SECRET"}, "data.args.file breaks pattern"),
        ("SECRET", "data.args is not of type object"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
async def test_a_refused_command_leaves_no_word_of_what_it_said(tmp_path: Path, args: object, told: str) -> None:
    with capture_logs() as logs:
        async with Desk(tmp_path).open() as desk:
            message = desk.command(CommandName.UPLOAD)
            document = plain(message)
            document["data"]["args"] = args
            desk.comes(message, payload=json.dumps(document).encode())
            await desk.answered("refused")
            (answer,) = desk.answers()
            records = await desk.audited(2)
    assert told in answer["detail"]
    assert answer["code"] == records[1]["code"] == "invalid"
    assert "SECRET" not in json.dumps([answer, records]) + str(logs)
