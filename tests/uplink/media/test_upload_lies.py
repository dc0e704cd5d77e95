"""Servers that do not have what they say: no word of theirs makes a clip arrive that was not sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from agent.uplink.media.request import Confirmed, UploadProgress, UploadRequest, UploadState, Way
from agent.uplink.media.web import transfer
from tests.uplink.lab import until
from tests.uplink.media.desk import FILM, Desk, ask, only_file, small_chunks
from tests.uplink.media.upload_server import READ_AT_ONCE, upload_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.authority import Authority
    from tests.uplink.media.upload_server import Site

PART = 100_000
LONG = FILM * 40
"""More than fits between the two: what the server does not read has not gone out."""


@pytest.fixture
def plain() -> Iterator[Site]:
    """A server without TLS, as on a bench: its answer can be read although it does not listen any more."""
    with upload_server(None) as site:
        yield site


def in_parts(site: Site, **more: Any) -> UploadRequest:  # noqa: ANN401 - members of a request
    """The clip in three parts, which the unit joins."""
    base = site.url.removesuffix("/files")
    urls = tuple(f"{base}/part{number}" for number in range(1, 4))
    members = {"way": Way.PARTS, "part_urls": urls, "part_bytes": PART, "complete_url": f"{base}/complete"}
    return ask("", **members | more)


def has_failed(done: UploadProgress, why: str) -> bool:
    """Whether it is told as failed, for this reason, and confirmed by nobody."""
    assert (done.state, done.confirmed) == (UploadState.FAILED, None), done
    assert why in str(done.reason), done.reason
    return True


# --- tus ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claimed", [len(FILM), 1])
async def test_a_new_upload_that_is_there_already_is_not_believed(site: Site, desk: Desk, claimed: int) -> None:
    site.claims = [claimed]
    assert has_failed(await desk.sent(ask(site.url)), f"says it has {claimed} bytes, and was sent 0")
    assert only_file(site) == b""
    assert all(each.sent_bytes == 0 for each in desk.told)


async def test_a_server_that_has_more_of_a_broken_chunk_than_went_out_is_not_believed(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.clip.write_bytes(LONG)
    with small_chunks(monkeypatch, len(LONG)):
        async with desk.at_work() as uploads:
            site.cuts, site.claims = [READ_AT_ONCE], [0, len(LONG)]
            await uploads.begin(ask(site.url))
            done = await desk.over()
    assert "and was sent" in str([each.reason for each in desk.told])
    assert (done.state, bytes(site.files["/files/1"])) == (UploadState.DONE, LONG)  # begun anew, and that is there


async def test_a_server_that_has_too_much_of_every_upload_is_left(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.clip.write_bytes(LONG)
    with small_chunks(monkeypatch, len(LONG)):
        tries = transfer.MOST_DOUBTS + 1
        site.cuts, site.claims = [READ_AT_ONCE] * tries, [0, len(LONG)] * tries
        assert has_failed(await desk.sent(ask(site.url)), "and was sent")
    assert site.methods().count("POST") == tries


async def test_after_a_power_cut_no_server_has_more_than_the_chunk_that_was_under_way(
    site: Site, desk: Desk, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_chunks(monkeypatch):
        async with desk.at_work() as uploads:
            desk.under_way = True  # it stands still in the middle of its attempt
            desk.road.give_way()
            await uploads.begin(ask(site.url))
            await until(lambda: "PATCH" in site.methods(), "the first chunk is under way")
        (job,) = desk.uploads._shelf.remembered()
        assert job.offered_bytes == PART
        site.claims = [PART + 1]
        later = Desk(desk.folder, ca_file=authority.ca_file, hosts=(site.place,))
        async with later.at_work():
            done = await later.over()
    assert f"says it has {PART + 1} bytes, and was sent {PART}" in str([each.reason for each in later.told])
    assert (done.state, bytes(site.files["/files/1"])) == (UploadState.DONE, FILM)


async def test_a_server_that_has_more_than_the_chunk_it_was_sent_is_left(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.claims = [0, PART + 1]
    with small_chunks(monkeypatch):
        assert has_failed(await desk.sent(ask(site.url)), f"says it has {PART + 1} bytes, and was sent {PART}")


async def test_what_a_server_lost_between_two_chunks_is_sent_and_compared_again(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.leaves = [PART, 50_000]
    with small_chunks(monkeypatch):
        done = await desk.sent(ask(site.url))
    assert (done.state, done.confirmed, only_file(site)) == (UploadState.DONE, Confirmed.CHUNKS, FILM)


async def test_a_chunk_whose_answer_tells_no_offset_has_not_arrived(site: Site, desk: Desk) -> None:
    site.offsets = False
    assert has_failed(await desk.sent(ask(site.url)), "no offset")


@pytest.mark.parametrize("length", [len(FILM) + 1, 1])
async def test_an_upload_of_another_length_is_not_ours(site: Site, desk: Desk, length: int) -> None:
    site.waits_for = length
    assert has_failed(await desk.sent(ask(site.url)), f"waits for '{length}' bytes")
    assert "PATCH" not in site.methods()


async def test_bytes_of_a_chunk_that_broke_were_compared_by_nobody(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_chunks(monkeypatch):
        site.cuts = [PART, 40_000]  # it keeps what came of the second, which it cannot have compared
        done = await desk.sent(ask(site.url))
    assert (done.state, done.confirmed, only_file(site)) == (UploadState.DONE, Confirmed.SIZE, FILM)


async def test_a_tus_server_without_checksums_confirms_the_size(site: Site, desk: Desk) -> None:
    site.sums = False
    done = await desk.sent(ask(site.url))
    assert (done.state, done.confirmed) == (UploadState.DONE, Confirmed.SIZE)


async def test_a_chunk_that_nobody_answered_for_was_compared_by_nobody(site: Site, desk: Desk) -> None:
    site.mute = 1
    done = await desk.sent(ask(site.url))
    assert (done.state, done.confirmed, only_file(site)) == (UploadState.DONE, Confirmed.SIZE, FILM)
    assert site.methods().count("PATCH") == 1


# --- ranges ------------------------------------------------------------------------------------------------------


async def test_a_server_without_ranges_that_takes_an_empty_file_has_not_got_the_clip(site: Site, desk: Desk) -> None:
    site.ranges = site.digests = False
    done = await desk.sent(ask(site.url, way=Way.RANGES))
    assert has_failed(done, "it knows no ranges")
    assert (done.sent_bytes, only_file(site)) == (0, b"")


async def test_a_range_that_is_taken_for_the_whole_is_not_the_whole(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.digests = False
    with small_chunks(monkeypatch):
        async with desk.at_work() as uploads:
            site.hangs = threading.Event()
            await uploads.begin(ask(site.url, way=Way.RANGES))
            await until(lambda: site.methods() == ["PUT", "PUT"], "it asked for the first range, and gets it")
            site.ranges = False
            site.hangs.set()
            done = await desk.over()
    assert has_failed(done, f"says it has the whole of {len(FILM)} bytes, and was sent {2 * PART}")


async def test_a_server_that_has_all_of_the_ranges_when_the_last_answer_was_lost_is_believed(
    site: Site, desk: Desk
) -> None:
    site.mute = 1
    done = await desk.sent(ask(site.url, way=Way.RANGES))
    assert (done.state, only_file(site)) == (UploadState.DONE, FILM)
    ranges = [headers["content-range"] for _, _, headers in site.seen]
    assert ranges == ["bytes */300000", "bytes 0-299999/300000", "bytes */300000"]


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ("bytes=0-99999", "says it has 100000 bytes, and was sent 0"),
        ("bytes=0-299999", "says it has 300000 bytes, and was sent 0"),
        ("bytes=5-99", "no beginning of a file"),
        ("bytes=0-99,50-199", "no beginning of a file"),
    ],
)
async def test_a_server_that_has_ranges_which_were_not_sent_is_left(
    site: Site, desk: Desk, held: str, why: str
) -> None:
    site.held = [held]
    assert has_failed(await desk.sent(ask(site.url, way=Way.RANGES)), why)
    assert only_file(site) == b""


async def test_a_clip_that_grew_is_not_put_behind_the_beginning_of_the_older_one(
    site: Site, desk: Desk, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.digests = False
    with small_chunks(monkeypatch):
        async with desk.at_work() as uploads:
            site.cuts = [PART, *[0] * 10_000]  # it never gets further in this life
            await uploads.begin(ask(site.url, way=Way.RANGES))
            await until(lambda: desk.told and desk.told[-1].sent_bytes == PART, "the first range is there")
        desk.clip.write_bytes(bytes(PART) + FILM)
        later = Desk(desk.folder, ca_file=authority.ca_file, hosts=(site.place,))
        async with later.at_work():
            assert has_failed(await later.over(), "bytes, and was sent 0")


# --- one PUT -----------------------------------------------------------------------------------------------------


async def test_an_answer_before_the_end_of_the_clip_is_no_success(plain: Site, tmp_path: Path) -> None:
    desk = Desk(tmp_path, hosts=(plain.place,))
    desk.clip.write_bytes(LONG)
    plain.ends_after = [READ_AT_ONCE] * (transfer.MOST_DOUBTS + 1)
    done = await desk.sent(ask(plain.url, way=Way.PUT))
    assert has_failed(done, "had gone out")
    assert done.sent_bytes == 0


async def test_what_went_to_an_address_that_was_left_does_not_count(plain: Site, tmp_path: Path) -> None:
    desk = Desk(tmp_path, hosts=(plain.place,))
    desk.clip.write_bytes(LONG)
    plain.answers, plain.ends_after = [(307, {"Location": "/moved"})], [READ_AT_ONCE]
    done = await desk.sent(ask(plain.url, way=Way.PUT))
    assert (done.state, only_file(plain)) == (UploadState.DONE, LONG)
    assert "had gone out" in str([each.reason for each in desk.told])


@pytest.mark.parametrize("headers", [{}, {"ETag": '"cached"'}])
async def test_a_web_page_is_no_word_of_a_server(site: Site, desk: Desk, headers: dict[str, str]) -> None:
    site.page = headers
    assert has_failed(await desk.sent(ask(site.url, way=Way.PUT)), "web page")
    desk.told.clear()
    assert has_failed(await desk.sent(in_parts(site, complete_url=None)), "web page")
    assert site.files == {}


async def test_what_stands_there_counts_more_than_a_page(site: Site, desk: Desk) -> None:
    site.page, site.files["/files"] = {}, bytearray(FILM)
    done = await desk.sent(ask(site.url, way=Way.PUT, confirm_url=site.url))
    assert (done.state, done.confirmed) == (UploadState.DONE, Confirmed.DIGEST)


async def test_a_server_is_not_told_the_digest_that_it_shall_tell(site: Site, desk: Desk) -> None:
    site.echoes = True
    done = await desk.sent(ask(site.url, way=Way.PUT))
    assert (done.state, done.confirmed) == (UploadState.DONE, Confirmed.NOTHING)


@pytest.mark.parametrize(
    "told",
    [
        "sha-512=:YWJj:",
        "x-sha-256=:YWJj:",
        "sha-256=::",
        "sha-256=abc",
    ],
)
async def test_a_digest_of_another_kind_confirms_nothing(site: Site, desk: Desk, told: str) -> None:
    site.answers = [(200, {"Repr-Digest": told})]
    done = await desk.sent(ask(site.url, way=Way.PUT))
    assert (done.state, done.confirmed) == (UploadState.DONE, Confirmed.NOTHING)


# --- parts -------------------------------------------------------------------------------------------------------


async def test_a_storage_that_could_not_join_the_parts_is_asked_again(site: Site, desk: Desk) -> None:
    site.joins = [b"\n\n<Error><Code>InternalError</Code></Error>"]
    done = await desk.sent(in_parts(site))
    assert (done.state, bytes(site.files["/whole"])) == (UploadState.DONE, FILM)
    assert [path for _, path, _ in site.seen] == ["/part1", "/part2", "/part3", "/complete", "/complete"]


@pytest.mark.parametrize("said", [b"", b"\n\n\n", b"<html>Log in</html>"])
async def test_parts_are_joined_only_when_the_storage_says_so(site: Site, desk: Desk, said: bytes) -> None:
    site.joins = [said]
    assert has_failed(await desk.sent(in_parts(site)), "did not say that it joined")


async def test_parts_that_were_not_joined_are_not_there_because_something_is(site: Site, desk: Desk) -> None:
    site.files["/whole"] = bytearray(b"older")
    site.joins, site.sizes = [b""], [None]
    looks = f"{site.url.removesuffix('/files')}/whole"
    assert has_failed(await desk.sent(in_parts(site, confirm_url=looks)), "did not say that it joined")


@pytest.mark.parametrize(("etag", "why"), [('"same"', "which is another one"), ('""', "no ETag"), (" ", "no ETag")])
async def test_a_part_is_known_by_an_etag_of_its_own(site: Site, desk: Desk, etag: str, why: str) -> None:
    site.etag = etag
    assert has_failed(await desk.sent(in_parts(site, complete_url=None)), why)


async def test_parts_that_are_alike_may_have_one_etag(site: Site, desk: Desk) -> None:
    desk.clip.write_bytes(bytes(3 * PART))
    done = await desk.sent(in_parts(site))
    assert (done.state, len(set(done.etags)), bytes(site.files["/whole"])) == (UploadState.DONE, 1, bytes(3 * PART))


async def test_a_part_that_was_answered_before_its_end_goes_again(plain: Site, tmp_path: Path) -> None:
    desk = Desk(tmp_path, hosts=(plain.place,))
    desk.clip.write_bytes(LONG)
    plain.ends_after = [READ_AT_ONCE]
    done = await desk.sent(in_parts(plain, part_bytes=PART * 40))
    assert (done.state, bytes(plain.files["/whole"])) == (UploadState.DONE, LONG)
    assert "had gone out" in str([each.reason for each in desk.told])


# --- what stands there at the end --------------------------------------------------------------------------------


async def test_a_clip_of_another_size_is_sent_anew(site: Site, desk: Desk) -> None:
    site.digests = False
    site.sizes = [len(FILM) - 1, len(FILM)]
    done = await desk.sent(ask(site.url, way=Way.PUT, confirm_url=site.url))
    assert (done.state, done.confirmed) == (UploadState.DONE, Confirmed.SIZE)
    assert site.methods() == ["PUT", "HEAD", "PUT", "HEAD"]
    assert "299999 bytes of 300000" in str([each.reason for each in desk.told])


async def test_a_clip_of_another_size_is_a_new_upload_of_tus(site: Site, desk: Desk) -> None:
    site.files["/stored"], site.sizes = bytearray(FILM), [len(FILM) - 1]
    stored = f"{site.url.removesuffix('/files')}/stored"
    done = await desk.sent(ask(site.url, confirm_url=stored))
    assert (done.state, done.confirmed) == (UploadState.DONE, Confirmed.DIGEST)
    assert [bytes(site.files[f"/files/{number}"]) for number in range(2)] == [FILM, FILM]


async def test_a_server_where_it_never_has_the_right_size_is_left(site: Site, desk: Desk) -> None:
    site.digests = False
    tries = transfer.MOST_DOUBTS + 1
    site.sizes = [0] * tries
    assert has_failed(await desk.sent(ask(site.url, way=Way.PUT, confirm_url=site.url)), "0 bytes of 300000")
    assert site.methods().count("PUT") == tries
