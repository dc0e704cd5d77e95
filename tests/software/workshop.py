"""A real slot, filled as an update does it: a small wheel of this agent, signed, installed by pip, written down."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import platform
import shutil
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import agent
from agent.software.look import Look, Notes
from agent.software.release import HEAD_LINES
from agent.software.signed import record_of
from agent.update.bundle import write_bundle
from agent.update.install import install, record
from agent.update.manifest import Manifest, WheelFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.software.found import Found

VERSION = "7.0.0"
WHEEL = f"safepoint_agent-{VERSION}-py3-none-any.whl"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{PYTHON}/site-packages"
SOURCE = Path(agent.__file__).parent
METADATA = f"Metadata-Version: 2.1\nName: safepoint-agent\nVersion: {VERSION}\n"
KIND = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make_wheel(folder: Path) -> Path:
    """The agent's wheel with only the part that looks at slots."""
    files = {"agent/__init__.py": (SOURCE / "__init__.py").read_bytes()}
    files |= {f"agent/software/{path.name}": path.read_bytes() for path in (SOURCE / "software").glob("*.py")}
    info = f"safepoint_agent-{VERSION}.dist-info"
    files |= {f"{info}/METADATA": METADATA.encode(), f"{info}/WHEEL": KIND.encode()}
    lines = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},{len(content)}"
        for name, content in files.items()
    ]
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
        wheel.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,\n"]))
    return folder / WHEEL


@dataclass
class Workshop:
    """The slot, the key that signed what is in it, and who looks."""

    folder: Path
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def __post_init__(self) -> None:
        self.slot = self.folder / "slots/b"
        self.keys, self.notes = self.folder / "keys", self.folder / "notes.json"
        self.wheel = make_wheel(self.folder)
        self.keys.mkdir()
        self.slot.parent.mkdir()
        self.trust(self.key)

    def trust(self, key: Ed25519PrivateKey) -> None:
        """Give the unit this public key and no other."""
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.keys / "release.pem").write_bytes(public)

    def head(self) -> bytes:
        """The signed lines of the wheel's bundle."""
        content = self.wheel.read_bytes()
        file = WheelFile(name=WHEEL, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        manifest = Manifest(
            version=VERSION,
            minimum="0.0.0",
            machine=platform.machine(),
            python=PYTHON,
            files=(file,),
            records={WHEEL: hashlib.sha256(record_of(self.wheel)).hexdigest()},
        )
        bundle = self.folder / "it.update"
        with bundle.open("wb") as out:
            write_bundle(out, manifest, self.folder, self.key)
        return b"".join(bundle.read_bytes().splitlines(keepends=True)[:HEAD_LINES])

    def install(self) -> None:
        """Let pip fill the slot. Nine files of ten are then pip's own: without those, stories are told faster."""
        install([self.wheel], self.slot)
        shutil.rmtree(self.slot / SITE / "pip")

    def record(self) -> None:
        """Write down what is in it."""
        record(self.slot, self.head(), [self.wheel])

    def look(self) -> Found:
        """Look at it, as root does."""
        return Look(self.keys, Notes(self.notes)).at(self.slot)

    @contextlib.contextmanager
    def kept(self, *paths: str) -> Iterator[None]:
        """Put these files of the slot back afterwards as they were; what was not there goes."""
        before = {path: (self.slot / path).read_bytes() if (self.slot / path).exists() else None for path in paths}
        try:
            yield
        finally:
            for path, content in before.items():
                if content is None:
                    (self.slot / path).unlink(missing_ok=True)
                else:
                    (self.slot / path).write_bytes(content)
