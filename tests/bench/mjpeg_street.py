"""A network camera for two recorders at once: a street drawn beforehand, as MJPEG over HTTP on the loopback interface.

Each picture carries its number in a frame clock. A client that is a second behind loses pictures, as it would with any
camera; nothing else makes one client's pictures differ from another's.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

import av

from agent.hw.kit import Picture
from fakes.night_street import NightStreet, Planes
from fakes.scene import StreetScene
from tests.bench.film import FRAME_S, SETTINGS, START, Grain, StoppedClock

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from agent.clock import Moment

JPEG_SCALE = 5
"""Quantiser of the pictures on the wire: fine, so that what the recorders make of them is their own doing."""
BEHIND_FRAMES = SETTINGS.fps
"""What a camera keeps for a client that does not read."""
BOUNDARY = b"picture"


@dataclass(frozen=True)
class Story:
    """When somebody is to be seen, in picture numbers."""

    enters: int
    leaves: int
    """The first picture without the person."""
    ends: int

    @classmethod
    def of(cls, *, quiet_s: float, event_s: float, after_s: float) -> Self:
        """So long nobody, so long somebody, so long nobody again."""
        enters = round(quiet_s / FRAME_S)
        leaves = enters + round(event_s / FRAME_S)
        return cls(enters, leaves, leaves + round(after_s / FRAME_S))


def draw(story: Story) -> list[bytes]:
    """All pictures of the story as JPEG; picture n is that of n / fps seconds."""
    street, scene, grain = NightStreet(SETTINGS.width_px, SETTINGS.height_px), StreetScene(lit=True), Grain()
    pictures = []
    for n in range(story.ends):
        scene.person = story.enters <= n < story.leaves
        at = StoppedClock().at(START.monotonic_s + n * FRAME_S)
        pictures.append(_jpeg(_picture(street, scene, grain, n, at)))
    return pictures


def _picture(street: NightStreet, scene: StreetScene, grain: Grain, n: int, at: Moment) -> NDArray[np.uint8]:
    whole = street.draw(scene, n, at)
    planes = Planes(whole)
    grain(Picture(planes.luma, *planes.colours), at.monotonic_s)
    return whole


def _jpeg(whole: NDArray[np.uint8]) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = SETTINGS.width_px, SETTINGS.height_px, "yuvj420p"
    encoder.time_base = Fraction(1, SETTINGS.fps)
    encoder.options = {"qmin": str(JPEG_SCALE), "qmax": str(JPEG_SCALE)}
    frame = av.VideoFrame.from_ndarray(whole, format="yuvj420p")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


class MjpegStreet:
    """Serves the story once, in real time."""

    def __init__(self, pictures: list[bytes]) -> None:
        self._pictures = pictures
        self.sent_s: list[float] = []
        """When each picture was there to be read, on CLOCK_MONOTONIC."""
        self._news = threading.Condition()
        self._over = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._serving = threading.Thread(target=self._server.serve_forever, name="mjpeg-street")
        self._telling = threading.Thread(target=self._tell, name="mjpeg-story")

    @property
    def url(self) -> str:
        """Where the pictures are."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def begin(self) -> None:
        """The first picture is now."""
        self._telling.start()

    def wait_for(self, number: int) -> float:
        """Wait for a picture; returns when it was there."""
        with self._news:
            self._news.wait_for(lambda: len(self.sent_s) > number)
            return self.sent_s[number]

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._news:
            self._over = True
            self._news.notify_all()
        if self._telling.ident is not None:
            self._telling.join()
        self._server.shutdown()
        self._serving.join()
        self._server.server_close()

    def _tell(self) -> None:
        began_s = time.monotonic()
        for n in range(len(self._pictures)):
            with self._news:
                wait_s = began_s + n * FRAME_S - time.monotonic()
                if self._news.wait_for(lambda: self._over, max(0.0, wait_s)):
                    return
                self.sent_s.append(time.monotonic())
                self._news.notify_all()

    def _next(self, number: int) -> int | None:
        """Which picture a client gets that is ready for this one; None when there are no more."""
        with self._news:
            self._news.wait_for(lambda: self._over or len(self.sent_s) > number)
            if self._over:
                return None
            newest = len(self.sent_s) - 1
            return number if newest - number < BEHIND_FRAMES else newest

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        street = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY.decode()}")
                self.end_headers()
                number = len(street.sent_s)
                try:
                    while (sent := street._next(number)) is not None:
                        self.wfile.write(part(street._pictures[sent]))
                        number = sent + 1
                except ConnectionError:
                    pass  # the client has seen enough

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def part(jpeg: bytes) -> bytes:
    """One picture of the stream."""
    head = b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % (BOUNDARY, len(jpeg))
    return head + jpeg + b"\r\n"
