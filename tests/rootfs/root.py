"""One root file system to provision: unpacked from a base, entered by chroot in namespaces of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.provisioning.terminal import AT_TERMINAL, converse
from tests.rootfs.base import unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

RELEASED = ("agent", "fakes", "provisioning", "systemd", "setup.cfg", "pyproject.toml", "README.md")
SCRIPT = "/release/provisioning/provision.sh"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
SSH_SETTINGS = "/etc/ssh/sshd_config.d/10-safepoint.conf"
KEYS_ONLY = "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
LOOK_EVERY_S = 0.002
"""How closely a run is watched for the moment to kill it in."""
GIVE_UP_AFTER_S = 1_800.0

ENTER = """\
set -e
root=$1; shift
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/release"
mount --bind -o ro "$RELEASE" "$root/release"
mount --bind -o ro "$CERTIFICATES" "$root$CERTIFICATES"
[ ! -e "$root/etc/resolv.conf" ] || mount --bind -o ro "$(realpath /etc/resolv.conf)" "$root/etc/resolv.conf"
unset RELEASE CERTIFICATES
exec chroot "$root" "$@"
"""
"""What a shell does in new namespaces, before it becomes the command; all of its mounts end with it."""


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    text: str
    """Both outputs, as they came."""

    @property
    def figures(self) -> tuple[int, int] | None:
        """Seconds and questions, as the script counted them."""
        told = re.search(r"in (\d+) s, with (\d+) questions asked", self.text)
        return (int(told[1]), int(told[2])) if told else None


def release(folder: Path) -> Path:
    """A copy of what a release has, so that nobody's editing meanwhile gets into a run."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    here = Path(__file__).parents[2]
    for name in RELEASED:
        if (here / name).is_dir():
            shutil.copytree(here / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(here / name, folder / name)
    return folder


class Root:
    """A root file system that is removed at the end."""

    def __init__(self, base: Path, release: Path, folder: Path) -> None:
        """Unpack it.

        Args:
            base: as `tests.rootfs.base` makes it.
            release: what is seen as /release in it.
            folder: where it goes; what is there is removed.
        """
        self.folder = folder
        self._release = release
        unpack(base, folder)
        if not (folder / "etc/resolv.conf").exists():
            (folder / "etc/resolv.conf").touch()
        (folder / "release").mkdir()
        (folder / "etc/apt/apt.conf.d/90machine").write_text(_apt_proxies(), encoding="utf-8")

    def clear(self) -> None:
        """Remove it: nothing is mounted in it outside of a run's own namespace."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        """Lay a file into it."""
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)

    def forbid_passwords(self) -> None:
        """What the script asks of an engineer."""
        self.put(SSH_SETTINGS, KEYS_ONLY)

    def provision(self, *options: str, network: bool = True) -> Ended:
        """Run the script to its end."""
        return self.run([SCRIPT, "--test-root", *options], network=network)

    def provision_until(self, moment: Callable[[str], bool], *options: str) -> Ended | None:
        """Run the script and kill it at this moment, with all that it started; how it ended if that did not come.

        Args:
            moment: asked again and again, with the text so far.
            options: of the script.
        """
        said = self.folder.with_suffix(".said")
        with said.open("wb") as file, self._started([SCRIPT, "--test-root", *options], file) as process:
            while process.poll() is None:
                if moment(said.read_text(encoding="utf-8", errors="replace")):
                    process.kill()  # the first process of its namespace dies with unshare, and all others with that
                    process.wait()
                    return None
                time.sleep(LOOK_EVERY_S)
        return Ended(process.returncode, said.read_text(encoding="utf-8", errors="replace"))

    def run(self, command: Sequence[str], *, network: bool = True) -> Ended:
        """Run a command in it to its end.

        Args:
            command: what; its first word is a path in the root.
            network: without, it sees no network at all, not even a loopback that is up.
        """
        with self._started(command, subprocess.PIPE, network=network) as process:
            text, _ = process.communicate(timeout=GIVE_UP_AFTER_S)
        return Ended(process.returncode, text.decode(errors="replace"))

    def converse(self, typed: Sequence[str]) -> Ended:
        """Run the script on a terminal and type a line at each prompt; it hangs up when there is none left."""
        command = [*AT_TERMINAL, SCRIPT, "--test-root"]
        return Ended(*converse(lambda terminal: self._started(command, terminal, stdin=terminal), typed))

    def _started(
        self,
        command: Sequence[str],
        stdout: int | IO[bytes],
        *,
        stdin: int = subprocess.DEVNULL,
        network: bool = True,
    ) -> subprocess.Popen[bytes]:
        spaces = ["--mount", "--pid", "--fork", "--kill-child=KILL", *([] if network else ["--net"])]
        return subprocess.Popen(
            ["unshare", *spaces, "bash", "-c", ENTER, "enter", str(self.folder), *command],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            env=_environment(self._release),
            start_new_session=True,
        )


def _environment(release: Path) -> dict[str, str]:
    """What the script sees of this machine: a bare shell, and the way to the package registries."""
    bare = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    proxies = {
        key: value for key, value in os.environ.items() if key.lower() in ("http_proxy", "https_proxy", "no_proxy")
    }
    own = {"RELEASE": str(release.absolute()), "CERTIFICATES": CERTIFICATES}
    return {**bare, **proxies, **_pip_settings(), **own}


def _pip_settings() -> dict[str, str]:
    """Which index this machine's pip uses, as variables. What lies on this machine's disk is not there in the root."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    found = re.findall(
        r"^[^\n.]+\.(index-url|extra-index-url|trusted-host|proxy|timeout)='([^\n]*)'$", told, re.MULTILINE
    )
    settings = {name: " ".join(url for url in value.split() if not url.startswith("file:")) for name, value in found}
    return {f"PIP_{name.upper().replace('-', '_')}": value for name, value in settings.items() if value}


def _apt_proxies() -> str:
    """This machine's proxies for apt, if it has any."""
    told = subprocess.run(["apt-config", "dump", "Acquire"], check=True, capture_output=True, text=True).stdout
    return "".join(f"{line}\n" for line in told.splitlines() if re.search(r"::Proxy\b", line, re.IGNORECASE))
