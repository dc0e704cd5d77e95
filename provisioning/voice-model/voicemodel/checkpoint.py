"""A training that was stopped goes on where it was: the same steps on the same batches, as if it never had been."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog
import torch

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()

EVERY_S = 180.0
"""What is lost at most when it is stopped."""


class Checkpoint:
    """Where a training is stored."""

    def __init__(self, path: Path, every_s: float = EVERY_S) -> None:
        self._path = path
        self._every_s = every_s
        self._stored_s = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time to store it."""
        return time.monotonic() - self._stored_s >= self._every_s

    def store(self, trainer: dict[str, Any], lessons: dict[str, Any]) -> None:
        """Store it, whole or not at all.

        Raises:
            OSError: there is no room, or no such folder.
        """
        part = self._path.with_suffix(".part")
        torch.save({"trainer": trainer, "lessons": lessons}, part)
        part.rename(self._path)
        self._stored_s = time.monotonic()
        log.info("stored", file=self._path.name, steps=trainer["step"])

    def load(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """What was stored of the trainer and of the lessons; None if nothing was."""
        if not self._path.exists():
            return None
        stored = torch.load(self._path)
        return stored["trainer"], stored["lessons"]

    def remove(self) -> None:
        """The training is over."""
        self._path.unlink(missing_ok=True)
