"""What can keep an upload from getting through, by what follows from it."""

from __future__ import annotations


class TryAgain(Exception):
    """The network or the server fails now; later it may not."""

    def __init__(self, text: str, after_s: float | None = None) -> None:
        super().__init__(text)
        self.after_s = after_s
        """How long the server wants to be left alone; None: it did not say."""


class NeverWorks(Exception):
    """The same again will not help: somebody has to ask for something else."""


class Stopped(Exception):
    """The unit ends, or somebody cancelled the upload: what is on the disk says where to go on."""


class Paused(Exception):
    """The data plan does not have it now."""
