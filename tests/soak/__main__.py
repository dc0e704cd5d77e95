"""`./dev soak`: films for hours and checks that every frame is stored, joined and clocked, and that memory is flat."""

from __future__ import annotations

import argparse
import sys

from tests.hw.virtual_camera import STACK
from tests.soak.run import Subject, soak

SYNTHETIC = Subject("synthetic 1280x720", "tests.soak.synthetic", clocked=True)
VIRTUAL = Subject("picamera2 on libcamera's virtual camera, 1280x720", "tests.soak.virtual", clocked=False, fps=15)
"""Its pictures come round again, so only their times tell one from the other."""
VIRTUAL_SHARE = 3
"""The real stack films a third as long as the synthetic camera: what it adds to that is its own part."""


def say(line: str) -> None:
    """Print now, also into a file."""
    print(line, flush=True)  # noqa: T201 - it is a command


def main(words: list[str]) -> int:
    """Soak one camera after the other; 1 when anything did not hold."""
    arguments = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    arguments.add_argument("hours", nargs="?", default="HOURS=0.5", help="HOURS=n: how long to film (0.5)")
    given = arguments.parse_args(words).hours
    try:
        hours = float(given.removeprefix("HOURS="))
    except ValueError:
        arguments.error(f"{given!r} is not HOURS=n")
    held = soak(SYNTHETIC, hours * 3600, say)
    if STACK.is_dir():
        held &= soak(VIRTUAL, hours * 3600 / VIRTUAL_SHARE, say)
    else:
        say("NOT SOAKED: the real camera stack is not built here; run `tests/libcamera/build .venv`")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
