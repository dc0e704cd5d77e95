"""What pictures and films may cost on their way out: the data plan, and how uploads behave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from agent.config.base import LocalPath, Seconds, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

HTTPS_PORT: Final = 443

Host = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$",
        json_schema_extra={"needs": "a host's name or IPv4 address, without https://, as host or host:port"},
    ),
]


class DataPlanSettings(Settings):
    """What the SIM card may carry in a month. Calls and the heartbeat count, but are never held back."""

    kb_per_month: Annotated[int, Field(ge=1)] | None = None
    """Kilobytes (1,000 bytes) from the first day of a month, UTC, to its last; without it nothing is held back."""
    stills_only_at_percent: Annotated[float, Field(gt=0, le=100)] = 80.0
    """From this share of the plan on only stills leave the unit; at 100 % nothing. Help calls' own media are free."""


class UploadSettings(Settings):
    """Clips and exports on their way to the place that a command names."""

    hosts: tuple[Host, ...] = ()
    """Where they may go, as `host` (port 443) or `host:port`. None named: nowhere, and uploads are refused."""
    ca_file: LocalPath | None = None
    """An authority that is trusted beside the system's own (PEM), for a control room that signs its own."""
    kbit_per_s: Annotated[int, Field(ge=16)] = 2_000
    """As fast as this and no faster, so that a mobile link keeps room for a call."""
    give_up_after_s: Seconds = 86_400.0
    """An upload that did not get through by then has failed; the links that a control room signs live no longer."""
    max_mb: Annotated[int, Field(ge=1)] = 4_000
    """A larger file is refused."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """Each host once, and ports that there are."""
        named = [_named(host) for host in self.hosts]
        if len({*named}) < len(named):
            yield "hosts", "names a host twice"
        for _, port in named:
            if not 0 < port <= 65_535:  # noqa: PLR2004 - what TCP has
                yield "hosts", f"names the port {port}: there are 1 to 65535"

    def may_go_to(self, host: str, port: int) -> bool:
        """Whether films may leave for there."""
        return (host.lower(), port) in {_named(each) for each in self.hosts}


def _named(host: str) -> tuple[str, int]:
    name, _, port = host.lower().partition(":")
    return name, int(port or HTTPS_PORT)
