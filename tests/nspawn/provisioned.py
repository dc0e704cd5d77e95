"""What a provisioned unit is given for the stories: releases to come, another configuration, its certificates."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from agent.update.bundle import read_keys, read_manifest, unpack
from fakes.sound import StreetSound
from tests.nspawn.machine import run_unbooted

if TYPE_CHECKING:
    from agent.update.manifest import Manifest
    from fakes.town import Town

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
KEY = "/run/credentials/safepoint-agent.service/unit-key.pem"
CAMERA = {"enabled": True, "width_px": 640, "height_px": 360, "fps": 10, "bitrate_kbps": 500}
FOOTAGE = {"folder": "/srv/safepoint", "rolling_max_mb": 500}


class SoundOfUnit(StreetSound):
    """Of a unit whose recordings lie in a root file system of their own."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    def echo(self, wav_path: Path) -> None:
        """What the unit says comes back into its microphone."""
        super().echo(self._root / wav_path.relative_to("/"))


def bundle_of_this_checkout(suite: str, folder: Path) -> tuple[Path, Path]:
    """Build and sign the agent as it is here; returns the bundle and the private key."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    program, key = str(REPOSITORY / "provisioning/make-update"), folder / "release.key"
    subprocess.run([sys.executable, program, "new-key", str(key)], check=True, stdout=subprocess.DEVNULL)
    build = ["build", "--key", str(key), "--machine", "x86_64", "--python", PYTHONS[suite], "--extra", "street"]
    subprocess.run([sys.executable, program, *build, str(folder)], check=True)
    (bundle,) = folder.glob("*.update")
    return bundle, key


def opened(bundle: Path, public: Path, folder: Path) -> Manifest:
    """Check a bundle and write its wheels into a new folder."""
    folder.mkdir()
    with bundle.open("rb") as reading:
        manifest = read_manifest(reading, read_keys([public]))
        unpack(reading, manifest, folder)
    return manifest


def configure(root: Path, town: Town, public: Path, **overrides: Any) -> None:  # noqa: ANN401 - sections of a YAML file
    """The unit's file, its certificates and the key of its updates."""
    etc = root / "etc/safepoint"
    document = yaml.safe_load(town.config_file.read_text(encoding="utf-8"))
    uplink = document["uplink"]
    for key in ("ca_file", "cert_file", "key_file"):
        name = "unit-key.pem" if key == "key_file" else Path(uplink[key]).name
        shutil.copy(uplink[key], etc / "tls" / name)
        uplink[key] = KEY if key == "key_file" else f"tls/{name}"
        (etc / "tls" / name).chmod(0o600 if key == "key_file" else 0o644)
    document |= {"state_folder": "/var/lib/safepoint", **overrides}
    (etc / "unit.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    run_unbooted(root, ["chown", "root:safepoint", "/etc/safepoint/unit.yaml"])
    (etc / "unit.yaml").chmod(0o640)
    shutil.copy(public, etc / "update-keys")
    (etc / "update-keys" / public.name).chmod(0o644)
