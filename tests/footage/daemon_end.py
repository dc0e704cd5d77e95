"""The daemon's end of a recorder: a real socket pair, the real job in a thread, and a street before its camera."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, cast

from agent.clock import Clock, SystemClock
from agent.config.filming import CameraSettings, FootageSettings
from agent.config.settings import Config, UnitSettings, UplinkSettings
from agent.footage.recorder import Recorder
from agent.helpers.channel import Channel
from agent.helpers.messages import ClipRequest, Event, Request, StillRequest, StripRequest, decode, encode
from fakes.camera import SyntheticCamera

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.footage.recorder import OpenCamera
    from agent.hw.kit import BurnIn
    from fakes.scene import StreetScene

E = TypeVar("E", bound=Event)
LIMIT_S = 90
"""Only a failing test waits this long, however busy the machine is."""


def config(folder: Path) -> Config:
    """A unit with a small camera and short segments."""
    return Config(
        profile="safe-point",
        unit=UnitSettings(id="sp-1", org="town", name="Safe Point", location="Central Walk"),
        uplink=UplinkSettings(broker="mqtt://localhost", insecure_lab=True),
        camera=CameraSettings(enabled=True, width_px=320, height_px=180, fps=15, bitrate_kbps=500),
        footage=FootageSettings(segment_s=2, reserve_mb=10),
        state_folder=folder,
    )


def said_on(sock: socket.socket) -> Iterator[Event]:
    """What a recorder says, until the end of the line."""
    with sock.makefile("rb") as lines:
        try:
            for line in lines:
                yield cast("Event", decode(line))
        except ConnectionError:
            pass  # killed with our words unread: the end all the same


class DaemonEnd:
    """Hears everything a recorder says and asks it for media."""

    def __init__(self, sock: socket.socket) -> None:
        self.heard: list[Event] = []
        self._sock = sock
        self._news = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._read, name="daemon-end")
        self._reader.start()

    def ask(self, request: Request) -> None:
        """Send a request down."""
        self._sock.sendall(encode(request))

    def still(self, alert_id: str, at_s: float) -> None:
        """Ask for a still."""
        self.ask(StillRequest(alert_id, SystemClock().at(at_s)))

    def strip(self, alert_id: str, at_s: float) -> None:
        """Ask for a strip."""
        self.ask(StripRequest(alert_id, SystemClock().at(at_s)))

    def clip(self, alert_id: str, start_s: float, end_s: float) -> None:
        """Ask for a clip."""
        self.ask(ClipRequest(alert_id, SystemClock().at(start_s), SystemClock().at(end_s)))

    def hears(self, kind: type[E], fits: Callable[[E], bool] = lambda _: True) -> E:
        """Wait for the next event of this kind, out of those not heard yet by an earlier call."""
        deadline = time.monotonic() + LIMIT_S
        with self._news:
            while True:
                for place, event in enumerate(self.heard):
                    if isinstance(event, kind) and fits(event):
                        del self.heard[: place + 1]
                        return event
                assert not self._over, f"the recorder ended and never said {kind.__name__}"
                assert self._news.wait(deadline - time.monotonic()), f"no {kind.__name__} in {self.heard}"

    def close(self) -> None:
        """Hang up."""
        self._sock.shutdown(socket.SHUT_WR)
        self._reader.join()
        self._sock.close()

    def _read(self) -> None:
        for event in said_on(self._sock):
            with self._news:
                self.heard.append(event)
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()


@contextmanager
def running_recorder(
    folder: Path, scene: StreetScene, clock: Clock | None = None, settings: Config | None = None
) -> Iterator[DaemonEnd]:
    """A recorder of this scene, of this boot unless its clock says another."""

    def open_camera(camera: CameraSettings, burn_in: BurnIn) -> SyntheticCamera:
        return SyntheticCamera(camera, scene, burn_in)

    with recording_from(folder, open_camera, clock, settings) as daemon:
        yield daemon


@contextmanager
def recording_from(
    folder: Path, open_camera: OpenCamera, clock: Clock | None = None, settings: Config | None = None
) -> Iterator[DaemonEnd]:
    """A recorder in this process; a failure inside is raised at the end."""
    ours, theirs = socket.socketpair()
    daemon = DaemonEnd(ours)
    channel = Channel(theirs)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            Recorder(open_camera, clock).run(settings or config(folder), channel)
        except BaseException as failure:  # noqa: BLE001 - raised again in the test's own thread
            failures.append(failure)
        finally:
            channel.close()

    worker = threading.Thread(target=work, name="recorder-job")
    worker.start()
    try:
        yield daemon
    finally:
        daemon.close()
        worker.join(LIMIT_S)
    if failures:
        raise failures[0]
