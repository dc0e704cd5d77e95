"""What was spent of the data plan, kept over restarts."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import structlog
from pydantic import TypeAdapter, ValidationError

from agent.clock import ClockQuality
from agent.footage.store.incident_files import complete_file
from agent.uplink.media.aside import aside
from agent.uplink.media.plan import KILOBYTE, Allowance, Cargo, Month, Used, allowance, allows, forecast_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from agent.clock import Clock
    from agent.config.sending import DataPlanSettings

log = structlog.get_logger()

AROUND: Final = 1.05
"""Bytes on the line for each byte of a picture or film: 52 of TCP/IP in 1,448, TLS, and the way back."""
KEPT_EVERY_S: Final = 60.0
"""How often what was counted goes to the disk: what a power cut can make it forget. A card bears a write a minute."""


@dataclass(frozen=True)
class _Account:
    """What lies on the disk."""

    year: int
    month: int
    used: Used


_ACCOUNT = TypeAdapter(_Account)


class Purse:
    """Counts what the unit uses, and says what may leave it. `spend` and `may` can be called from any thread."""

    def __init__(self, plan: DataPlanSettings, file: Path, clock: Clock, *, carried_bytes: Callable[[], int]) -> None:
        """An account of nothing yet: `run` takes up what the last life left. A disk that hangs must not be met here.

        Args:
            plan: What there is to spend.
            file: Where the account is kept.
            clock: Says which month it is.
            carried_bytes: What all connections of the unit have carried, both ways, since it began.
        """
        self._plan = plan
        self._file = file
        self._clock = clock
        self._carried_bytes = carried_bytes
        self._carried_seen = 0
        self._lock = threading.Lock()
        self._month, self._used = Month.of(clock.now().wall), Used()
        self._kept: tuple[Month, Used] | None = None
        """What is known to lie on the disk; None: it was not looked yet."""
        self._loaded = False
        self._unkept = False
        self.held_back = 0
        """How often something was not sent because of the plan, since the unit began."""
        self._told = Allowance.ALL

    def may(self, cargo: Cargo, *, for_help: bool) -> bool:
        """Whether this may be sent now."""
        with self._lock:
            self._look()
            return allows(self._allowed(), cargo, for_help=for_help)

    def spend(self, size_bytes: int, *, for_help: bool) -> None:
        """Say what is handed to the network as media. Whether it leaves, and what that takes, `carried_bytes` tells."""
        with self._lock:
            self._look()
            used, size = self._used, round(size_bytes * AROUND)
            self._used = replace(used, media=used.media + size, help_media=used.help_media + (size if for_help else 0))

    @property
    def allowed(self) -> Allowance:
        """What may leave the unit now."""
        with self._lock:
            self._look()
            return self._allowed()

    def facts(self) -> Mapping[str, Any]:
        """The account, for the heartbeat."""
        with self._lock:
            self._look()
            used, forecast = self._used, self._forecast()
            return {
                "month": str(self._month),
                "planKb": self._plan.kb_per_month,
                "usedKb": round(used.total / KILOBYTE, 1),
                "mediaKb": round(used.media / KILOBYTE, 1),
                "helpMediaKb": round(used.help_media / KILOBYTE, 1),
                "forecastKb": None if forecast is None else round(forecast / KILOBYTE, 1),
                "allowed": str(self._allowed()),
                "heldBack": self.held_back,
            }

    async def run(self, working: Callable[[], None]) -> None:
        """Keep the account on the disk until cancelled, and say in the journal when it steps."""
        working()
        if not self._loaded:
            await aside(self.load)
        while True:
            await aside(self.keep)
            self._tell()
            working()
            await asyncio.sleep(KEPT_EVERY_S)

    def load(self) -> None:
        """Add what the last life spent in this month. Blocks for the disk."""
        kept = self._read()
        with self._lock:
            self._look()
            self._kept, self._loaded = kept, True
            if kept is None:
                return
            month, before = kept
            if month == self._month or self._clock.now().quality is ClockQuality.UNSYNCED:
                now = self._used
                self._month = month
                self._used = Used(
                    before.total + now.total, before.media + now.media, before.help_media + now.help_media
                )

    def keep(self) -> None:
        """Write the account, if it changed. A disk that does not take it loses no call: it is told and tried again."""
        with self._lock:
            self._look()
            account = self._month, self._used
            if account == self._kept or not self._loaded:  # never over what was not read yet
                return
        month, used = account
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with complete_file(self._file) as part:
                part.write_bytes(_ACCOUNT.dump_json(_Account(month.year, month.month, used)))
        except OSError as error:
            if not self._unkept:
                log.warning("data_plan_not_kept", file=str(self._file), reason=str(error))
            self._unkept = True
            return
        if self._unkept:
            log.info("data_plan_kept_again", file=str(self._file))
        self._unkept, self._kept = False, account

    def _look(self) -> None:
        """Take up what was carried since the last look; a new month begins with nothing."""
        carried = self._carried_bytes()
        now = self._clock.now()
        month = Month.of(now.wall)
        if now.quality is not ClockQuality.UNSYNCED and month != self._month:  # an unset clock begins no month
            self._month, self._used = month, Used()
        self._used = replace(self._used, total=self._used.total + carried - self._carried_seen)
        self._carried_seen = carried

    def _forecast(self) -> int | None:
        now = self._clock.now()
        return None if now.quality is ClockQuality.UNSYNCED else forecast_bytes(self._used, self._month, now.wall)

    def _allowed(self) -> Allowance:
        return allowance(self._plan, self._used, self._forecast())

    def _tell(self) -> None:
        allowed = self.allowed
        if allowed is not self._told:
            log.warning("data_plan_step", **self.facts())
        self._told = allowed

    def _read(self) -> tuple[Month, Used] | None:
        try:
            account = _ACCOUNT.validate_json(self._file.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValidationError) as error:
            log.warning(
                "data_plan_account_lost", file=str(self._file), reason=str(error), effect="counted from nothing"
            )
        else:
            return Month(account.year, account.month), account.used
        return None
