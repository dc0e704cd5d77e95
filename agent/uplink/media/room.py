"""The media room: what sends pictures and films, as one part of the unit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.signals import MediaSent, MediaUnderWay
from agent.uplink.manners import Manners
from agent.uplink.media.aside import aside
from agent.uplink.media.purse import Purse
from agent.uplink.media.quarters import Quarters
from agent.uplink.media.request import PieceOf, UploadState
from agent.uplink.media.road import Road
from agent.uplink.media.stills import Stills
from agent.uplink.media.uploads import Uploads
from agent.uplink.paths import ALTERNATE, PRIMARY, Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.rooms import Room
    from agent.signals import Category, MediaReady, Signal
    from agent.uplink.courier import Courier
    from agent.uplink.endpoint import Endpoint
    from agent.uplink.media.request import UploadProgress
    from agent.uplink.publication import Received

log = structlog.get_logger()

KEEPALIVE_S: Final = 120.0
"""This connection is idle nearly always, and nobody waits for it to be found dead: a ping each two minutes is 1.4 MB a
month on each path, and short enough for the address translation of mobile networks."""
PUBACK_WITHIN_S: Final = 30.0
"""A still on a link of 16 kbit/s."""


class MediaRoom:
    """Everything between a picture on the disk and somebody who looks at it."""

    def __init__(  # noqa: PLR0913 - it stands between all of these
        self,
        config: Config,
        endpoint: Endpoint,
        clock: Clock,
        courier: Courier,
        alarms_carried_bytes: Callable[[], int],
        *,
        alternate: Endpoint | None = None,
        interface_for: Callable[[int], str | None],
        category_of: Callable[[str], Category | None],
        report: Callable[[Signal], None],
        on_upload: Callable[[UploadProgress], None],
        barred: Callable[[], str | None] = lambda: None,
    ) -> None:
        """A room that does nothing yet.

        Args:
            config: What there is to send, and what it may cost.
            endpoint: The broker.
            clock: Says how old a picture is, and which month it is.
            courier: Whose alerts go first.
            alarms_carried_bytes: What the alerts' own connections carried so far: it counts too.
            alternate: A second way to the control room, for pictures as for alerts.
            interface_for: Where an upload goes after so many attempts that failed.
            category_of: What an alert is about: a help call's media are free.
            report: Takes which piece of an alert's footage was sent.
            on_upload: Hears how each upload goes on, after that.
            barred: Why no footage may be uploaded now; None: it may. Stills go with their alerts all the same.
        """
        self._clock = clock
        self._report = report
        self._on_upload = on_upload
        self._quarters = Quarters()
        self._paths: Paths | None = None
        self.purse = Purse(
            config.uplink.data_plan,
            config.state_folder / "media" / "data-plan.json",
            clock,
            carried_bytes=lambda: (
                alarms_carried_bytes()
                + self.uploads.wire.carried_bytes
                + (0 if self._paths is None else self._paths.carried_bytes)
            ),
        )
        self.road = Road(lambda: courier.under_way)
        self.uploads = Uploads(
            config,
            clock,
            self.purse,
            self.road,
            category_of=category_of,
            on_progress=self._upload_moved,
            interface_for=interface_for,
            barred=barred,
        )
        self._stills: Stills | None = None
        if config.camera.enabled:
            # The broker lets both connections in by the same certificate; a client id may be there only once. Nothing
            # is kept for this one while it is away, so that a mark of this run will do.
            manners = Manners(
                f"{config.unit.id}-media",
                keepalive_s=KEEPALIVE_S,
                session_expiry_s=0,
                puback_within_s=PUBACK_WITHIN_S,
                background=True,
            )
            self._paths = Paths(
                {PRIMARY: endpoint} | ({} if alternate is None else {ALTERNATE: alternate}),
                manners,
                on_message=_expect_nothing,
                on_change=lambda _up: stills.look(),
            )
            self._stills = stills = Stills(
                config.unit, self._paths, clock, self.purse, self.road, silent=lambda: courier.silent_paths
            )

    def rooms(self) -> Iterable[Room]:
        """What runs, by name."""
        yield "data plan", self.purse.run
        yield "right of way", self.road.run
        yield "uploads", self.uploads.run
        if self._paths is not None and self._stills is not None:
            yield "media link", self._run_paths
            yield "stills", self._stills.run

    def give_way(self) -> None:
        """An alert begins its way now."""
        self.road.give_way()

    def take(self, made: MediaReady, category: Category) -> None:
        """A piece of footage of an alert of this category is on the disk."""
        if self._stills is not None:
            self._stills.take(made, category)

    def _upload_moved(self, progress: UploadProgress) -> None:
        """An upload goes on, or is over: that is told with its alert."""
        log.info(
            "upload",
            upload_id=progress.upload_id,
            state=progress.state,
            sent_bytes=progress.sent_bytes,
            size_bytes=progress.size_bytes,
        )
        if isinstance(progress.what, PieceOf):
            self._tell_of(progress.what, progress)
        self._on_upload(progress)

    def _tell_of(self, piece: PieceOf, progress: UploadProgress) -> None:
        """What its alert has to say of it."""
        now = self._clock.now()
        if progress.state in {UploadState.DONE, UploadState.FAILED}:
            self._quarters.over(progress.upload_id)
            sent = MediaSent(
                piece.alert_id,
                piece.media,
                now,
                host=progress.host,
                sha256=progress.sha256,
                confirmed=progress.confirmed,
                reason=progress.reason,
            )
            self._report(sent)
        elif progress.state is UploadState.RUNNING:
            percent = self._quarters.to_tell(
                progress.upload_id, progress.sent_bytes, progress.size_bytes, now.monotonic_s
            )
            if percent is not None:
                self._report(MediaUnderWay(piece.alert_id, piece.media, now, progress.host, percent))

    def facts(self) -> Mapping[str, Any]:
        """For the heartbeat."""
        facts: dict[str, Any] = {"dataPlan": dict(self.purse.facts()), "uploads": dict(self.uploads.facts())}
        if self._stills is not None:
            facts["stills"] = dict(self._stills.facts())
        return {"media": facts}

    async def close(self) -> None:
        """Leave the broker in order, and keep the account."""
        if self._paths is not None:
            await self._paths.close()
        await aside(self.purse.keep)

    async def _run_paths(self, working: Callable[[], None]) -> None:
        working()  # each link reports and repairs itself
        if self._paths is not None:
            await self._paths.run()
        await asyncio.get_running_loop().create_future()  # closed: nothing more to do until the unit ends


def _expect_nothing(received: Received) -> None:
    """It subscribes to nothing.

    Raises:
        ValueError: always; the link counts and tells it.
    """
    msg = f"a message came on {received.topic}, but this connection asked for none"
    raise ValueError(msg)
