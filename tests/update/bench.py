"""A unit on a bench: its folders, a daemon that behaves as its version does, and bundles to bring. Time is told."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import agent
from agent.update.bundle import write_bundle
from agent.update.manifest import Manifest, WheelFile
from agent.update.places import Places, Source, Tools
from agent.update.slots import Slots
from agent.update.updater import Updater

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BEGAN = time.time() - 1000
"""Wall time when told time is 0."""
NEW = "7.0.0"
"""Later than any version that these tests may run in."""


class Does(Enum):
    """How a version behaves."""

    WORKS = "works"
    NEVER_STARTS = "never starts"
    HANGS = "hangs 5 s after it was armed"
    CRASHES = "crashes 5 s after it was armed and is started again"
    NO_LINK = "never reaches the broker"
    NO_CAMERA = "never gets its recorder to work"


@dataclass
class Daemon:
    """What systemd and the daemon do together, as far as an update sees them; `live` lets a moment pass."""

    bench: Bench
    running: str | None = None
    pid: int = 100
    started_s: float = 0.0
    restarts: int = 0
    open_calls: int = 0
    _asked: str = ""

    def start(self) -> None:
        """Start whatever is in use now."""
        self.running = (self.bench.slots.folder / "current" / "version").read_text()
        self.pid += 1
        self.started_s = self.bench.now_s
        self.restarts += 1
        self.bench.places.status.unlink(missing_ok=True)

    def live(self) -> None:
        """One look at the world, and one line in the status file."""
        asked = self.bench.places.restart.read_text() if self.bench.places.restart.exists() else ""
        if asked != self._asked:
            self._asked = asked
            self.start()
        if self.running is None:
            return
        does, age_s = self.bench.behaviours.get(self.running, Does.WORKS), self.bench.now_s - self.started_s
        if does is Does.NEVER_STARTS or age_s < 3:
            return
        if does is Does.CRASHES and age_s > 8:
            self.start()
            return
        if does is Does.HANGS and age_s > 8:
            return
        helpers = ["recorder", "listener"] if does is not Does.NO_CAMERA else ["listener"]
        status = {
            "version": self.running,
            "pid": self.pid,
            "written_s": self.bench.now_s,
            "armed": True,
            "proofs": int(age_s),
            "open_calls": self.open_calls,
            "connected": does is not Does.NO_LINK,
            "working": helpers,
        }
        self.bench.places.status.write_text(json.dumps(status))


@dataclass
class Bench:
    """All of it, in one folder."""

    folder: Path
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    now_s: float = 1000.0
    behaviours: dict[str, Does] = field(default_factory=dict)

    source: Source | None = None

    def __post_init__(self) -> None:
        self.slots = Slots(self.folder / "slots")
        self.places = Places(
            self.folder / "state",
            self.folder / "keys",
            self.folder / "unit.yaml",
            self.folder / "status.json",
            self.folder / "restart",
        )
        self.incoming = self.places.state / "incoming"
        for each in (self.slots.folder / "a", self.places.keys, self.incoming):
            each.mkdir(parents=True)
        (self.slots.folder / "a/version").write_text(agent.__version__)
        (self.slots.folder / "a/whole").touch()
        (self.slots.folder / "current").symlink_to("a")
        public = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.places.keys / "release.pem").write_bytes(public)
        self.daemon = Daemon(self)
        self.daemon.start()
        self.pass_time(10)

    @property
    def outcomes(self) -> str:
        """What the engineer was told."""
        path = self.places.state / "outcomes.txt"
        return path.read_text() if path.exists() else ""

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass."""
        for _ in range(max(1, round(seconds))):
            self.now_s += 1
            self.daemon.live()

    def bring(self, version: str = NEW, does: Does = Does.WORKS, key: Ed25519PrivateKey | None = None) -> Path:
        """Put a bundle down whose version behaves so."""
        self.behaviours[version] = does
        wheels = self.folder / f"wheels-{version}"
        wheels.mkdir(exist_ok=True)
        wheel = wheels / f"safepoint_agent-{version}-py3-none-any.whl"
        wheel.write_bytes(version.encode() * 50_000)
        content = wheel.read_bytes()
        file = WheelFile(name=wheel.name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        manifest = Manifest(
            version=version,
            minimum="0.0.0",
            machine=platform.machine(),
            python=f"{sys.version_info.major}.{sys.version_info.minor}",
            files=(file,),
        )
        path = self.incoming / f"safepoint-{version}.update"
        with path.open("wb") as out:
            write_bundle(out, manifest, wheels, key or self.key)
        return path

    def update(self) -> bool:
        """Run the update once."""
        version = (self.slots.folder / "current" / "version").read_text()
        tools = Tools(
            self._install,
            self._prove,
            self._record,
            lambda: self.now_s,
            lambda: self.now_s + BEGAN,
            version,
            sleep=self.pass_time,
        )
        return Updater(self.slots, self.places, self.source, tools).run()

    def _install(self, wheels: Sequence[Path], slot: Path) -> None:
        slot.mkdir()
        (slot / "version").write_text(wheels[0].name.split("-")[1])
        for wheel in wheels:
            shutil.copy(wheel, slot)
        (slot / "whole").touch()

    def _prove(self, slot: Path, version: str, config: Path) -> None:
        assert (slot / "version").read_text() == version
        assert config == self.places.config

    def _record(self, slot: Path, head: bytes, wheels: Sequence[Path]) -> None:
        assert head.count(b"\n") == 3
        assert all(wheel.exists() for wheel in wheels)
        assert (slot / "whole").exists()
