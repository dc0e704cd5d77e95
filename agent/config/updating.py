"""Where new versions of the agent come from, and what they wait for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from agent.config.base import LocalPath, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

UpdateUrl = Annotated[
    str,
    Field(
        pattern=r"^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?$",
        json_schema_extra={"needs": "https://HOST/FOLDER (no user name, password or query)"},
    ),
]


class UpdateSettings(Settings):
    """Bundles of new versions. Without a `url` they come from an engineer's hand only."""

    url: UpdateUrl | None = None
    """A folder on a web server. A unit asks it for MACHINE-cpPYTHON.update, such as aarch64-cp313.update."""
    ca_file: LocalPath | None = None
    """An authority that is trusted beside the system's own (PEM), for a server of one's own."""

    folder: LocalPath = Path("/var/lib/safepoint-update")
    """Where the update says how it stands (`standing.json`), for the control room."""
    forgotten_call_h: Annotated[float, Field(ge=4, le=168)] = 12.0
    """An open call that has ended holds an update up until neither the scene nor an operator has done anything for so
    long. Twelve hours are the longest shift of a control room: whoever knew of the call has gone home by then. Seven
    days are what an open call is remembered at all."""

    @property
    def forgotten_call_s(self) -> float:
        """The same in seconds."""
        return self.forgotten_call_h * 3600

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """An authority for nothing."""
        if self.ca_file is not None and self.url is None:
            yield "ca_file", "is of no use without url: remove it, or say where updates come from"
