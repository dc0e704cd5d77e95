"""A root file system with the agent on it, as provisioning leaves a unit, but on the simulated street."""

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
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-venv", "libportaudio2", "libatomic1", "tzdata")
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


def install_units(root: Path) -> None:
    """Users, folders and units, as `systemd/` describes them."""
    systemd = REPOSITORY / "systemd"
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n", encoding="ascii")  # bookworm's base has none
    for kind, there in (
        ("sysusers.d", "usr/lib/sysusers.d"),
        ("tmpfiles.d", "usr/lib/tmpfiles.d"),
        ("journald.conf.d", "etc/systemd/journald.conf.d"),
        ("system.conf.d", "etc/systemd/system.conf.d"),
    ):
        (root / there).mkdir(parents=True, exist_ok=True)
        for file in (systemd / kind).iterdir():
            shutil.copy(file, root / there)
    run_unbooted(root, ["systemd-sysusers"])
    run_unbooted(root, ["systemd-tmpfiles", "--create", "safepoint.conf"])
    programs = root / "opt/safepoint/systemd"
    programs.mkdir(parents=True)
    for file in systemd.iterdir():
        if file.suffix in {".service", ".path", ".timer"}:
            shutil.copy(file, root / "etc/systemd/system")
        elif file.is_file():
            shutil.copy(file, programs)
    wanted = [file.name for file in systemd.iterdir() if file.is_file() and "[Install]" in file.read_text()]
    run_unbooted(root, ["systemctl", "enable", *sorted(wanted)])


def install_first_slot(root: Path, wheels: Path) -> None:
    """Slot a, filled as provisioning fills it, and the way to it."""
    inside = root / "opt/wheels"
    shutil.copytree(wheels, inside)
    slot = "/opt/safepoint/slots/a"
    run_unbooted(root, ["python3", "-m", "venv", "--system-site-packages", slot])
    names = [f"/opt/wheels/{file.name}" for file in sorted(inside.iterdir())]
    run_unbooted(root, [f"{slot}/bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", *names])
    shutil.rmtree(inside)
    slots, programs = root / "opt/safepoint/slots", root / "opt/safepoint/bin"
    (slots / "current").symlink_to("a")
    run_unbooted(
        root, ["chown", "--recursive", "--no-dereference", "safepoint-update:safepoint-update", "/opt/safepoint/slots"]
    )
    programs.mkdir()
    (programs / "safepoint").symlink_to("../slots/current/bin/safepoint")


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
