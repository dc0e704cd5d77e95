"""What an update works with: where things lie, where bundles come from, and what takes minutes on a unit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import agent
from agent.update.install import install, prove, record

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Where an update finds and puts what."""

    state: Path
    """The update's own folder, with `incoming` in it."""
    keys: Path
    """The folder of the public keys, `*.pem`."""
    config: Path
    """The unit's file, which the new version must take."""
    status: Path
    """What the daemon shows of itself."""
    restart: Path
    """Written to ask for the daemon's restart."""

    @property
    def incoming(self) -> Path:
        """Where bundles are put down."""
        return self.state / "incoming"

    @property
    def history(self) -> Path:
        """What is remembered of earlier runs."""
        return self.state / "history.json"

    @property
    def key_files(self) -> Sequence[Path]:
        """The public keys."""
        return sorted(self.keys.glob("*.pem"))


@dataclass(frozen=True)
class Source:
    """A folder of bundles on a web server."""

    url: str
    context: ssl.SSLContext
    """Whom to trust to be that server."""


@dataclass(frozen=True)
class Tools:
    """What takes minutes on a unit, and is told in an instant on a bench."""

    install: Callable[[Sequence[Path], Path], None] = install
    """Puts wheels into a slot (`agent.update.install`)."""
    prove: Callable[[Path, str, Path], None] = prove
    """Tries what can be tried beside the daemon (`agent.update.install`)."""
    record: Callable[[Path, bytes, Sequence[Path]], None] = record
    """Writes down what the slot is made of, with what vouches for it (`agent.update.install`)."""
    monotonic_s: Callable[[], float] = time.monotonic
    wall_s: Callable[[], float] = time.time
    version: str = agent.__version__
    """Ours, and so of the slot in use."""
    sleep: Callable[[float], None] = time.sleep
