"""An engineer's desk: a folder in which unit files are written, with the three files that TLS needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.config.load import Loaded, load_config
from agent.config.problems import ConfigInvalid

LAB = """\
profile: safe-point
unit: {id: hk-001, org: ashfield, name: Central Walk, location: "North end, opposite Boots"}
uplink: {broker: "mqtt://localhost", insecure_lab: true}
"""
"""Three lines that are enough for a bench: what a test adds begins in line 4."""

TLS = """\
profile: safe-point
unit: {id: hk-001, org: ashfield, name: Central Walk, location: "North end, opposite Boots"}
uplink: {broker: "mqtts://broker.example.org:8883", ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem}
"""


@dataclass(frozen=True)
class Desk:
    folder: Path
    """The current directory, so that problems name files as an engineer would."""

    def write(self, text: str | bytes, name: str = "unit.yaml") -> Path:
        path = Path(name)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def load(self, text: str | bytes) -> Loaded:
        return load_config(self.write(text))

    def problems(self, text: str | bytes) -> list[str]:
        """What is told about a file with this text; nothing when it can be used."""
        try:
            self.load(text)
        except ConfigInvalid as invalid:
            return [str(problem) for problem in invalid.problems]
        return []

    def put_tls_files(self) -> None:
        for name in ("ca.pem", "cert.pem", "key.pem"):
            path = self.folder / name
            path.write_text("PEM")
            path.chmod(0o600)
