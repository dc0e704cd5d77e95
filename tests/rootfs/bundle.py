"""A bundle for units without a network, by the command that makes them; always anew, since that is under test too."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.rootfs.base import sources
from tests.rootfs.stories import Broken

if TYPE_CHECKING:
    from pathlib import Path


def make_bundle(suite: str, release: Path, folder: Path) -> tuple[Path, str]:
    """The bundle for this suite on this machine's processor, and what the command told of it.

    Its packages are from where the units that have a network take theirs: this machine's own apt may know security
    updates that they do not.

    Raises:
        Broken: it could not be made.
        NoRoot: this machine's apt knows no mirror.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / f"{suite}-bundle.tar"
    machine = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()
    listed = folder / f"{suite}.list"
    listed.write_text("".join(f"{line}\n" for line in sources(suite)), encoding="utf-8")
    command = [f"{release}/provisioning/make-bundle", "--suite", suite, "--arch", machine, "--sources", str(listed)]
    done = subprocess.run(
        [*command, "--test-root", "--second-engine", str(bundle)], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise Broken(done.stderr)
    return bundle, done.stdout.splitlines()[0]
