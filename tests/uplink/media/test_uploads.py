"""Clips on their way to a web server: whole or not at all, through broken networks and restarts, to nobody else."""

from __future__ import annotations

import asyncio
import hashlib
import random
import threading
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from agent.config.sending import DataPlanSettings, UploadSettings
from agent.config.settings import UplinkSettings
from agent.signals import Category, Media
from agent.uplink.media.purse import Purse
from agent.uplink.media.request import (
    Confirmed,
    File,
    PieceOf,
    Refusal,
    UploadProgress,
    UploadRefused,
    UploadRequest,
    UploadState,
    Way,
)
from agent.uplink.media.road import Road
from agent.uplink.media.uploads import Uploads
from agent.uplink.media.web import client, progress, put, tus
from fakes.authority import Authority
from tests.alongside import alongside
from tests.uplink.lab import LabClock, make_config, until
from tests.uplink.media.upload_server import Site, upload_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from agent.uplink.media.web.job import Job

FILM = random.Random(5).randbytes(300_000)
OVER = {UploadState.DONE, UploadState.FAILED}
CLIP = PieceOf("inc-1", Media.CLIP)
HOSTS = ("control.example", "control.example:80", "localhost:1")


class Hurry(random.Random):
    """Chance that never makes anybody wait."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0 * (a + b)


class Desk:
    """A unit's upload room with a clip on the disk, and all that it says."""

    def __init__(self, folder: Path, *, plan: DataPlanSettings | None = None, **uploads: Any) -> None:  # noqa: ANN401
        self.folder = folder
        settings = UploadSettings.model_validate({"kbit_per_s": 1_000_000, "hosts": HOSTS} | uploads)
        uplink = UplinkSettings(broker="mqtt://localhost", insecure_lab=True, uploads=settings)
        self.config = make_config().model_copy(update={"state_folder": folder, "uplink": uplink})
        self.clip = folder / "footage" / "incidents" / "inc-1" / "clip.mp4"
        self.clip.parent.mkdir(parents=True, exist_ok=True)
        if not self.clip.exists():
            self.clip.write_bytes(FILM)
        self.clock = LabClock()
        self.purse = Purse(
            plan or DataPlanSettings(),
            folder / "data-plan.json",
            self.clock,
            carried_bytes=lambda: self.uploads.wire.carried_bytes,
        )
        self.under_way = False
        self.road = Road(lambda: self.under_way)
        self.category: Category | None = Category.INTRUDER
        self.told: list[UploadProgress] = []
        self.interfaces: list[str | None] = [None]
        """What an attempt goes through: the first one, and each that follows a failure the next."""
        self.barred: str | None = None
        self.uploads = Uploads(
            self.config,
            self.clock,
            self.purse,
            self.road,
            category_of=lambda _: self.category,
            on_progress=self.told.append,
            interface_for=lambda failures: self.interfaces[failures % len(self.interfaces)],
            barred=lambda: self.barred,
            rng=Hurry(),
        )

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Uploads]:
        """The room, until the end of the story or of this life."""
        async with alongside(self.uploads.run(lambda: None), self.road.run(lambda: None)):
            yield self.uploads

    async def over(self) -> UploadProgress:
        """Wait for the end of the one upload there is."""
        await until(lambda: self.told and self.told[-1].state in OVER, f"the upload is over: {self.told[-3:]}")
        return self.told[-1]

    async def sent(self, request: UploadRequest) -> UploadProgress:
        """Begin it and wait for its end."""
        async with self.at_work() as uploads:
            await uploads.begin(request)
            return await self.over()

    @property
    def remembered(self) -> list[Path]:
        """What of uploads lies on the disk."""
        return sorted((self.folder / "media" / "uploads").glob("*"))


def ask(url: str, **more: Any) -> UploadRequest:  # noqa: ANN401 - members of a request
    members: dict[str, Any] = {"upload_id": "up-1", "what": CLIP, "url": url} | more
    return UploadRequest(**members)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def site(authority: Authority) -> Iterator[Site]:
    with upload_server(authority.issue_server()) as site:
        yield site


@pytest.fixture
def desk(authority: Authority, site: Site, tmp_path: Path) -> Desk:
    return Desk(tmp_path, ca_file=authority.ca_file, hosts=(*HOSTS, site.place))


@contextmanager
def small_chunks(monkeypatch: pytest.MonkeyPatch, size: int = 100_000) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(tus, "CHUNK_BYTES", size)
        patch.setattr(put, "CHUNK_BYTES", size)
        yield


def only_file(site: Site) -> bytes:
    (held,) = site.files.values()
    return bytes(held)


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


# --- nobody else -------------------------------------------------------------------------------------------------


async def test_a_server_that_nobody_vouches_for_gets_nothing(site: Site, tmp_path: Path) -> None:
    desk = Desk(tmp_path, hosts=(site.place,))
    async with desk.at_work() as uploads:
        await uploads.begin(ask(site.url))
        await until(lambda: desk.told and desk.told[-1].state is UploadState.WAITING, "it waits")
    assert site.seen == []
    assert "certificate" in str(desk.told[-1].reason).lower()


async def test_a_redirect_to_somebody_else_is_refused_and_one_to_the_server_itself_followed(
    site: Site, desk: Desk, authority: Authority
) -> None:
    site.tus = False
    with upload_server(authority.issue_server()) as other:
        site.answers = [(307, {"Location": f"{other.url}/stolen"})]
        done = await desk.sent(ask(site.url))
        assert done.state is UploadState.FAILED
        assert "refused" in str(done.reason)
        assert other.seen == []
    site.answers = [(307, {"Location": "/moved"})]
    desk.told.clear()
    done = await desk.sent(ask(site.url))
    assert (done.state, bytes(site.files["/moved"])) == (UploadState.DONE, FILM)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "http://control.example/files"}, None),
        ({"url": "ftp://control.example/files"}, Refusal.NOT_ALLOWED),
        ({"url": "https://user:secret@control.example/"}, Refusal.NOT_ALLOWED),
        ({"url": "https://control.example/a b"}, Refusal.INVALID),
        ({"url": "https://control.example:no/"}, Refusal.INVALID),
        ({"url": ""}, Refusal.INVALID),
        ({"url": "https://control.example/", "headers": {"Host": "other"}}, Refusal.NOT_ALLOWED),
        ({"url": "https://control.example/", "headers": {"X": "a\r\nHost: other"}}, Refusal.INVALID),
        ({"url": "https://control.example/", "way": Way.PARTS}, Refusal.INVALID),
        ({"url": "https://control.example/", "upload_id": "../up"}, Refusal.INVALID),
        ({"url": "https://control.example/", "what": PieceOf("../../etc", Media.CLIP)}, Refusal.INVALID),
        ({"url": "https://control.example/", "what": PieceOf("inc-2", Media.CLIP)}, Refusal.NOT_FOUND),
        ({"url": "https://control.example/", "what": "outside"}, Refusal.NOT_FOUND),
        ({"url": "https://control.example/", "what": "link"}, Refusal.NOT_FOUND),
        ({"url": "https://control.example/", "what": "exports/link"}, Refusal.NOT_FOUND),
        ({"url": "https://control.example/", "what": "exports/out/unit.key"}, Refusal.NOT_FOUND),
        ({"url": "https://control.example/", "what": "exports/folder"}, Refusal.NOT_FOUND),
    ],
)
async def test_what_must_not_be_is_refused_before_anything_is_sent(
    desk: Desk, tmp_path: Path, changes: dict[str, Any], code: Refusal | None
) -> None:
    (tmp_path / "unit.key").write_text("secret", encoding="utf-8")
    (tmp_path / "footage" / "link").symlink_to(tmp_path / "unit.key")
    (tmp_path / "footage" / "exports" / "folder").mkdir(parents=True)
    (tmp_path / "footage" / "exports" / "link").symlink_to(tmp_path / "unit.key")
    (tmp_path / "footage" / "exports" / "out").symlink_to(tmp_path)
    what = changes.get("what")
    if isinstance(what, str):
        changes = changes | {"what": File(Path("../unit.key" if what == "outside" else what))}
    if code is None:  # plain http, on a bench only
        await desk.uploads.begin(ask(**changes))
        strict = desk.config.uplink.model_copy(update={"insecure_lab": False})
        desk.uploads._config = desk.config.model_copy(update={"uplink": strict})
        code, changes = Refusal.NOT_ALLOWED, changes | {"upload_id": "up-2"}
    with pytest.raises(UploadRefused) as refused:
        await desk.uploads.begin(ask(**changes))
    assert refused.value.code is code
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["exports/case-7.zip", "exports/case-7/clip.mp4"])
async def test_an_export_goes_where_a_command_names(desk: Desk, site: Site, tmp_path: Path, name: str) -> None:
    export = tmp_path / "footage" / name
    export.parent.mkdir(parents=True)
    export.write_bytes(FILM)
    over = await desk.sent(ask(site.url, what=File(Path(name))))
    assert (over.state, over.confirmed) == (UploadState.DONE, Confirmed.CHUNKS)
    assert over.sha256 == hashlib.sha256(FILM).hexdigest()


async def test_only_named_hosts_get_anything_and_only_at_the_named_port(tmp_path: Path) -> None:
    desk = Desk(tmp_path, hosts=("evidence.example", "films.example:8443"))
    for place in ("other.example", "evidence.example:8443", "films.example", "evidence.example.other.example"):
        with pytest.raises(UploadRefused, match="none of the hosts") as refused:
            await desk.uploads.begin(ask(f"https://{place}/files"))
        assert refused.value.code is Refusal.NOT_ALLOWED
    await desk.uploads.begin(ask("https://Evidence.example/files"))
    await desk.uploads.begin(ask("https://evidence.example:443/files", upload_id="up-2"))
    await desk.uploads.begin(ask("https://films.example:8443/files", upload_id="up-3"))


async def test_where_no_host_is_named_nobody_gets_anything(tmp_path: Path) -> None:
    desk = Desk(tmp_path, hosts=UploadSettings().hosts)
    with pytest.raises(UploadRefused, match="name the hosts") as refused:
        await desk.uploads.begin(ask("https://control.example/files"))
    assert refused.value.code is Refusal.NOT_ALLOWED


async def test_an_upload_of_an_earlier_life_goes_to_nobody_who_is_not_named_any_more(
    site: Site, desk: Desk, authority: Authority
) -> None:
    await desk.uploads.begin(ask(site.url))
    later = Desk(desk.folder, ca_file=authority.ca_file, hosts=("control.example",))
    async with later.at_work():
        done = await later.over()
    assert done.state is UploadState.FAILED
    assert "none of the hosts" in str(done.reason)
    assert site.seen == []


async def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path, max_mb=1)
    desk.clip.write_bytes(bytes(1_000_001))
    with pytest.raises(UploadRefused) as refused:
        await desk.uploads.begin(ask("https://control.example/"))
    assert refused.value.code is Refusal.TOO_LARGE


# --- the unit goes first -----------------------------------------------------------------------------------------


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
