"""What brokers have yet to be told of alerts that are over, in a form that outlives a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Clear:
    """An alert is over, and brokers may still keep how it stood."""

    revision: int
    """That ended it: older ones that are sent again must not make it stand anew."""
    paths: frozenset[str]
    """Whose brokers have not acknowledged that nothing stands any more."""


class KeepsClears(Protocol):
    """Where they are kept; `Outbox` is one."""

    @property
    def clears(self) -> Mapping[str, Clear]:
        """What is owed, by alert id."""

    def owe(self, alert_id: str, clear: Clear | None) -> None:
        """Keep what is owed of an alert now; None: nothing any more."""


def dump_clear(clear: Clear) -> tuple[int, str]:
    """Its columns."""
    return clear.revision, " ".join(sorted(clear.paths))


def load_clear(revision: int, paths: str) -> Clear:
    """The clear of such columns."""
    return Clear(revision, frozenset(paths.split()))
