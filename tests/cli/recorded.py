"""A unit that has recorded, for the footage commands: real pictures that say which they are, under any clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.cli.main import EXIT_BAD_INPUT, main
from agent.clock import ClockQuality, Moment
from agent.footage.store.index import FootageIndex
from agent.footage.store.segments import SegmentWriter
from tests.footage.film import FPS, SETTINGS, film

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from agent.config.filming import CameraSettings

FIRST, SECOND, THIRD = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abc")
"""Boots."""
SEGMENT_S = 2


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def moment(wall: str, boot: str = FIRST, mono_s: float = 5000.0, quality: str = "synced") -> Moment:
    return Moment(mono_s, utc(wall), boot, ClockQuality(quality))


@dataclass(frozen=True)
class Unit:
    """Its folder, and a screen."""

    state: Path
    screen: pytest.CaptureFixture[str]

    @property
    def footage(self) -> Path:
        return self.state / "footage"

    @property
    def segments(self) -> Path:
        return self.footage / "segments"

    @property
    def config(self) -> Path:
        return self.state / "unit.yaml"

    def configure(self, more: str = "") -> None:
        self.config.write_text(
            "profile: safe-point\n"
            'unit: {id: hk-001, org: ashfield, name: Central Walk, location: "North end"}\n'
            'uplink: {broker: "mqtt://localhost", insecure_lab: true}\n'
            f"state_folder: {self.state}\n{more}",
            encoding="utf-8",
        )

    def record(self, start: Moment, seconds: int, settings: CameraSettings = SETTINGS) -> None:
        """Film from this moment on; the recorder ends orderly."""
        self.segments.mkdir(parents=True, exist_ok=True)
        frames = film(seconds, start.monotonic_s, settings)
        for first in range(0, len(frames), SEGMENT_S * FPS):
            taken_s = frames[first].taken_s
            writer = SegmentWriter(self.segments, start.later(taken_s - start.monotonic_s), FPS)
            for frame in frames[first : first + SEGMENT_S * FPS]:
                writer.write(frame)
            writer.close()
        FootageIndex(self.footage / "index.sqlite", self.segments).close()

    def says(self, *args: str | Path) -> str:
        """What a footage command that works says on stdout."""
        self.screen.readouterr()
        code = main(["footage", "--config", str(self.config), *map(str, args)])
        told = self.screen.readouterr()
        assert (code, told.err) == (0, "")
        return told.out

    def refuses(self, *args: str | Path) -> str:
        """The one sentence with which a footage command refuses."""
        self.screen.readouterr()
        assert main(["footage", "--config", str(self.config), *map(str, args)]) == EXIT_BAD_INPUT
        told = self.screen.readouterr()
        assert told.out == ""
        assert told.err.startswith("safepoint: ")
        assert told.err.count("\n") == 1
        return told.err.removeprefix("safepoint: ").strip()
