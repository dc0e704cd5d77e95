"""Runs in the arm64 root, on the installed package: everything loads, and one second is filmed, stored and read back.

Filming, burning in, encoding (PyAV's libx264, as on a Pi 5), the transport stream of a segment and its reader are the
product's own; only the street before the lens is simulated.
"""

from __future__ import annotations

import importlib
import io
import json
import pkgutil
import platform
import sys
import time
from typing import Final

import av

import agent
from agent.clock import SystemClock
from agent.config.filming import CameraSettings
from agent.footage.store.transport import FrameMuxer, read_frames
from fakes.camera import StreetFilm
from fakes.scene import StreetScene

ONLY_WITH_EXTRAS: Final = {"rich"}
"""Of the control room's screen; not on a unit."""
ONLY_ON_A_BOARD: Final = {"libcamera", "picamera2", "lgpio"}
DELIMITER: Final = bytes.fromhex("0000000109f0")
"""Which FFmpeg's muxer puts before each frame, as MPEG-TS wants it."""
SETTINGS: Final = CameraSettings(enabled=True, width_px=1280, height_px=720, fps=15, bitrate_kbps=2000)


def modules() -> int:
    """Import every module of the agent; how many there are."""
    count = 0
    for found in pkgutil.walk_packages(agent.__path__, "agent."):
        if found.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as missing:
            if missing.name not in ONLY_WITH_EXTRAS | ONLY_ON_A_BOARD:
                raise
        count += 1
    return count


def second() -> dict[str, float]:
    """Film a second; its frames, bytes and CPU seconds."""
    clock, film = SystemClock(), StreetFilm(SETTINGS, StreetScene())
    began_s, began = time.process_time(), clock.now()
    packets = [film.shoot(began.later(i / SETTINGS.fps)) for i in range(SETTINGS.fps)]
    muxer = FrameMuxer()
    segment = b"".join(map(muxer.mux, packets))
    muxer.close()
    read = list(read_frames(io.BytesIO(segment), began.monotonic_s, 1 / SETTINGS.fps))
    if [frame.data.removeprefix(DELIMITER) for frame in read] != [packet.data for packet in packets]:
        sys.exit(f"of {len(packets)} frames {len(read)} came back from the segment, or not as they were")
    with av.open(io.BytesIO(segment), "r") as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    shapes = {picture.shape for picture in pictures}
    if len(pictures) != SETTINGS.fps or shapes != {(720, 1280)} or min(picture.std() for picture in pictures) < 1:
        sys.exit(f"{len(pictures)} pictures of {shapes} were decoded, not {SETTINGS.fps} that show something")
    return {"frames": len(read), "bytes": len(segment), "cpu_s": round(time.process_time() - began_s, 2)}


if __name__ == "__main__":
    machine = platform.machine()
    if machine != "aarch64":
        sys.exit(f"this runs on {machine}, not on aarch64")
    loaded = modules()
    sys.stdout.write(json.dumps({"python": platform.python_version(), "modules": loaded, **second()}) + "\n")
