"""What an upload waits for is known to who removes footage, from before the upload is accepted until it is over."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.footage.keep.holds import Holds
from agent.signals import Media
from agent.uplink.media import uploads as uploads_module
from agent.uplink.media.queue import waited_for
from agent.uplink.media.request import File, PieceOf, Refusal, UploadRefused, Way
from tests.uplink.media.desk import Desk, ask

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_S = 30.0
URL = "https://control.example/files"


async def test_each_upload_in_hand_names_its_file_until_it_is_over(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    footage = tmp_path / "footage"
    assert waited_for(desk.config) == frozenset()
    export = footage / "exports" / "case-7" / "clip.mp4"
    export.parent.mkdir(parents=True)
    export.write_bytes(b"pictures")
    await desk.uploads.begin(ask(URL, what=File(Path("exports/case-7/clip.mp4")), upload_id="up-1"))
    await desk.uploads.begin(ask(URL, what=PieceOf("inc-1", Media.CLIP), upload_id="up-2"))
    assert waited_for(desk.config) == {export, desk.clip}
    await desk.uploads.cancel("up-1", "not wanted")
    assert waited_for(desk.config) == {desk.clip}


async def test_parts_are_named_as_well_and_what_is_no_upload_is_none(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    parts = ask("", way=Way.PARTS, part_urls=("https://control.example/1",), part_bytes=1_000_000)
    await desk.uploads.begin(parts)
    (tmp_path / "media" / "uploads" / "torn.json").write_text("{", encoding="utf-8")
    (tmp_path / "media" / "uploads" / "up-9.part").write_text("{", encoding="utf-8")
    assert waited_for(desk.config) == {desk.clip}


def test_a_queue_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (tmp_path / "media").mkdir(exist_ok=True)
    (tmp_path / "media" / "uploads").write_text("no folder", encoding="utf-8")
    with pytest.raises(NotADirectoryError):
        waited_for(desk.config)


async def test_an_upload_is_taken_between_two_turns_of_who_removes_footage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was removed in the turn before is refused; what is taken is seen by the next turn."""
    desk = Desk(tmp_path)
    entered, leave = threading.Event(), threading.Event()
    waits = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Queued(Holds):
        @contextmanager
        def deciding(self) -> Iterator[None]:
            loop.call_soon_threadsafe(waits.set)
            with super().deciding():
                yield

    monkeypatch.setattr(uploads_module, "Holds", Queued)

    def remove() -> None:
        with Holds(tmp_path / "footage").deciding():
            assert desk.clip not in waited_for(desk.config)
            entered.set()
            leave.wait(LIMIT_S)
            desk.clip.unlink()

    removing = threading.Thread(target=remove, name="remover")
    removing.start()
    entered.wait()
    begun = asyncio.ensure_future(desk.uploads.begin(ask(URL)))
    try:
        async with asyncio.timeout(LIMIT_S):
            await waits.wait()
    finally:
        leave.set()
    with pytest.raises(UploadRefused) as refused:
        await begun
    await asyncio.to_thread(removing.join)
    assert refused.value.code is Refusal.NOT_FOUND
    assert waited_for(desk.config) == frozenset()
