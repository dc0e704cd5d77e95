"""What happens before the simulated camera: changed by verbs, drawn by `fakes.night_street`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class StreetScene:
    """A street at night, and the camera that hangs over it.

    Verbs come from any thread: each sets one flag, which the camera reads once a picture.
    """

    person: bool = False
    """Somebody walks along the shop front."""
    lit: bool = False
    """The unit's lamp shines."""
    covered: bool = False
    """Something hangs before the lens."""
    frozen: bool = False
    """The camera is there and gives no frames."""
    plugged: bool = True
    """The camera's cable sits."""

    def person_appears(self) -> None:
        """Somebody walks along the shop front, to and fro."""
        self.person = True

    def person_leaves(self) -> None:
        """Nobody is there any more."""
        self.person = False

    def lamp(self, on: bool) -> None:  # noqa: FBT001 - a lamp has two states and nothing else
        """The unit's lamp goes on or off."""
        self.lit = on

    def cover(self) -> None:
        """Somebody hangs a bag over the camera."""
        self.covered = True

    def uncover(self) -> None:
        """The bag is gone."""
        self.covered = False

    def freeze(self) -> None:
        """The camera goes silent without a word, as after a firmware stall (picamera2 issue 1392)."""
        self.frozen = True

    def thaw(self) -> None:
        """Frames flow again."""
        self.frozen = False

    def unplug(self) -> None:
        """The camera's cable comes loose."""
        self.plugged = False

    def plug_in(self) -> None:
        """The cable sits again."""
        self.plugged = True
