"""What happens before the simulated camera: changed by verbs, drawn by `fakes.night_street`."""

from __future__ import annotations

from dataclasses import dataclass

from fakes.lens import BeforeLens

NOT_TURNED = (0.0, 0.0, 0.0)


@dataclass
class StreetScene:
    """A street at night, and the camera that hangs over it.

    Verbs come from any thread: each sets one flag, which the camera reads once a picture.
    """

    person: bool = False
    """Somebody walks along the shop front."""
    lit: bool = False
    """The unit's lamp shines."""
    before_lens: BeforeLens = BeforeLens.NOTHING
    """What somebody put before the lens, or on it."""
    turned: tuple[float, float, float] = NOT_TURNED
    """Where the camera looks now: across and down in shares of the picture, and degrees of tilt."""
    stuck: bool = False
    """The camera repeats its last picture."""
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

    def cover(self, before: BeforeLens = BeforeLens.BAG) -> None:
        """Somebody hangs a bag over the camera, or does something else to its lens."""
        self.before_lens = before

    def uncover(self) -> None:
        """Nothing is before the lens any more."""
        self.before_lens = BeforeLens.NOTHING

    def turn(self, across: float = 0.2, down: float = 0.0, tilt_deg: float = 0.0) -> None:
        """Somebody turns the camera by these shares of its picture, and tilts it."""
        self.turned = across, down, tilt_deg

    def turn_back(self) -> None:
        """The camera looks where it was mounted to look."""
        self.turned = NOT_TURNED

    def stick(self) -> None:
        """The camera gives its last picture again and again, as an image processor does that hangs half."""
        self.stuck = True

    def come_unstuck(self) -> None:
        """The camera gives new pictures."""
        self.stuck = False

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
