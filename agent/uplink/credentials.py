"""Keeps the unit's certificates in order: tells before one ends, takes a new one into use once the broker took it.

It looks at the files from time to time, in a thread that nobody waits for. The link goes its own way meanwhile.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from agent.apart import apart
from agent.clock_floor import ClockFloor
from agent.signals import FaultCleared, Faulted
from agent.uplink import inspection
from agent.uplink.certificate import Certificate, CertificateUnreadable
from agent.uplink.inspection import Seen
from agent.uplink.jsonable import timestamp
from agent.uplink.slots import GIVEN, Identity, Slots
from agent.uplink.tls import Look, StillLooking, Tls
from agent.uplink.trial import Trials, refusal_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.signals import Signal
    from agent.uplink.endpoint import Endpoint

log = structlog.get_logger()

T = TypeVar("T")

PART: Final = "certificate"
LOOK_EVERY_S: Final = 30.0
"""A new certificate is found within this time."""
LOOK_AGAIN_S: Final = 5.0
"""While there is no certificate that can be used: somebody may be bringing it right now."""
LOOK_WITHIN_S: Final = 5.0
"""A disk that takes longer hangs (as in `agent.uplink.storage`)."""
REMEMBER_EVERY_S: Final = 3600.0
"""The last known time is this old at most; more often would wear the card for nothing."""
PREFER_AGAIN_S: Final = 3600.0
"""So long a broker is shown the certificate before the active one, once it did not want the active one."""


@dataclass(frozen=True)
class Credentials:
    """What a unit has to show who it is."""

    slots: Slots
    floor: ClockFloor
    tls: Tls

    @classmethod
    def of(cls, config: Config, clock: Clock) -> Credentials | None:
        """Those of a unit with TLS."""
        uplink = config.uplink
        if uplink.cert_file is None or uplink.key_file is None:
            return None
        given = Identity(GIVEN, uplink.ca_file, uplink.cert_file, uplink.key_file)
        slots, floor = Slots(config.state_folder / "tls", given), ClockFloor(config.state_folder, clock)
        return cls(slots, floor, Tls(slots.in_order, floor=floor, allow_tls_1_2=uplink.allow_tls_1_2))


class Keeper:
    """Looks after a unit's credentials while it runs."""

    def __init__(  # noqa: PLR0913 - what it keeps, where it tries it, whom it tells
        self,
        credentials: Credentials,
        endpoint: Endpoint,
        config: Config,
        clock: Clock,
        report: Callable[[Signal], None],
        *,
        connected: Callable[[], bool],
        hurry: Callable[[], None],
    ) -> None:
        """A keeper that has not looked yet.

        Args:
            credentials: What it keeps.
            endpoint: The broker that a new certificate is tried at.
            config: Whose they are.
            clock: Stamps the faults.
            report: Takes the faults and restores.
            connected: Whether the broker is there for the certificate in use: else nothing is said by a failed trial.
            hurry: Called when files that were missing can be used: the link need not rest any longer.
        """
        self._credentials = credentials
        self._endpoint = endpoint
        self._config = config
        self._clock = clock
        self._report = report
        self._connected = connected
        self._hurry = hurry
        self._told: dict[str, str] = {}
        """The faults that are reported, by code, and their text."""
        self._last: Look | None = None
        self._authority: Certificate | None = None
        """Without which nobody believes this unit, or it nobody; None while that cannot be read."""
        self._at_disk = False
        """A thread reads or writes the files, or hangs there."""
        self._remembered_s: float | None = None
        self._fell_back_s: float | None = None
        self._trials = Trials()
        self._waits = False
        """A new certificate waits to be tried."""

    async def run(self, working: Callable[[], None]) -> None:
        """Look after them until cancelled.

        Raises:
            OSError: the disk does not answer as it should.
        """
        while True:
            if (seen := await self._seen()) is not None:
                self._note(seen)
                self._waits = seen.candidate is not None
                working()
                if seen.candidate is None:
                    self._trials = Trials()
                    self._tell("renewal", None)
                elif self._connected() and self._trials.is_due(self._clock.now().monotonic_s):
                    await self._try(seen.candidate)
            await asyncio.sleep(LOOK_AGAIN_S if "unusable" in self._told else LOOK_EVERY_S)

    async def _seen(self) -> Seen | None:
        """What a look at the disk shows; None while it hangs, which the outbox and the health checks tell."""
        if self._at_disk:
            return None  # still in the disk that hangs: a second thread would only hang too
        try:
            return await self._apart(self._look)
        except TimeoutError:
            log.warning("certificates_not_looked_at", reason="the disk does not answer")
            return None
        except StillLooking:
            return None  # a connection does, for the first time

    async def _apart(self, work: Callable[[], T]) -> T:
        """What `work` returns, done at the disk by the one thread that this keeper has.

        Raises:
            TimeoutError: that thread hangs, now or since before.
        """
        if self._at_disk:
            raise TimeoutError

        def at_disk() -> T:
            try:
                return work()
            finally:
                self._at_disk = False

        self._at_disk = True
        return await apart(at_disk, name="credentials", within_s=LOOK_WITHIN_S)

    def facts(self) -> Mapping[str, Any]:
        """For the heartbeat: which certificate is in use and until when, and by what time others are judged."""
        look = self._last
        if look is None:
            return {}
        tls = self._credentials.tls
        facts: dict[str, Any] = {"active": look.active.name, "acceptedAs": tls.accepted_as, "renewal": self._renewal}
        if self._authority is not None:
            facts["authorityExpires"] = timestamp(self._authority.not_after)
        if look.certificate is not None:
            days = inspection.days_left(look.certificate, self._known_time())
            facts |= {"expires": timestamp(look.certificate.not_after), "daysLeft": days}
        if look.known is not None:
            facts |= {
                "judgedBy": str(look.known.by),
                "judgedAt": timestamp(look.known.at),
                "exact": look.known.is_exact,
            }
        return {"certificate": facts}

    @property
    def _renewal(self) -> str:
        if not self._waits:
            return "none"
        return "refused" if self._trials.failures else "waiting"

    def _look(self) -> Seen:
        """Everything that touches the disk."""
        now_s = self._clock.now().monotonic_s
        if self._remembered_s is None or now_s - self._remembered_s >= REMEMBER_EVERY_S:
            self._remembered_s = now_s
            self._remember()
        return Seen.now(self._credentials.tls, self._credentials.slots)

    def _remember(self) -> None:
        try:
            self._credentials.floor.remember()
        except OSError as error:  # a disk that takes nothing is told by its own check
            log.warning("time_not_kept", reason=str(error))

    def _note(self, seen: Seen) -> None:
        """Tell what is wrong with the files, and what is right again."""
        look = seen.look
        before, self._last = self._last, look
        if look.known is not None and _how(look) != (None if before is None else _how(before)):
            log.info(
                "certificates_judged",
                by=str(look.known.by),
                at=timestamp(look.known.at),
                exact=look.known.is_exact,
            )
        self._tell("unusable", inspection.unusable(look, self._credentials.tls.accepted_as))
        if before is not None and before.active.name in before.unusable and "unusable" not in self._told:
            self._hurry()
        now = self._known_time()
        if look.certificate is not None:
            self._tell("expires", inspection.ends_soon(look.certificate, now))
            self._tell("ended", inspection.has_ended(look.certificate, now))
        self._authority = seen.authority
        self._tell("authority", None if seen.authority is None else inspection.authority_ends(seen.authority, now))
        self._tell("exposed", f"The key {look.active.key_file} can be read by others." if seen.exposed else None)
        self._tell("fallback", self._fallback(look))

    def _fallback(self, look: Look) -> str | None:
        """The broker accepted another identity than the active one."""
        tls, now_s = self._credentials.tls, self._clock.now().monotonic_s
        if tls.accepted_as in {None, look.active.name}:
            self._fell_back_s = None
            return None
        if self._fell_back_s is None:
            self._fell_back_s = now_s
        elif now_s - self._fell_back_s >= PREFER_AGAIN_S:
            self._fell_back_s = now_s
            tls.prefer_active()
        return f"The broker did not accept the certificate {look.active.name}; {tls.accepted_as}, from before, is used."

    def _known_time(self) -> datetime:
        """How late it is, or at least is."""
        known = None if self._last is None else self._last.known
        return self._clock.now().wall if known is None else known.at

    def _tell(self, code: str, text: str | None) -> None:
        """Report a fault once, and once that it is over."""
        told = self._told.get(code)
        if text is None:
            if self._told.pop(code, None) is not None:
                self._report(FaultCleared(PART, code, self._clock.now()))
        elif told is None:
            self._told[code] = text
            self._report(Faulted(PART, code, text, self._clock.now()))

    # --- a new certificate -----------------------------------------------------------------------------------------

    async def _try(self, candidate: Identity) -> None:
        """Connect with the new certificate, and take it into use when the broker took it and what was published."""
        try:
            tried = await self._read(candidate)
            why = self._unfit(tried) or await self._refusal(candidate)
        except CertificateUnreadable as unreadable:
            why = str(unreadable)
        if why is not None:
            self._trials = self._trials.failed(self._clock.now().monotonic_s)
            log.warning("certificate_not_promoted", slot=candidate.name, reason=why)
            self._tell("renewal", f"The new certificate is not used, the one before it still is: {why}.")
            return
        if await self._read(candidate) != tried:
            return  # another one took its place meanwhile: that is tried next
        await self._apart(lambda: self._promote(candidate))
        log.info("certificate_promoted", slot=candidate.name)
        self._trials, self._waits = Trials(), False
        self._tell("renewal", None)

    async def _read(self, identity: Identity) -> Certificate:
        return await self._apart(lambda: Certificate.read(identity.cert_file))

    def _promote(self, candidate: Identity) -> None:
        tls = self._credentials.tls
        self._credentials.slots.promote(candidate)
        tls.prefer_active()
        self._last = tls.look()
        tls.accepted(tls.show())  # the trial was; the link itself shows it with its next connection

    def _unfit(self, certificate: Certificate) -> str | None:
        """Why a new certificate need not be tried, as the end of a sentence."""
        unit = self._config.unit.id
        return None if certificate.name == unit else f"it is for {certificate.name or 'nobody'}, not for {unit}"

    async def _refusal(self, candidate: Identity) -> str | None:
        """Why a new certificate was refused, as the end of a sentence; None when it works."""
        tls = Tls(lambda: [candidate], floor=self._credentials.floor, allow_tls_1_2=self._config.uplink.allow_tls_1_2)
        return await refusal_by(replace(self._endpoint, tls=tls), self._config.unit)


def _how(look: Look) -> tuple[str, bool] | None:
    """By what certificates are judged."""
    return None if look.known is None else (str(look.known.by), look.known.is_exact)
