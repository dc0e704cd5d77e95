"""A unit's upload room at a desk: a clip on the disk, a request, and all that is said of it."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from agent.config.sending import DataPlanSettings, UploadSettings
from agent.config.settings import UplinkSettings
from agent.signals import Category, Media
from agent.uplink.media.purse import Purse
from agent.uplink.media.request import (
    PieceOf,
    UploadProgress,
    UploadRequest,
    UploadState,
)
from agent.uplink.media.road import Road
from agent.uplink.media.uploads import Uploads
from agent.uplink.media.web import put, tus
from tests.alongside import alongside
from tests.uplink.lab import LabClock, make_config, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import pytest

    from tests.uplink.media.upload_server import Site


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


@contextmanager
def small_chunks(monkeypatch: pytest.MonkeyPatch, size: int = 100_000) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(tus, "CHUNK_BYTES", size)
        patch.setattr(put, "CHUNK_BYTES", size)
        yield


def only_file(site: Site) -> bytes:
    (held,) = site.files.values()
    return bytes(held)
