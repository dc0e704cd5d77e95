"""How often the unit speaks and repeats itself, and what pictures and films may cost on their way out."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field

from agent.config.base import LocalPath, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HTTPS_PORT: Final = 443

HEARTBEAT_S: Final = (1.0, 30.0)
"""A silent unit has to be known within 90 s (goal 4): its broker waits 1.5 times this, a half-open connection is found
after twice this and told 20 s later, and 60 s without anybody who hears it are two of them. More often than each second
none is needed, and it costs a mobile network's volume for nothing."""
FIRST_RESEND_AT_MOST_S: Final = 10.0
"""What was lost on the way, or went to a path that swallows it, is somebody's call for help."""
RESEND_S: Final = (0.5, 300.0)
"""A receiver over a mobile network needs some tenths of a second to answer; and a help call goes on being repeated at
the last wait, which is no repetition any more when it is longer than some minutes."""
RESENDS_AT_MOST: Final = 10
LATE_AFTER_S: Final = (0.5, 60.0)
"""Below that each alert of a slow network would be called late; an alert that left a minute after its event is late by
anybody's measure, and whoever reads it has to know."""
GIVE_UP_AFTER_S: Final = (60.0, 604_800.0)
"""One attempt over a mobile network takes as long; and no storage signs a link for more than seven days (Amazon's and
Google's signatures, version 4, allow no more)."""
CAPACITY: Final = (100, 100_000)
"""So many revisions are some hundred megabytes on the card, and days on a mobile network."""


def _seconds(bounds: tuple[float, float], why: str) -> Any:  # noqa: ANN401 - pydantic's
    low, high = bounds
    return Field(ge=low, le=high, json_schema_extra={"needs": f"a number of seconds from {low:g} to {high:g} ({why})"})


HeartbeatSeconds = Annotated[float, _seconds(HEARTBEAT_S, "a silent unit has to be known within 90 s")]
ResendSeconds = Annotated[float, _seconds(RESEND_S, "a call that nobody acknowledged has to come again")]
ResendWaits = Annotated[tuple[ResendSeconds, ...], Field(min_length=1, max_length=RESENDS_AT_MOST)]
LateAfterSeconds = Annotated[float, _seconds(LATE_AFTER_S, "what left later than a minute after its event is late")]
GiveUpAfterSeconds = Annotated[float, _seconds(GIVE_UP_AFTER_S, "no link to upload to lives longer than a week")]
Capacity = Annotated[int, Field(ge=CAPACITY[0], le=CAPACITY[1])]

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
    give_up_after_s: GiveUpAfterSeconds = 86_400.0
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


def resend_nonsense(waits_s: Sequence[float]) -> Iterator[str]:
    """What is wrong with waits that are each well formed."""
    if waits_s[0] > FIRST_RESEND_AT_MOST_S:
        yield (
            f"waits {waits_s[0]:g} s before the first repetition: give at most {FIRST_RESEND_AT_MOST_S:g} s first, "
            "a call that was lost on its way has to come again soon"
        )
    if any(later < earlier for earlier, later in pairwise(waits_s)):
        yield "has a wait that is shorter than the one before it: give them in rising order"


def _named(host: str) -> tuple[str, int]:
    name, _, port = host.lower().partition(":")
    return name, int(port or HTTPS_PORT)
