"""A root file system as an image of Raspberry Pi OS Lite would be, as far as Debian has it: made once and kept.

All that is done to root file systems of this machine's own kind begins with it: entered (`./dev rootfs`) or booted
(`./dev nspawn`). What runs on a Pi's processor has its own (`tests/arm64/root.py`): another machine, never configured.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

SUITES: Final = ("bookworm", "trixie")
PACKAGES: Final = ("ca-certificates", "systemd-sysv", "dbus", "openssh-server", "python3", "passwd")
"""What the Lite image has and provision.sh looks at: a systemd that boots, an SSH server that takes passwords,
a Python."""
CACHE: Final = Path("build/rootfs")


class NoRoot(Exception):
    """It cannot be made here; one sentence says why."""


def base(suite: str) -> Path:
    """The base of this suite as a tar file.

    Raises:
        NoRoot: mmdebstrap cannot make it.
    """
    made, wanted = CACHE / f"{suite}.tar", " ".join(PACKAGES)
    made_of = made.with_suffix(".made-of")
    if not made.exists() or not made_of.exists() or made_of.read_text(encoding="ascii") != wanted:
        if shutil.which("mmdebstrap") is None:
            msg = "mmdebstrap is missing: apt-get install mmdebstrap"
            raise NoRoot(msg)
        CACHE.mkdir(parents=True, exist_ok=True)
        part = made.with_suffix(".part")
        command = ["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(PACKAGES)}", "--format=tar"]
        done = subprocess.run(
            [*command, suite, str(part), *sources(suite)],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            part.unlink(missing_ok=True)
            msg = f"mmdebstrap cannot make {suite}: {' / '.join(done.stderr.splitlines()[-5:])}"
            raise NoRoot(msg)
        made_of.unlink(missing_ok=True)
        part.rename(made)
        made_of.write_text(wanted, encoding="ascii")
    return made


def unpack(base: Path, folder: Path) -> None:
    """A root file system to write on; what is there is removed."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    subprocess.run(["tar", "--extract", "--numeric-owner", "--file", base, "--directory", folder], check=True)


def sources(suite: str) -> list[str]:
    """The lines of a base's sources.list: the suite alone, from where this machine's own apt takes Debian.

    Raises:
        NoRoot: nowhere.
    """
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = {line.removeprefix("Debian|Debian|") for line in told.splitlines() if line.startswith("Debian|Debian|")}
    if not found:
        msg = "this machine's apt knows no mirror of Debian: run apt-get update first"
        raise NoRoot(msg)
    return [f"deb {mirror} {suite} main" for mirror in sorted(found)]
