#!/usr/bin/env python3
"""Write constraints-cp311.txt and constraints-cp313.txt: every package of a unit's environment, by version and SHA-256.

constraints-verifier-cp311.txt and constraints-verifier-cp313.txt have what a unit with the second engine of the voice
gets besides (the extra `verifier` of setup.cfg).

For Raspberry Pi OS bookworm (Python 3.11) and trixie (3.13), on aarch64 and, for test roots, on x86_64: one version for
both machines. What a unit takes from apt is not in them: numpy, picamera2 and lgpio (see setup.cfg for numpy; lgpio has
an empty placeholder in pip's index, which pip would take on 3.13).

Run it when setup.cfg changes or a package is to be renewed; look at the difference, and run `./dev rootfs` afterwards:
  provisioning/lock_constraints.py
  provisioning/lock_constraints.py --keep     # no newer versions of what is in the lists already
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

EXTRA: Final = "verifier"
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
    """Write the lists; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="the versions that are in the lists already")
    keep = parser.parse_args().keep
    parsed = configparser.ConfigParser()
    parsed.read_string((HERE.parent / "setup.cfg").read_text(encoding="utf-8"))
    wanted = [*_requirements(parsed["options"]["install_requires"]), TO_BUILD]
    besides = _requirements(parsed["options.extras_require"][EXTRA])
    for python in NEWEST_GLIBC:
        short = python.replace(".", "")
        target, of_extra = HERE / f"constraints-cp{short}.txt", HERE / f"constraints-{EXTRA}-cp{short}.txt"
        found = locked(python, wanted, _versions(target) if keep else {})
        whole = locked(python, [*wanted, *besides], dict(found) | (_versions(of_extra) if keep else {}))
        _write(target, python, found)
        _write(of_extra, python, {package: sums for package, sums in whole.items() if package not in found})
    return 0


def _requirements(listed: str) -> list[str]:
    """What is needed of a list in setup.cfg beyond what comes from apt."""
    lines = (line.strip() for line in listed.splitlines())
    wanted = [line for line in lines if line and not line.startswith("#")]
    return [line for line in wanted if _name(line) not in FROM_APT]


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[ <>=!~;\[]", requirement, maxsplit=1)[0]).lower()


def _versions(listed: Path) -> dict[tuple[str, str], set[str]]:
    """The packages of a list that was made before."""
    text = listed.read_text(encoding="utf-8") if listed.exists() else ""
    return {(name, version): set() for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE)}


def locked(python: str, wanted: list[str], known: Hashes) -> Hashes:
    """Resolve for both machines; the second gets the versions of the first, and both the known ones."""
    with tempfile.TemporaryDirectory() as scratch:
        return _locked(python, wanted, known, Path(scratch))


def _locked(python: str, wanted: list[str], known: Hashes, scratch: Path) -> Hashes:
    hashes: Hashes = defaultdict(set)
    sources = {name: _source_of(name, scratch) for name in ONLY_AS_SOURCE}
    pins = scratch / "pins.txt"
    pins.write_text(_pinned(known), encoding="utf-8")
    for machine in LEGACY:
        for package in _resolved(python, machine, wanted, scratch):
            name = _name(package["metadata"]["name"])
            if name in FROM_APT:
                continue
            found = sources.get(name) or package["download_info"]["archive_info"]["hashes"]["sha256"]
            hashes[name, package["metadata"]["version"]].add(found)
        pins.write_text(_pinned(known | hashes), encoding="utf-8")
    return dict(hashes)


def _pinned(packages: Hashes) -> str:
    return "".join(f"{name}=={version}\n" for name, version in packages)


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


def _write(target: Path, python: str, hashes: Hashes) -> None:
    target.write_text(_text(python, hashes), encoding="utf-8")
    sys.stderr.write(f"{target.name}: {len(hashes)} packages\n")


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
