"""The production recorder over picamera2 and libcamera's virtual camera, in a process of its own: `... FD`.

When it ends it prints how many frames left the encoder, as `tests.soak.synthetic` does.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from agent import journal
from agent.config.settings import Config
from agent.footage.recorder import Recorder
from agent.helpers.channel import Channel
from agent.helpers.messages import Settings
from agent.hw.picamera import PiCamera
from tests.hw.virtual_camera import stack_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.filming import CameraSettings
    from agent.hw.kit import BurnIn, Packet


class CountedCamera(PiCamera):
    """Knows how many frames left its encoder."""

    encoded = 0
    """Over all cameras of this process."""

    def packets(self) -> Iterator[Packet]:
        """Yield frames, each counted."""
        for packet in super().packets():
            CountedCamera.encoded += 1
            yield packet


def open_camera(settings: CameraSettings, burn_in: BurnIn) -> CountedCamera:
    """The camera, with the encoder that this machine has."""
    return CountedCamera(settings.model_copy(update={"encoder": "software"}), burn_in)


def main(fd: int) -> None:
    """Record until the line is closed."""
    journal.set_up()
    channel = Channel(socket.socket(fileno=fd))
    settings = channel.request()
    assert isinstance(settings, Settings)
    config = Config.model_validate_json(settings.config_json)
    size = config.camera.width_px, config.camera.height_px
    try:
        with tempfile.TemporaryDirectory() as folder, stack_on(Path(folder), *size):
            Recorder(open_camera).run(config, channel)
    finally:
        channel.close()
    print(CountedCamera.encoded)  # noqa: T201 - what the parent process reads


if __name__ == "__main__":
    main(int(sys.argv[1]))
