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

if __name__ == "__main__":
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    settings = channel.request()
    assert isinstance(settings, Settings)
    street = StreetScene(person=True)
    try:
        Recorder(lambda camera, burn_in: SyntheticCamera(camera, street, burn_in)).run(
            Config.model_validate_json(settings.config_json), channel
        )
    finally:
        channel.close()
