"""A Debian with a real systemd in a container (systemd-nspawn), driven from outside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

BOOTED_WITHIN_S = 90.0
LOOK_EVERY_S = 0.3
DEVICE = "/dev/fuse"
"""A device of every Linux that no unit needs and everybody may open, as far as its file's permissions go."""
LIMIT_S = 120.0
"""Generous: a condition is waited for, not a speed asserted."""


class MachineImpossible(Exception):
    """This host does not let a container boot; the text says what it said."""


class Machine:
    """One container, from boot to power-off. The network is the host's; of its files it sees `shared` only."""

    def __init__(self, root: Path, shared: Path) -> None:
        self.root = root
        self._shared = shared
        self._nspawn: asyncio.subprocess.Process | None = None
        self._leader: int | None = None
        self._console = root.with_name(f"{root.name}.console")

    async def __aenter__(self) -> Self:
        await self.boot()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut_power()

    async def boot(self) -> None:
        """Switch it on, and wait until systemd has started everything.

        Raises:
            MachineImpossible: nothing boots.
        """
        # PID 1 of this host may not be systemd, so nobody is asked to register the machine (camera-lab section 5).
        with self._console.open("ab") as console:
            self._nspawn = await asyncio.create_subprocess_exec(
                *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--link-journal=no"),
                *(
                    "--console=pipe",
                    f"--machine=unit-{os.getpid()}",
                    f"--directory={self.root}",
                    f"--bind={self._shared}",
                ),
                # Forbidden by nspawn itself, not on a unit: to ask for the state of the clock, and to filter devices.
                *("--system-call-filter=adjtimex clock_adjtime bpf", "--capability=CAP_BPF", f"--bind={DEVICE}"),
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},  # the one with filters for devices
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        try:
            async with asyncio.timeout(BOOTED_WITHIN_S):
                while not await self._is_up():
                    if self._nspawn.returncode is not None:
                        msg = f"systemd-nspawn ended: {self._console.read_text(errors='replace')[-2000:].strip()}"
                        raise MachineImpossible(msg)
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            await self.cut_power()
            msg = f"nothing booted within {BOOTED_WITHIN_S:.0f} s: {self._console.read_text(errors='replace')[-2000:]}"
            raise MachineImpossible(msg) from None

    async def _is_up(self) -> bool:
        if self._nspawn is None:
            return False
        if self._leader is None:
            self._leader = _first_process(self._nspawn.pid)
            return False
        with contextlib.suppress(subprocess.CalledProcessError):
            state = self.run("systemctl", "is-system-running", check=False).strip()
            return state in {"running", "degraded"}
        return False

    async def cut_power(self) -> None:
        """End all of it at once, as a power cut does; what was written to the disk stays."""
        if self._nspawn is None:
            return
        if self._leader is not None and self._nspawn.returncode is None:
            os.kill(self._leader, signal.SIGKILL)
        elif self._nspawn.returncode is None:
            self._nspawn.kill()
        await self._nspawn.wait()
        self._nspawn = self._leader = None

    def run(self, *argv: str, check: bool = True) -> str:
        """Run a command in it as root; returns what it wrote.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        enter = [
            "nsenter",
            f"--target={self._leader}",
            "--mount",
            "--uts",
            "--ipc",
            "--net",
            "--pid",
            "--root",
            "--wd",  # of its first process: `/` there
        ]
        done = subprocess.run([*enter, *argv], capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, argv, done.stdout, done.stderr)
        return done.stdout

    def of(self, unit: str, *properties: str) -> dict[str, str]:
        """What systemd says of a unit."""
        shown = self.run("systemctl", "show", unit, *(f"--property={name}" for name in properties))
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def journal(self, *options: str) -> str:
        """What its journal says."""
        return self.run("journalctl", "--no-pager", "--output=short-monotonic", *options)

    async def until(self, what: str, seen: Callable[[], bool], within_s: float = LIMIT_S) -> None:
        """Wait for a condition.

        Raises:
            AssertionError: it did not come, with the end of the journal.
        """
        try:
            async with asyncio.timeout(within_s):
                while not seen():  # noqa: ASYNC110 - it happens in other processes, which ring no bell here
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            msg = f"waited in vain for: {what}"
            raise AssertionError(msg) from None


def _first_process(nspawn_pid: int) -> int | None:
    """The process that is number 1 in the container."""
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{nspawn_pid}/task/{nspawn_pid}/children").read_text(encoding="ascii").split():
            status = Path(f"/proc/{child}/status").read_text(encoding="utf-8")
            numbers = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
            if len(numbers) > 1 and numbers[-1] == "1":
                return int(child)
    return None


def run_unbooted(root: Path, argv: Sequence[str]) -> None:
    """Run a command in a root file system that is not booted."""
    enter = [
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        "--as-pid2",
        "--console=pipe",
        "-D",
        str(root),
    ]
    subprocess.run([*enter, *argv], check=True, stdin=subprocess.DEVNULL)
