"""A unit in this process, with no hardware and nobody to talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.clock import SystemClock
from agent.hw.kit import HardwareLost
from agent.notify import ServiceManager
from agent.unit import Unit
from agent.uplink.endpoint import Endpoint
from tests.uplink.lab import make_config

if TYPE_CHECKING:
    from pathlib import Path


class BareKit:
    """A board without anything on it."""

    def pin_factory(self) -> object:
        msg = "there are no pins"
        raise HardwareLost(msg)


def bare_unit(folder: Path) -> Unit:
    config = make_config().model_copy(update={"state_folder": folder})
    off = {name: getattr(config, name).model_copy(update={"enabled": False}) for name in ("camera", "voice", "speaker")}
    return Unit(
        config.model_copy(update=off),
        BareKit(),  # type: ignore[arg-type]
        Endpoint("localhost", 1, None),
        SystemClock(),
        ServiceManager(None),
    )
