"""Clips on their way to a web server: whole or not at all, through broken networks and restarts."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import pytest

from agent.uplink.media.request import (
    Confirmed,
    UploadState,
    Way,
)
from agent.uplink.media.web import client, progress
from tests.uplink.lab import until
from tests.uplink.media.desk import FILM, Desk, ask, only_file, small_chunks

if TYPE_CHECKING:
    from fakes.authority import Authority
    from tests.uplink.media.upload_server import Site

# --- each way ----------------------------------------------------------------------------------------------------


async def test_a_clip_goes_by_tus_where_the_server_offers_it(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_chunks(monkeypatch):
        done = await desk.sent(ask(site.url, headers={"Authorization": "Bearer x"}, context={"reply": "desk"}))
    assert (done.state, done.confirmed) == (UploadState.DONE, Confirmed.CHUNKS)
    assert only_file(site) == FILM
    assert done.sha256 == hashlib.sha256(FILM).hexdigest()
    assert (done.sent_bytes, done.size_bytes, done.context) == (300_000, 300_000, {"reply": "desk"})
    assert site.methods() == ["OPTIONS", "OPTIONS", "POST", "HEAD", "PATCH", "PATCH", "PATCH"]
    assert {headers.get("authorization") for _, _, headers in site.seen} == {"Bearer x"}
    assert desk.remembered == []


async def test_a_clip_goes_by_put_where_there_is_no_tus(site: Site, desk: Desk) -> None:
    site.tus = False
    done = await desk.sent(ask(site.url))
    assert (done.state, done.confirmed) == (UploadState.DONE, Confirmed.DIGEST)
    assert only_file(site) == FILM
    assert site.methods() == ["OPTIONS", "PUT"]


async def test_a_clip_goes_in_ranges_and_goes_on_where_it_broke(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.cuts = [100_000, 40_000]
    with small_chunks(monkeypatch):
        done = await desk.sent(ask(site.url, way=Way.RANGES))
    assert (done.state, only_file(site)) == (UploadState.DONE, FILM)
    ranges = [headers["content-range"] for method, _, headers in site.seen if method == "PUT"]
    assert ranges == [
        "bytes */300000",
        "bytes 0-99999/300000",
        "bytes 100000-199999/300000",
        "bytes */300000",
        "bytes 140000-239999/300000",
        "bytes 240000-299999/300000",
    ]


async def test_a_clip_goes_in_parts_that_somebody_signed_and_only_a_broken_part_goes_again(
    site: Site, desk: Desk
) -> None:
    base = site.url.removesuffix("/files")
    parts = tuple(f"{base}/part{number}" for number in range(1, 5))
    site.cuts = [100_000, 1_000]
    done = await desk.sent(
        ask(
            "",
            way=Way.PARTS,
            part_urls=parts,
            part_bytes=100_000,
            complete_url=f"{base}/complete",
            confirm_url=f"{base}/whole",
        )
    )
    assert (done.state, done.confirmed) == (UploadState.DONE, Confirmed.DIGEST)
    assert site.files["/whole"] == FILM
    assert [path for _, path, _ in site.seen] == ["/part1", "/part2", "/part2", "/part3", "/complete", "/whole"]
    assert len(done.etags) == 3


# --- what breaks -------------------------------------------------------------------------------------------------


async def test_a_broken_upload_goes_on_where_the_server_is(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.sums = False
    site.cuts = [70_000, 20_000, 0]
    with small_chunks(monkeypatch):
        done = await desk.sent(ask(site.url))
    assert (done.state, only_file(site)) == (UploadState.DONE, FILM)
    offsets = [int(headers["upload-offset"]) for method, _, headers in site.seen if method == "PATCH"]
    assert offsets == [0, 70_000, 90_000, 90_000, 190_000, 290_000]
    assert UploadState.WAITING in {each.state for each in desk.told}


async def test_an_upload_goes_on_after_a_restart_with_nothing_but_the_disk(
    site: Site, desk: Desk, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.sums = False
    with small_chunks(monkeypatch):
        async with desk.at_work() as uploads:
            site.cuts = [100_000, 50_000]
            site.hangs = threading.Event()
            await uploads.begin(ask(site.url, headers={"Authorization": "Bearer secret"}))
            await until(lambda: "PATCH" in site.methods(), "it began")
            site.hangs.set()
            await until(lambda: only_file(site)[:150_000] == FILM[:150_000], "half of it is there")
            site.hangs = threading.Event()
        assert [file.stat().st_mode & 0o777 for file in desk.remembered] == [0o600]
        site.hangs.set()
        later = Desk(desk.folder, ca_file=authority.ca_file, hosts=(site.place,))
        async with later.at_work():
            done = await later.over()
    assert (done.state, only_file(site)) == (UploadState.DONE, FILM)
    assert site.methods().count("POST") == 1  # one upload, from its first life to its last
    assert later.remembered == []


async def test_a_server_that_forgot_the_upload_gets_it_anew(site: Site, desk: Desk) -> None:
    site.sums = False
    site.cuts = [70_000]
    site.answers = []
    async with desk.at_work() as uploads:
        site.hangs = threading.Event()
        await uploads.begin(ask(site.url))
        await until(lambda: "PATCH" in site.methods(), "it began")
        site.files.clear()
        site.hangs.set()
        done = await desk.over()
    assert done.state is UploadState.DONE
    assert only_file(site) == FILM
    assert site.methods().count("POST") == 2


async def test_a_chunk_that_was_damaged_on_the_way_goes_again(site: Site, desk: Desk) -> None:
    site.damage = True
    done = await desk.sent(ask(site.url))
    assert (done.state, done.confirmed, only_file(site)) == (UploadState.DONE, Confirmed.CHUNKS, FILM)
    assert site.methods().count("PATCH") == 2


async def test_a_busy_server_is_asked_again(site: Site, desk: Desk) -> None:
    site.tus = False
    site.answers = [(503, {}), (429, {"Retry-After": "0"}), (500, {})]
    done = await desk.sent(ask(site.url))
    assert (done.state, only_file(site)) == (UploadState.DONE, FILM)


@pytest.mark.parametrize("status", [400, 401, 403, 413])
async def test_what_the_server_refuses_has_failed(site: Site, desk: Desk, status: int) -> None:
    site.tus = False
    site.answers = [(status, {})]
    done = await desk.sent(ask(f"{site.url}?X-Signature=secret"))
    assert done.state is UploadState.FAILED
    assert str(status) in str(done.reason)
    assert "secret" not in repr(desk.told)
    assert desk.remembered == []


async def test_bytes_that_arrived_wrong_are_no_success(site: Site, desk: Desk) -> None:
    site.tus = False
    elsewhere = f"{site.url.removesuffix('/files')}/other"
    site.files["/other"] = bytearray(FILM[:-1] + b"x")
    site.digests = True
    site.tus = True
    done = await desk.sent(ask(site.url, confirm_url=elsewhere))
    assert (done.state, done.confirmed) == (UploadState.FAILED, None)
    assert "SHA-256" in str(done.reason)


async def test_nothing_is_uploaded_while_it_is_barred_and_it_goes_when_that_is_over(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.uplink.media.uploads.BARRED_WAIT_S", 0.05)
    desk.barred = "the unit's software was changed"
    async with desk.at_work() as uploads:
        await uploads.begin(ask(site.url))
        await until(lambda: bool(desk.told), "it is told that it waits")
        assert [(told.state, told.reason) for told in desk.told] == [(UploadState.WAITING, desk.barred)]
        assert site.seen == [], "nobody was asked anything"
        desk.barred = None
        assert (await desk.over()).state is UploadState.DONE
    assert only_file(site) == FILM


async def test_an_upload_is_held_to_the_interface_it_is_given(site: Site, desk: Desk) -> None:
    desk.interfaces = ["no-such-if0"]
    async with desk.at_work() as uploads:
        await uploads.begin(ask(site.url))
        await until(lambda: desk.told and desk.told[-1].state is UploadState.WAITING, "it waits")
    assert "No such device" in str(desk.told[-1].reason)
    assert site.seen == []


async def test_an_upload_that_does_not_get_through_by_one_interface_goes_by_the_next(site: Site, desk: Desk) -> None:
    desk.interfaces = ["no-such-if0", "lo"]
    done = await desk.sent(ask(site.url))
    assert done.state is UploadState.DONE
    assert "No such device" in str([each.reason for each in desk.told])
    assert only_file(site) == FILM


async def test_an_upload_that_does_not_get_through_in_time_has_failed(desk: Desk) -> None:
    async with desk.at_work() as uploads:
        await uploads.begin(ask("https://localhost:1/files"))
        await until(lambda: desk.told and desk.told[-1].state is UploadState.WAITING, "it waits")
        desk.clock.pass_s(desk.config.uplink.uploads.give_up_after_s + 1)
        done = await desk.over()
    assert done.state is UploadState.FAILED
    assert "did not get through" in str(done.reason)


@pytest.mark.parametrize(("way", "method"), [(Way.TUS, "PATCH"), (Way.RANGES, "PUT")])
async def test_a_server_that_gets_nowhere_is_left_after_a_few_chunks(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch, way: Way, method: str
) -> None:
    site.sums, site.forgets = False, True
    with small_chunks(monkeypatch, 10_000):
        done = await desk.sent(ask(site.url, way=way))
    assert done.state is UploadState.FAILED
    assert "did not keep what it was sent" in str(done.reason)
    sent = [headers for name, _, headers in site.seen if name == method and headers["content-length"] != "0"]
    assert len(sent) == progress.MOST_SHORT
    assert desk.purse.facts()["mediaKb"] < 50


async def test_a_server_whose_answer_drips_for_ever_is_left(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ANSWER_WITHIN_S", 2.0)
    site.drips = threading.Event()
    async with desk.at_work() as uploads:
        await uploads.begin(ask(site.url, way=Way.PUT))
        await until(lambda: desk.told and desk.told[-1].state is UploadState.WAITING, "it waits")
        assert "did not answer in full within 2 s" in str(desk.told[-1].reason)
        desk.clock.pass_s(desk.config.uplink.uploads.give_up_after_s + 1)
        done = await desk.over()
    assert done.state is UploadState.FAILED


async def test_an_upload_that_takes_too_long_is_given_up_while_it_is_being_sent(site: Site, desk: Desk) -> None:
    async with desk.at_work() as uploads:
        desk.under_way = True  # it stands still in the middle of its attempt
        desk.road.give_way()
        await uploads.begin(ask(site.url, way=Way.PUT))
        await until(lambda: "PUT" in site.methods(), "it asks")
        desk.clock.pass_s(desk.config.uplink.uploads.give_up_after_s + 1)
        desk.under_way = False
        done = await desk.over()
    assert done.state is UploadState.FAILED
    assert "it was still being sent" in str(done.reason)
    assert desk.purse.facts()["mediaKb"] == 0


async def test_a_clip_that_grew_meanwhile_is_sent_as_one_piece(site: Site, desk: Desk) -> None:
    longer = FILM + b"more"
    site.sums = False
    site.cuts = [70_000]
    async with desk.at_work() as uploads:
        site.hangs = threading.Event()
        await uploads.begin(ask(site.url))
        await until(lambda: "PATCH" in site.methods(), "it began")
        grown = desk.clip.with_suffix(".new")
        grown.write_bytes(longer)
        grown.replace(desk.clip)
        site.hangs.set()
        done = await desk.over()
    assert done.sha256 == hashlib.sha256(longer).hexdigest()
    assert longer in [bytes(held) for held in site.files.values()]
