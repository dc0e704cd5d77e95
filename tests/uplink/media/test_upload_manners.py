"""An upload beside the unit's real work: behind every alert, within its data plan, one at a time, ended when told."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from agent.config.sending import DataPlanSettings
from agent.signals import Category
from agent.uplink.media.request import (
    Refusal,
    UploadRefused,
    UploadState,
)
from tests.uplink.lab import until

if TYPE_CHECKING:
    from pathlib import Path

    from agent.uplink.media.web.job import Job
    from fakes.authority import Authority
    from tests.uplink.media.upload_server import Site

from tests.uplink.media.desk import FILM, Desk, ask, only_file


async def test_an_upload_stands_still_while_an_alert_is_under_way(site: Site, desk: Desk) -> None:
    site.tus = False
    async with desk.at_work() as uploads:
        desk.under_way = True
        desk.road.give_way()
        await uploads.begin(ask(site.url))
        await until(lambda: "PUT" in site.methods(), "it asks")
        assert desk.purse.facts()["mediaKb"] == 0
        desk.under_way = False
        done = await desk.over()
    assert (done.state, only_file(site)) == (UploadState.DONE, FILM)


async def test_an_upload_is_no_faster_than_it_may_be(site: Site, tmp_path: Path, authority: Authority) -> None:
    site.tus = False
    desk = Desk(tmp_path, ca_file=authority.ca_file, hosts=(site.place,), kbit_per_s=2_000)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await desk.sent(ask(site.url))
    assert loop.time() - began_s >= (len(FILM) - 16_384) / 250_000


async def test_a_hung_server_holds_up_neither_the_loop_nor_the_end(site: Site, desk: Desk) -> None:
    site.hangs = threading.Event()
    async with desk.at_work() as uploads:
        await uploads.begin(ask(site.url))
        await until(lambda: "PATCH" in site.methods(), "it hangs")
    assert len(desk.remembered) == 1
    alive = [thread for thread in threading.enumerate() if thread.name.startswith("upload-")]
    await until(
        lambda: not any(thread.is_alive() for thread in alive), "its thread is gone while the server still hangs"
    )


async def test_a_plan_that_runs_out_stops_films_and_no_help_call(
    site: Site, tmp_path: Path, authority: Authority
) -> None:
    site.tus = False
    plan = DataPlanSettings(kb_per_month=100)
    desk = Desk(tmp_path, ca_file=authority.ca_file, hosts=(site.place,), plan=plan)
    async with desk.at_work() as uploads:
        await uploads.begin(ask(site.url))
        await until(lambda: desk.told and desk.told[-1].state is UploadState.WAITING, "it waits")
        assert "data plan" in str(desk.told[-1].reason)
        with pytest.raises(UploadRefused) as refused:
            await uploads.begin(ask(site.url, upload_id="up-2"))
        assert refused.value.code is Refusal.DATA_PLAN
        desk.category = Category.HELP
        await uploads.begin(ask(site.url, upload_id="up-3"))
        await until(lambda: desk.told[-1].state is UploadState.DONE, "the help call's clip gets through")
    assert desk.told[-1].upload_id == "up-3"
    assert desk.purse.facts()["helpMediaKb"] == pytest.approx(315, abs=5)


async def test_an_upload_is_not_tried_before_it_is_on_the_disk(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, may_be = threading.Event(), threading.Event()
    keep = desk.uploads._shelf.keep

    def slow(job: Job) -> None:
        written.set()
        may_be.wait(30)
        keep(job)

    async with desk.at_work() as uploads:
        with monkeypatch.context() as patch:
            patch.setattr(desk.uploads._shelf, "keep", slow)
            beginning = asyncio.create_task(uploads.begin(ask(site.url)))
            await until(written.is_set, "it is being written")
            assert (await uploads.begin(ask(site.url))).state is UploadState.ACCEPTED
            uploads._news.set()
            await asyncio.sleep(0)
            assert site.seen == []
            assert uploads.facts()["waiting"] == 0
        may_be.set()
        await beginning
        done = await desk.over()
    assert (done.state, only_file(site)) == (UploadState.DONE, FILM)


async def test_the_same_upload_asked_for_twice_is_one_and_a_cancelled_one_is_none(site: Site, desk: Desk) -> None:
    site.hangs = threading.Event()
    async with desk.at_work() as uploads:
        await uploads.begin(ask(site.url))
        await until(lambda: "PATCH" in site.methods(), "it runs")
        again = await uploads.begin(ask(site.url))
        assert (again.upload_id, again.host) == ("up-1", urlsplit(site.url).hostname)
        assert await uploads.cancel("up-1", "not wanted any more")
        assert not await uploads.cancel("up-1", "twice")
        assert desk.told[-1].reason == "not wanted any more"
    assert site.methods().count("POST") == 1
    assert desk.remembered == []
