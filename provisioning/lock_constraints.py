#!/usr/bin/env python3
"""Write constraints-cp311.txt and constraints-cp313.txt: every package of a unit's environment, by version and SHA-256.

For Raspberry Pi OS bookworm (Python 3.11) and trixie (3.13), on aarch64 and, for test roots, on x86_64: one version for
both machines. What a unit takes from apt is not in them: numpy, picamera2 and lgpio (see setup.cfg for numpy; lgpio has
an empty placeholder in pip's index, which pip would take on 3.13).

Run it when setup.cfg changes or a package is to be renewed; look at the difference, and run `./dev rootfs` afterwards:
  provisioning/lock_constraints.py
"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).resolve().parent

FROM_APT: Final = {"numpy"}
"""Requirements of setup.cfg that a unit's system site packages satisfy."""
ONLY_AS_SOURCE: Final = ("srt",)
"""Has no wheel in the index: pure Python, built on the unit with the setuptools below."""
TO_BUILD: Final = "setuptools >=77"
"""Builds the agent itself and what comes as source; from 77 on it needs nothing beside it."""
NEWEST_GLIBC: Final = {"3.11": 36, "3.13": 41}
"""The second number of 2.36 (bookworm) and 2.41 (trixie), by the Python that stands beside it."""
OLDEST_GLIBC: Final = 5
LEGACY: Final = {"x86_64": ("manylinux2014", "manylinux2010", "manylinux1"), "aarch64": ("manylinux2014",)}

Hashes = dict[tuple[str, str], set[str]]
"""What may be installed, by (name, version)."""


def main() -> int:
    """Write both files; returns the exit code."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    wanted = [*_requirements(HERE.parent / "setup.cfg"), TO_BUILD]
    for python in NEWEST_GLIBC:
        with tempfile.TemporaryDirectory() as scratch:
            found = locked(python, wanted, Path(scratch))
        target = HERE / f"constraints-cp{python.replace('.', '')}.txt"
        target.write_text(_text(python, found), encoding="utf-8")
        sys.stderr.write(f"{target.name}: {len(found)} packages\n")
    return 0


def _requirements(setup_cfg: Path) -> list[str]:
    """What the agent needs beyond what comes from apt."""
    parsed = configparser.ConfigParser()
    parsed.read_string(setup_cfg.read_text(encoding="utf-8"))
    lines = (line.strip() for line in parsed["options"]["install_requires"].splitlines())
    wanted = [line for line in lines if line and not line.startswith("#")]
    return [line for line in wanted if re.split(r"[ <>=!~;\[]", line, maxsplit=1)[0] not in FROM_APT]


def locked(python: str, wanted: list[str], scratch: Path) -> Hashes:
    """Resolve for both machines; the second gets the versions of the first."""
    hashes: Hashes = defaultdict(set)
    sources = {name: _source_of(name, scratch) for name in ONLY_AS_SOURCE}
    pins = scratch / "pins.txt"
    pins.touch()
    for machine in LEGACY:
        for package in _resolved(python, machine, wanted, scratch):
            name = re.sub(r"[-_.]+", "-", package["metadata"]["name"]).lower()
            found = sources.get(name) or package["download_info"]["archive_info"]["hashes"]["sha256"]
            hashes[name, package["metadata"]["version"]].add(found)
        pins.write_text("".join(f"{name}=={version}\n" for name, version in hashes), encoding="utf-8")
    return hashes


def _source_of(name: str, scratch: Path) -> str:
    """Fetch a source archive, put a wheel of it where the resolver looks, and return the archive's SHA-256."""
    _pip("download", "--no-deps", "--no-binary", name, "--dest", str(scratch / name), name)
    (archive,) = (scratch / name).iterdir()
    _pip("wheel", "--no-deps", "--wheel-dir", str(scratch / "wheels"), str(archive))
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def _resolved(python: str, machine: str, wanted: list[str], scratch: Path) -> list[dict[str, Any]]:
    """What pip would install there, by its own report."""
    tags = [f"manylinux_2_{minor}" for minor in range(NEWEST_GLIBC[python], OLDEST_GLIBC - 1, -1)]
    platforms = [f"--platform={tag}_{machine}" for tag in (*tags, *LEGACY[machine])]
    report = scratch / f"{machine}.json"
    _pip(
        *("install", "--dry-run", "--ignore-installed", "--only-binary=:all:", f"--target={scratch}/never"),
        *("--implementation=cp", f"--python-version={python}", *platforms, f"--constraint={scratch}/pins.txt"),
        *(f"--find-links={scratch}/wheels", f"--report={report}", *wanted),
    )
    installed: list[dict[str, Any]] = json.loads(report.read_bytes())["install"]
    return installed


def _pip(*args: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *args], check=True)


def _text(python: str, hashes: Hashes) -> str:
    head = (
        f"# Made by provisioning/lock_constraints.py for Python {python} on aarch64 and x86_64; do not edit.\n"
        "# provision.sh installs these files and no others; numpy, picamera2 and lgpio come from apt.\n"
    )
    entries = (
        f"{name}=={version}" + "".join(f" \\\n    --hash=sha256:{each}" for each in sorted(found)) + "\n"
        for (name, version), found in sorted(hashes.items())
    )
    return head + "".join(entries)


if __name__ == "__main__":
    sys.exit(main())
