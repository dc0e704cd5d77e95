"""`safepoint fleet` as processes of its own, and the newest figures of all of them together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING, Any, Self

from agent.fleet.fleet import unit_id
from tests.bench.processes import cpu_s, rss_mb
from tests.provisioning.broker.rendered import ORG

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from fakes.authority import Authority
    from tests.provisioning.broker.rendered import RenderedBroker

RECEIVER = "receiver"
REPORT_S = 0.25
ENDED_WITHIN_S = 300.0


class Simulators:
    """Some processes that share a fleet; the first is the control room's receiver too. `async with` runs them."""

    def __init__(  # noqa: PLR0913 - what a fleet is made of
        self,
        folder: Path,
        authority: Authority,
        brokers: Sequence[RenderedBroker],
        units: int,
        *,
        processes: int,
        per_s: float,
        alerts_per_min: float,
    ) -> None:
        """Make the units' certificates; nobody runs yet."""
        for number in range(1, units + 1):
            authority.issue_client(unit_id(number))
        receiver = authority.issue_client(RECEIVER)
        self.links = units * len(brokers)
        """Connections when all are there."""
        self._folder = folder
        self._latest: list[dict[str, Any]] = [{} for _ in range(processes)]
        self._children: list[asyncio.subprocess.Process] = []
        self._readers: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        certificates = authority.ca_file.parent
        self._commands = []
        for index in range(processes):
            first = 1 + index * units // processes
            command = ["--units", str((index + 1) * units // processes + 1 - first), "--first", str(first)]
            for broker in brokers:
                command += ["--broker", broker.url]
            command += ["--org", ORG, "--json", "--report-s", str(REPORT_S)]
            command += ["--ca", str(authority.ca_file)]
            command += ["--cert", f"{certificates}/{{unit}}.crt", "--key", f"{certificates}/{{unit}}.key"]
            command += ["--per-second", str(per_s / processes), "--alerts-per-minute", str(alerts_per_min / processes)]
            if index == 0:
                command += ["--answer", "--answer-name", RECEIVER]
                command += ["--answer-cert", str(receiver.cert_file), "--answer-key", str(receiver.key_file)]
            self._commands.append(command)

    async def __aenter__(self) -> Self:
        for index, command in enumerate(self._commands):
            with (self._folder / f"simulator-{index}.log").open("wb") as log:
                child = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "agent.cli.main", "fleet", *command),
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                )
            self._children.append(child)
            self._readers.append(asyncio.create_task(self._read(index, child)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        await asyncio.gather(*self._readers)

    async def stop(self) -> list[int]:
        """Let them wait for the last acknowledgements and leave; returns their exit codes."""
        for child in self._children:
            child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(ENDED_WITHIN_S):
            codes = [await child.wait() for child in self._children]
        await asyncio.gather(*self._readers)
        return codes

    def total(self, name: str) -> int:
        """A count of all processes together."""
        return sum(facts.get(name, 0) for facts in self._latest)

    def worst(self, name: str) -> float:
        """The largest figure of any process."""
        return max((facts.get(name) or 0.0 for facts in self._latest), default=0.0)

    def cpu_s(self) -> float:
        """CPU time of all of them so far."""
        return sum(cpu_s(child.pid) for child in self._children)

    def rss_mb(self) -> float:
        """Memory of all of them."""
        return sum(rss_mb(child.pid) for child in self._children)

    async def until(self, holds: Callable[[], bool], within_s: float) -> float:
        """Wait until new figures fulfil this; returns the seconds that it took.

        Raises:
            TimeoutError: they never did.
            RuntimeError: a simulator ended.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with asyncio.timeout(within_s):
            while not holds():
                self._news.clear()
                await self._news.wait()
                if any(child.returncode is not None for child in self._children):
                    msg = f"a simulator ended, see {self._folder}/simulator-*.log"
                    raise RuntimeError(msg)
        return loop.time() - began_s

    async def _read(self, index: int, child: asyncio.subprocess.Process) -> None:
        if child.stdout is None:
            return
        async for line in child.stdout:
            self._latest[index] = json.loads(line)
            self._news.set()
        self._news.set()
