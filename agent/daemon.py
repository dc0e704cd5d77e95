"""The daemon's life as a process: start, reload, orderly end."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import structlog

from agent import journal
from agent.apart import apart
from agent.clock import SystemClock
from agent.config.load import load_config
from agent.config.problems import ConfigInvalid
from agent.core_dumps import leave_no_core
from agent.hw.kit import KitUnusable, load_kit
from agent.notify import ServiceManager
from agent.series import filming
from agent.unit import Unit
from agent.uplink.credentials import Credentials
from agent.uplink.endpoint import Endpoint
from agent.uplink.tls import EndpointInvalid

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Config
    from agent.hw.kit import Kit

log = structlog.get_logger()

THREAD_SWITCH_S = 0.0005
"""Python lets a thread run for 5 ms while others wait. The link's and the disk's threads work in bursts of less than
that, and a help call must not wait for a turn (`./dev bench`: edge -> PUBACK)."""

READ_WITHIN_S = 60.0
"""For a new configuration; a large voice model is read in some seconds from a slow card."""


class Daemon:
    """Runs one unit after the other: a reload ends the present one in order and begins the next.

    Open incidents live through that as they live through a restart: in the outbox's memory.
    """

    def __init__(self, config_file: Path) -> None:
        """A daemon for this unit.

        Raises:
            ConfigInvalid: the configuration cannot be used.
            KitUnusable: there is no such hardware kit, or not with these options.
            EndpointInvalid: the broker cannot be reached as configured, whatever the certificate.
        """
        self._config_file = config_file
        self._plan = _Plan.of(config_file, judge_files=False)
        self._manager = ServiceManager.of_environment()
        self._ending = False
        self._reload_asked = asyncio.Event()
        self._present_ends = asyncio.Event()

    async def run(self) -> None:
        """Be the unit until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for stop in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._reload_asked.set)
        reloading = asyncio.create_task(self._reload_when_asked(), name="reload")
        try:
            while not self._ending:
                self._present_ends.clear()
                await self._plan.unit(self._manager).run(self._present_ends)
        finally:
            reloading.cancel()
            await asyncio.gather(reloading, return_exceptions=True)

    def _end(self) -> None:
        log.info("stop_requested")
        self._manager.stopping()
        self._ending = True
        self._present_ends.set()

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            await self._reload()

    async def _reload(self) -> None:
        """Take the configuration file as it is now, or keep what works.

        Read beside the unit at work: it takes seconds, for a voice model is read to its end, or hangs with the disk.
        """
        try:
            plan = await apart(
                lambda: _Plan.of(self._config_file, judge_files=True), name="configuration", within_s=READ_WITHIN_S
            )
        except Exception as unusable:  # noqa: BLE001 - whatever is wrong with it, the unit goes on
            self._refuse(unusable)
            return
        log.info("configuration_taken", file=str(self._config_file))
        self._manager.reloading()
        self._plan = plan
        self._present_ends.set()

    def _refuse(self, why: Exception) -> None:
        match why:
            case ConfigInvalid() | KitUnusable() | EndpointInvalid():
                problems = str(why).splitlines()
            case TimeoutError():
                problems = [f"{self._config_file}, or what it names, was not read in time: the disk hangs"]
            case _:
                log.error("configuration_not_judged", exc_info=why)
                problems = [f"{self._config_file} cannot be judged: {why!r}"]
        for problem in problems:
            log.warning("configuration_refused", problem=problem)
        self._manager.status("The new configuration has errors; the one before is still in force.")


@dataclass(frozen=True)
class _Plan:
    """What a unit is built from, read as a whole or not at all."""

    config: Config
    kit: Kit
    endpoint: Endpoint
    alternate: Endpoint | None
    """The second way to the control room."""
    credentials: Credentials | None
    """With which it shows who it is; None: no TLS, on a bench."""

    @classmethod
    def of(cls, config_file: Path, *, judge_files: bool) -> Self:
        config = filming(load_config(config_file, judge_files=judge_files).config)
        kit = load_kit(config.hardware.kit, config.hardware.options)
        credentials = Credentials.of(config, SystemClock())
        tls = None if credentials is None else credentials.tls
        endpoint, alternate = Endpoint.from_settings(config.uplink, tls), Endpoint.alternate(config.uplink, tls)
        return cls(config, kit, endpoint, alternate, credentials)

    def unit(self, manager: ServiceManager) -> Unit:
        """A unit built from it."""
        return Unit(
            self.config,
            self.kit,
            self.endpoint,
            SystemClock(),
            manager,
            alternate=self.alternate,
            credentials=self.credentials,
        )


def run(config_file: Path) -> int:
    """Be the unit that this file describes; returns the exit code.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        KitUnusable: there is no such hardware kit, or not with these options.
        EndpointInvalid: a certificate or key is of no use.
    """
    journal.set_up()
    leave_no_core()
    sys.setswitchinterval(THREAD_SWITCH_S)
    daemon = Daemon(config_file)
    with journal.apart():
        asyncio.run(daemon.run())
    return 0
