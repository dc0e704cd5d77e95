"""Every package of a unit's environment as a wheel for aarch64: what pip would put on a Pi, resolved on any machine."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.arm64.root import CACHE, Broken, run

if TYPE_CHECKING:
    from collections.abc import Iterator

NEWEST_GLIBC: Final = {"311": 36, "313": 41}
"""The second number of 2.36 (bookworm) and 2.41 (trixie), by the Python that stands beside it."""
OLDEST_GLIBC: Final = 17
"""Of manylinux2014, the first for aarch64."""
ONLY_AS_SOURCE: Final = ("srt",)
"""Vosk's; has no wheel in the index. Pure Python, so the wheel that is made of it here is that of a Pi."""
RELEASE: Final = ("agent", "fakes", "setup.cfg", "pyproject.toml", "README.md")
FROM_APT: Final = {"numpy"}
"""Beside a unit's environment, where `provisioning` pins the rest: taken from the index here."""


def wheels(python: str) -> Path:
    """A folder with the agent and all that it needs, for one version of Python.

    Args:
        python: `311` or `313`.

    Raises:
        Broken: something has no wheel for it.
    """
    folder = (CACHE / f"wheels-cp{python}").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        # Built from a copy: what an earlier build left beside the source would come along.
        for name in RELEASE:
            run("cp", "--recursive", name, scratch)
        _pip("wheel", "--no-deps", "--wheel-dir", str(folder), *ONLY_AS_SOURCE, scratch)
    (agent,) = folder.glob("safepoint_agent-*.whl")
    pins = CACHE / f"pins-cp{python}.txt"
    pins.write_text("".join(_pins(python)), encoding="utf-8")
    glibcs = range(NEWEST_GLIBC[python], OLDEST_GLIBC - 1, -1)
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in glibcs]
    _pip(
        *("download", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}"),
        *(f"--abi=cp{python}", "--abi=abi3", "--abi=none", "--platform=manylinux2014_aarch64", *platforms),
        *(f"--find-links={folder}", f"--constraint={pins}", f"--dest={folder}", str(agent)),
    )
    foreign = [wheel.name for wheel in folder.iterdir() if not wheel.stem.endswith(("-any", "_aarch64"))]
    if foreign:
        msg = f"not for aarch64: {', '.join(foreign)}"
        raise Broken(msg)
    return folder


def _pins(python: str) -> Iterator[str]:
    """The versions that provisioning installs, where it says so; their sums are checked there."""
    locked = Path(f"provisioning/constraints-cp{python}.txt")
    if not locked.exists():
        return
    for line in locked.read_text(encoding="utf-8").splitlines():
        if (found := re.match(r"([a-z0-9-]+)==[^ ;]+", line)) and found[1] not in FROM_APT:
            yield found[0] + "\n"


def _pip(*args: str) -> None:
    run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *args)
