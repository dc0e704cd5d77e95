"""Clips go to nobody but who was named and vouched for, and nothing else of the unit goes anywhere."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.config.sending import UploadSettings
from agent.signals import Media
from agent.uplink.media.request import (
    Confirmed,
    File,
    PieceOf,
    Refusal,
    UploadRefused,
    UploadState,
    Way,
)
from tests.uplink.lab import until
from tests.uplink.media.desk import FILM, Desk, ask
from tests.uplink.media.upload_server import Site, upload_server

if TYPE_CHECKING:
    from fakes.authority import Authority


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
