"""Verbs for the stories of the uplink."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from agent.clock import ClockQuality, Moment
from agent.config.settings import Config, UnitSettings, UplinkSettings
from agent.signals import AckLevel, Category, Tell
from agent.uplink import messages
from agent.uplink.link import Link
from agent.uplink.manners import Manners
from agent.uplink.publication import Received
from agent.uplink.tls import Shown, Tls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agent.signals import Outcome
    from agent.uplink.endpoint import Endpoint
    from agent.uplink.messages import Message
    from agent.uplink.paths import Paths
    from agent.uplink.publication import Publication, Subscription
    from agent.uplink.topics import UnitTopics
    from fakes.authority import Authority

Runs = TypeVar("Runs", "Link", "Paths")
SOON_S = 100.0
"""Far longer than anything here takes: what is waited for is a condition, never this."""


async def until(holds: Callable[[], object], what: str) -> None:
    """Wait until a condition holds."""
    try:
        async with asyncio.timeout(SOON_S):
            while not holds():  # noqa: ASYNC110 - any condition, not only one that sets an event
                await asyncio.sleep(0.005)
    except TimeoutError:
        msg = f"it never came to this: {what}"
        raise AssertionError(msg) from None


def came(message: Message, **differently: Any) -> Received:  # noqa: ANN401 - fields of Received
    """A message as it comes over a link."""
    publication = message.publication()
    values: dict[str, Any] = {
        "topic": publication.topic,
        "payload": publication.payload,
        "expiry_s": publication.expiry_s,
        "response_topic": publication.response_topic,
        "correlation_data": publication.correlation_data,
    }
    return Received(**values | differently)


def closing(unit: UnitTopics, at: datetime, operator: str, outcome: Outcome, note: str | None = None) -> Message:
    """An operator at the console "desk" closes the alert "inc-1", of which he saw three revisions."""
    return messages.acknowledgement(
        unit,
        "desk",
        at,
        alert_id="inc-1",
        revision=3,
        level=AckLevel.CLOSED,
        operator_ref=operator,
        outcome=outcome,
        note=note,
    )


class Ear:
    """Keeps what comes over a link."""

    def __init__(self) -> None:
        self.heard: list[Received] = []

    def __call__(self, received: Received) -> None:
        self.heard.append(received)

    def payloads(self) -> list[bytes]:
        """What was said, in order."""
        return [received.payload for received in self.heard]


def passing(client_id: str, subscriptions: tuple[Subscription, ...] = (), **manners: Any) -> Manners:  # noqa: ANN401 - Manners' own
    """The manners of a client that the broker keeps nothing for: stories on one broker do not hear each other."""
    return Manners(client_id, subscriptions, session_expiry_s=0, **manners)


@asynccontextmanager
async def running(link: Runs) -> AsyncIterator[Runs]:
    """A link that runs, and is closed in order at the end."""
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        await link.close()
        await task


@asynccontextmanager
async def linked(  # noqa: PLR0913 - what a link can be made of
    endpoint: Endpoint,
    manners: Manners,
    *,
    on_message: Callable[[Received], None] | None = None,
    will: Callable[[], Publication] | None = None,
    birth: Callable[[], Publication] | None = None,
    on_change: Callable[[bool], None] | None = None,
) -> AsyncIterator[Link]:
    """A link that is up."""
    link = Link(endpoint, manners, on_message=on_message or Ear(), will=will, birth=birth, on_change=on_change)
    async with running(link):
        async with asyncio.timeout(SOON_S):
            await link.up()
        yield link


class Showing(Tls):
    """Shows what it is told to, whatever files there are."""

    def __init__(self, shown: Shown) -> None:
        super().__init__(list)
        self._ready = (shown,)


class Files(TypedDict):
    """The files of a client, as `Endpoint.build` takes them."""

    ca_file: Path
    cert_file: Path
    key_file: Path


def files_of(authority: Authority, common_name: str) -> Files:
    """A certificate of this authority for a client of this name."""
    issued = authority.issue_client(common_name)
    return {"ca_file": issued.ca_file, "cert_file": issued.cert_file, "key_file": issued.key_file}


class LabClock:
    """A clock that is set by hand, or the machine's where a story runs in real time."""

    def __init__(self, wall: datetime = datetime(2026, 11, 22, 2, 14, 7, 412_000, UTC)) -> None:
        self._moment = Moment(1000.0, wall, "boot-1", ClockQuality.SYNCED)

    def now(self) -> Moment:
        """The present moment."""
        return self._moment

    def at(self, monotonic_s: float) -> Moment:
        """The moment of a monotonic reading."""
        return self._moment.later(monotonic_s - self._moment.monotonic_s)

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self._moment = self._moment.later(seconds)

    def reboot(self, boot_id: str = "boot-2") -> None:
        """Another boot: the monotonic clock begins anew."""
        self._moment = Moment(5.0, self._moment.wall, boot_id, ClockQuality.UNSYNCED)


class Complaints:
    """Keeps what was reported as trouble, and as over."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.over: list[str] = []

    def trouble(self, code: str, text: str) -> None:
        """Something failed."""
        assert text
        self.told.append(code)

    def end(self, code: str) -> None:
        """It works again."""
        self.over.append(code)


def tell(alert_id: str, revision: int, at: Moment, category: Category = Category.HELP, **data: object) -> Tell:
    """A revision as incidents tell it."""
    said = {
        "state": "active",
        "test": False,
        "severity": "Extreme",
        "urgency": "Immediate",
        "certainty": "Observed",
        "headline": "Help call: panic button panic-1",
        "detections": [{"detectorId": "panic-1", "kind": "button"}],
    }
    return Tell(alert_id, revision, category, at, said | data, urgent=category is Category.HELP)


def make_config(**uplink: object) -> Config:
    """A unit of the street; its waits may be as short, or as long, as no unit's are."""
    settings = {"broker": "mqtt://localhost", "insecure_lab": True} | uplink
    waits: dict[str, Any] = {key: settings.pop(key) for key in ("resend_s", "late_after_s") if key in settings}
    config = Config(
        profile="safe-point",
        unit=UnitSettings(
            id="unit-a",
            org="street",
            name="Hucknall Safe Point - Central Walk (opp. Boots)",
            location="North end of Central Walk",
            latitude=53.0390,
            longitude=-1.2030,
        ),
        uplink=UplinkSettings.model_validate(settings),
    )
    return config.model_copy(update={"uplink": config.uplink.model_copy(update=waits)})
