"""An export made beside a running unit gets off it by an `upload` command, and nothing is removed from under that."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from agent.clock import Moment, SystemClock
from agent.control_room import commands
from agent.control_room.command_line import understood
from agent.durable import put_whole
from agent.footage.store.exports import writing
from agent.uplink.media.queue import waited_for
from fakes.authority import Authority
from fakes.town import UNIT_ID
from tests.system.test_evidence import CAMERA, FOOTAGE, LIMIT_S, has_filmed
from tests.uplink.lab import until
from tests.uplink.media.upload_server import upload_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fakes.town import Town
    from tests.uplink.media.upload_server import Site

FILMED_S = 4
LONG_AGO_S = -8 * 86_400.0
"""Longer than exports are kept."""


async def export(town: Town, name: str) -> dict[str, Any]:
    """What the real command answers, given beside the running unit."""
    now = datetime.now(UTC)
    words = ["export", name, "--from", (now - timedelta(seconds=2)).isoformat(), "--to", now.isoformat(), "--json"]
    program = [sys.executable, "-m", "agent.cli.main", "footage", "--config", str(town.config_file), *words]
    process = await asyncio.create_subprocess_exec(*program, stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    told: dict[str, Any] = json.loads(out)
    return told


async def uploaded(town: Town, file: str, url: str) -> list[dict[str, Any]]:
    """Every answer to a command of the control room."""
    room = town.control_room
    wanted = understood(f"{UNIT_ID} upload file={file} url={url}", room.desk.units)
    async with asyncio.timeout(LIMIT_S):
        return [answer async for answer in room.command(wanted)]


@pytest.fixture
def patient_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for here is an answer, however busy the machine is."""
    monkeypatch.setattr(commands, "ANSWER_WITHIN_S", LIMIT_S)


@pytest.fixture
def site(authority: Authority) -> Iterator[Site]:
    with upload_server(authority.issue_server()) as site:
        yield site


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def sending_to(site: Site, authority: Authority) -> dict[str, Any]:
    return {"uploads": {"ca_file": str(authority.ca_file), "hosts": [site.place]}}


@pytest.mark.usefixtures("patient_console")
async def test_each_file_of_an_export_gets_off_a_unit_that_goes_on_filming(
    town_with: Callable[..., Town], site: Site, authority: Authority
) -> None:
    async with town_with(camera=CAMERA, footage=FOOTAGE, uplink=sending_to(site, authority)) as town:
        await town.start_unit()
        await has_filmed(town, FILMED_S)
        told = await export(town, "case-7")
        names = [file.rpartition("/")[2] for file in told["files"]]
        for file in told["files"]:
            answers = await uploaded(town, file, site.url)
            assert (answers[0]["status"], answers[-1]["status"]) == ("accepted", "done")
            here = (town.config.footage_folder / file).read_bytes()
            assert answers[-1]["result"]["sha256"] == hashlib.sha256(here).hexdigest()
        arrived = dict(zip(names, map(bytes, site.files.values()), strict=True))
        assert hashlib.sha256(arrived["clip.mp4"]).hexdigest() == told["sha256"]
        for line in arrived["SHA256SUMS"].decode().splitlines():
            digest, _, name = line.partition("  ")
            assert hashlib.sha256(arrived[name]).hexdigest() == digest, "whoever got them can check them"


@pytest.mark.usefixtures("patient_console")
async def test_an_export_goes_at_its_age_but_not_from_under_its_upload(
    town_with: Callable[..., Town], site: Site, authority: Authority
) -> None:
    """The recorder removes exports, the daemon sends them: two processes."""
    site.hangs = threading.Event()
    async with town_with(camera=CAMERA, footage=FOOTAGE, uplink=sending_to(site, authority)) as town:
        await town.start_unit()
        await has_filmed(town, FILMED_S)
        exports = town.config.footage_folder / "exports"
        told = await export(town, "sent")
        sending = asyncio.create_task(uploaded(town, "exports/sent/clip.mp4", site.url))
        try:
            await until(lambda: waited_for(town.config), "the upload is on the unit's disk")
            long_ago = SystemClock().now().later(LONG_AGO_S)
            put_whole(exports / "sent" / "made.json", TypeAdapter(Moment).dump_json(long_ago))
            with writing(town.config.footage_folder, "unsent", long_ago) as folder:
                (folder / "clip.mp4").write_bytes(b"pictures")
            (exports / ".killed.part").mkdir()
            await until(lambda: not (exports / "unsent").exists(), "the recorder removes what has reached its age")
            assert (exports / "sent" / "clip.mp4").exists()
            site.hangs.set()
            answers = await sending
        finally:
            site.hangs.set()
            sending.cancel()
        assert (answers[-1]["status"], answers[-1]["result"]["sha256"]) == ("done", told["sha256"])
        await until(lambda: not list(exports.iterdir()), "nothing waits for it any more")
