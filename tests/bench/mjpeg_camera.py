"""Our recorder over the bench's network camera, in a process to be measured: `... FD URL`.

The camera reads the same MJPEG that `motion` reads, decodes it, and encodes H.264 as the synthetic camera does: on a
unit the sensor gives bare pictures, so this side works harder here than it will there.
"""

from __future__ import annotations

import socket
import sys
import urllib.request
from typing import TYPE_CHECKING

import av
import numpy as np

from agent import journal
from agent.clock import Moment, SystemClock
from agent.config.settings import Config
from agent.footage.recorder import Recorder
from agent.helpers.channel import Channel
from agent.helpers.messages import Settings
from agent.hw.kit import HardwareLost
from fakes.camera import StreetFilm
from fakes.night_street import Bare, NightStreet, Planes
from fakes.scene import StreetScene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

    from numpy.typing import NDArray

    from agent.config.filming import CameraSettings
    from agent.hw.kit import BurnIn, LoresFrame, Packet, Rate

STALLED_AFTER_S = 2.0
"""The protocol's promise."""


class StreamedStreet(NightStreet):
    """Gives the pictures of a stream where others are drawn."""

    def __init__(self) -> None:
        self._decoder = av.CodecContext.create("mjpeg", "r")
        self._decoder.thread_count = 1
        self.jpeg = b""
        """The next picture."""

    def draw(self, _scene: StreetScene, number: int, _at: Moment) -> NDArray[np.uint8]:
        """The next picture, decoded."""
        (picture,) = self._decoder.decode(av.Packet(self.jpeg))
        whole = picture.to_ndarray().astype(np.uint8, copy=False)
        self.bare = Bare(Planes(whole).luma.copy(), number)
        return whole


class MjpegCamera:
    """`agent.hw.kit.Camera` over a network camera."""

    def __init__(self, url: str, settings: CameraSettings, burn_in: BurnIn) -> None:
        """Connect.

        Raises:
            HardwareLost: nothing answers there.
        """
        self._street = StreamedStreet()
        self._film = StreetFilm(settings, StreetScene(), burn_in)
        self._film._street = self._street
        self._closed = False
        try:
            self._stream: HTTPResponse = urllib.request.urlopen(url, timeout=STALLED_AFTER_S)  # noqa: S310 - our own
        except OSError as error:
            msg = f"the network camera does not answer: {error}"
            raise HardwareLost(msg) from error

    def packets(self) -> Iterator[Packet]:
        """Yield a frame for each picture that comes."""
        try:
            while not self._closed:
                self._street.jpeg = self._next_jpeg()
                yield self._film.shoot(SystemClock().now())
        except (OSError, ValueError) as error:
            if self._closed:
                return
            msg = f"the network camera fell silent: {error}"
            raise HardwareLost(msg) from error

    def lores(self) -> LoresFrame | None:
        """The newest analysis picture."""
        return self._film.lores()

    def change_rate(self, rate: Rate) -> None:
        """Encode at another bit rate; the stream's own rate stays what it is."""
        self._film.change_rate(rate)

    def close(self) -> None:
        """Stop reading with the next picture, or after the stall limit."""
        self._closed = True

    def _next_jpeg(self) -> bytes:
        length = 0
        while line := self._stream.readline():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            elif line == b"\r\n" and length:
                return self._stream.read(length)
        msg = "the stream ended"
        raise OSError(msg)


def main(fd: int, url: str) -> None:
    """Record until the line is closed."""
    journal.set_up()
    channel = Channel(socket.socket(fileno=fd))
    settings = channel.request()
    assert isinstance(settings, Settings)
    try:
        Recorder(lambda camera, burn_in: MjpegCamera(url, camera, burn_in)).run(
            Config.model_validate_json(settings.config_json), channel
        )
    finally:
        channel.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
