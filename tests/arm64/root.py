"""An arm64 root file system of Debian, on which Raspberry Pi OS is based, entered through qemu's emulation."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CACHE: Final = Path("build/arm64")
PACKAGES: Final = ("python3", "python3-venv", "libportaudio2", "libatomic1", "libc-bin", "coreutils", "dash")
"""What apt brings on a unit, as far as Debian has it; picamera2 and lgpio are Raspberry Pi OS's. Vosk's library for
aarch64, unlike that for x86, is linked with libatomic."""
MERGED: Final = "/usr/share/mmdebstrap/hooks/merged-usr"
"""Makes /bin and /lib what they are on an installed system."""
AUTHORITIES: Final = "etc/ssl/certs/ca-certificates.crt"
EMULATOR: Final = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")
LINES: Final = 8
INSIDE: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}


class Impossible(Exception):
    """This machine cannot do it; the text says why."""


class Broken(Exception):
    """It can, and what was tried does not work; the text says what was said."""


@dataclass(frozen=True)
class Root:
    """One root, unpacked anew for each check."""

    folder: Path

    def run(self, *command: str) -> str:
        """What a command says in there, in mounts and processes of its own that end with it.

        Raises:
            Broken: it fails.
        """
        enter = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'
        own = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
        return run(*own, "sh", "-c", enter, str(self.folder), *command, environment=INSIDE)


def run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """What a command says.

    Raises:
        Broken: it fails.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-LINES:])
        msg = f"{' '.join(command[-6:])} ended with {done.returncode}:\n  {last}"
        raise Broken(msg)
    return done.stdout


def root(suite: str) -> Root:
    """A fresh root of this suite, from the base that is made once.

    Raises:
        Impossible: it cannot be made here.
        Broken: it can, and was not.
    """
    require_emulator()
    base = CACHE / f"{suite}.tar"
    if not base.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = base.with_suffix(".part")
        # Unpacked and not configured: Debian's own scripts are not what is tried here, and take 15 minutes emulated.
        options = ("--quiet", "--architectures=arm64", "--variant=extract", f"--hook-dir={MERGED}", "--format=tar")
        run("mmdebstrap", *options, f"--include={','.join(PACKAGES)}", suite, str(part), *mirrors(suite))
        part.rename(base)
    folder = CACHE / suite
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # Without its device files: those of this machine are mounted there.
    run("tar", "--extract", "--file", str(base), "--directory", str(folder), "--exclude=./dev/*")
    for name in ("proc", "dev", "tmp", "root"):  # whose package is not needed for anything else
        (folder / name).mkdir(exist_ok=True)
    # Debian's pip reads it even where it asks nobody; ca-certificates makes it when it is configured, which it is not.
    (folder / AUTHORITIES).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path("/") / AUTHORITIES, folder / AUTHORITIES)
    return Root(folder.absolute())


def require_emulator() -> None:
    """Have the kernel start arm64 programs.

    Raises:
        Impossible: it does not.
    """
    if os.geteuid() != 0:
        msg = "only root may unpack a root file system and enter it"
        raise Impossible(msg)
    for program, package in (("mmdebstrap", "mmdebstrap"), ("arch-test", "arch-test"), ("unshare", "util-linux")):
        if shutil.which(program) is None:
            msg = f"{program} is missing: apt-get install {package}"
            raise Impossible(msg)
    if os.uname().machine == "aarch64" or EMULATOR.exists():
        return
    for attempt in (
        ("mount", "-t", "binfmt_misc", "binfmt_misc", "/proc/sys/fs/binfmt_misc"),
        ("update-binfmts", "--enable", "qemu-aarch64"),
    ):
        if shutil.which(attempt[0]) is not None:
            subprocess.run(attempt, capture_output=True, check=False)
    if not EMULATOR.exists():
        msg = (
            f"this kernel starts no arm64 programs ({EMULATOR} is missing): install qemu-user-static and binfmt-support"
        )
        raise Impossible(msg)


def mirrors(suite: str) -> list[str]:
    """Where this machine's own apt takes Debian from, as lines for another suite.

    Raises:
        Impossible: nowhere.
    """
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    told = run("apt-get", "indextargets", "--format", form, "Created-By: Packages").splitlines()
    found = sorted({line.removeprefix("Debian|Debian|") for line in told if line.startswith("Debian|Debian|")})
    if not found:
        msg = "this machine's apt knows no mirror of Debian: run apt-get update first"
        raise Impossible(msg)
    return [f"deb {mirror} {suite} main" for mirror in found]
