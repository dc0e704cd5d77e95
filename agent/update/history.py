"""What the update remembers from one run to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.durable import put_whole

if TYPE_CHECKING:
    from pathlib import Path

    from agent.update.manifest import Manifest

_T = TypeVar("_T")

REMEMBERED = 50
"""So many bundles: years of them."""


class History(BaseModel):
    """Trials of earlier runs."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    proven: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] = "0.0.0"
    """The highest version that passed its trial here."""
    failed: dict[str, str] = Field(default_factory=dict)
    """Why a bundle did not pass, by its identity."""
    attempts: dict[str, int] = Field(default_factory=dict)
    """How often a bundle was tried without an end, by its identity."""

    @classmethod
    def read(cls, path: Path) -> History:
        """The one of this file; an empty one when there is none, or when it is damaged.

        A damaged one costs the memory of what failed, not the protection against older versions as far as the version
        in use goes.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return cls()

    def write(self, path: Path) -> None:
        """Keep it; on return it outlives a power cut."""
        put_whole(path, self.model_dump_json().encode(), 0o644)

    def tried(self, manifest: Manifest) -> History:
        """With one more attempt at this bundle."""
        count = self.attempts.get(manifest.identity, 0) + 1
        return self.model_copy(update={"attempts": _newest({**self.attempts, manifest.identity: count})})

    def passed(self, manifest: Manifest) -> History:
        """With this bundle in use for good."""
        return self.model_copy(update={"proven": manifest.version, "attempts": {}})

    def refused(self, manifest: Manifest, why: str) -> History:
        """With this bundle taken back."""
        failed = {key: value for key, value in self.failed.items() if key != manifest.identity}
        return self.model_copy(update={"failed": _newest({**failed, manifest.identity: why}), "attempts": {}})


def _newest(entries: dict[str, _T]) -> dict[str, _T]:
    return dict(list(entries.items())[-REMEMBERED:])
