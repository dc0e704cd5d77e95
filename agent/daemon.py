"""The daemon's life as a process: start, reload, orderly end."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import structlog

from agent import journal
from agent.clock import SystemClock
from agent.config.load import load_config
from agent.config.problems import ConfigInvalid
from agent.hw.kit import KitUnusable, load_kit
from agent.notify import ServiceManager
from agent.unit import Unit

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()

THREAD_SWITCH_S = 0.0005
"""Python lets a thread run for 5 ms while others wait. The link's and the disk's threads work in bursts of less than
that, and a help call must not wait for a turn (`./dev bench`: edge -> PUBACK)."""


class Daemon:
    """Runs one unit after the other: a reload ends the present one in order and begins the next.

    Open incidents live through that as they live through a restart: in the outbox's memory.
    """

    def __init__(self, config_file: Path) -> None:
        """A daemon for this unit.

        Raises:
            ConfigInvalid: the configuration cannot be used.
            KitUnusable: there is no such hardware kit, or not with these options.
        """
        self._config_file = config_file
        self._config = load_config(config_file).config
        self._kit = load_kit(self._config.hardware.kit, self._config.hardware.options)
        self._manager = ServiceManager.of_environment()
        self._ending = False
        self._present_ends = asyncio.Event()

    async def run(self) -> None:
        """Be the unit until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for stop in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        while not self._ending:
            self._present_ends.clear()
            await Unit(self._config, self._kit, SystemClock(), self._manager).run(self._present_ends)

    def _end(self) -> None:
        log.info("stop_requested")
        self._manager.stopping()
        self._ending = True
        self._present_ends.set()

    def _reload(self) -> None:
        """Take the configuration file as it is now, or keep what works."""
        try:
            config = load_config(self._config_file).config
            kit = load_kit(config.hardware.kit, config.hardware.options)
        except (ConfigInvalid, KitUnusable) as unusable:
            for problem in str(unusable).splitlines():
                log.warning("configuration_refused", problem=problem)
            self._manager.status("The new configuration has errors; the one before is still in force.")
            return
        if config == self._config:
            log.info("configuration_unchanged", file=str(self._config_file))
            return
        log.info("configuration_taken", file=str(self._config_file))
        self._manager.reloading()
        self._config, self._kit = config, kit
        self._present_ends.set()


def run(config_file: Path) -> int:
    """Be the unit that this file describes; returns the exit code.

    Raises:
        ConfigInvalid: the configuration cannot be used.
        KitUnusable: there is no such hardware kit, or not with these options.
    """
    journal.set_up()
    sys.setswitchinterval(THREAD_SWITCH_S)
    asyncio.run(Daemon(config_file).run())
    return 0
