"""A root file system as an image of Raspberry Pi OS Lite would be, as far as Debian has it: made once and kept."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

SUITES: Final = ("bookworm", "trixie")
PACKAGES: Final = ("ca-certificates", "systemd", "openssh-server", "python3", "passwd")
"""What the Lite image has and provision.sh looks at: systemd's tools, an SSH server that takes passwords, a Python."""
CACHE: Final = Path("build/rootfs")


class NoRoot(Exception):
    """It cannot be made here; one sentence says why."""


def base(suite: str) -> Path:
    """The base of this suite as a tar file.

    Raises:
        NoRoot: mmdebstrap cannot make it.
    """
    made = CACHE / f"{suite}.tar"
    if not made.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = made.with_suffix(".part")
        command = ["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(PACKAGES)}", "--format=tar"]
        done = subprocess.run(
            [*command, suite, str(part), *(f"deb {mirror} {suite} main" for mirror in mirrors())],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            part.unlink(missing_ok=True)
            msg = f"mmdebstrap cannot make {suite}: {' / '.join(done.stderr.splitlines()[-5:])}"
            raise NoRoot(msg)
        part.rename(made)
    return made


def mirrors() -> list[str]:
    """Where this machine's own apt takes Debian from.

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
    return sorted(found)
