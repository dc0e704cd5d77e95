"""A recorder in a process of its own, to be killed: `python -m tests.footage.record_alone FD`."""

from __future__ import annotations

import socket
import sys

from agent.config.settings import Config
from agent.footage.recorder import Recorder
from agent.helpers.channel import Channel
from agent.helpers.messages import Settings
from fakes.camera import SyntheticCamera
from fakes.scene import StreetScene


def record(fd: int, camera_of: type[SyntheticCamera] = SyntheticCamera) -> None:
    """Record somebody who walks in a street, with a camera of this kind, until the line to the daemon is closed."""
    channel = Channel(socket.socket(fileno=fd))
    settings = channel.request()
    assert isinstance(settings, Settings)
    street = StreetScene(person=True)
    try:
        Recorder(lambda camera, burn_in: camera_of(camera, street, burn_in)).run(
            Config.model_validate_json(settings.config_json), channel
        )
    finally:
        channel.close()


if __name__ == "__main__":
    record(int(sys.argv[1]))
