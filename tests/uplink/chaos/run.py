"""A thousand alerts through two hundred faults of the network and twenty kills of agent and broker, and the count."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agent.clock import SystemClock
from agent.control_room.room import ControlRoom
from agent.uplink.endpoint import Endpoint
from fakes.authority import Authority
from fakes.broker import Broker
from tests.uplink.chaos.agent_alone import FINISHED, REVISIONS, STEPS, alert_id_of
from tests.uplink.chaos.faults import ALWAYS, FIRST
from tests.uplink.chaos.rough_network import CALM, End, RoughNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

REPORT_EVERY: Final = 20
LOOK_S: Final = 0.05
PACE_S: Final = 0.02
"""Between two things that happen to the unit."""
FAULT_LASTS_S: Final = 1.0
END_WITHIN_S: Final = 900.0
LIMIT_S: Final = 60.0


@dataclass
class Verdict:
    """What came of it."""

    faults: int = 0
    agent_kills: int = 0
    broker_kills: int = 0
    raised: int = 0
    sent: int = 0
    """Publications of the agent's last life."""
    incidents: int = 0
    revisions: int = 0
    repeated: int = 0
    """Messages that came again and made nothing new."""
    lost: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    """Incidents that nobody raised: a duplicate under another name."""
    out_of_order: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether nothing was lost, doubled or mixed up."""
        return not (self.lost or self.foreign or self.out_of_order)


class Agent:
    """The agent's process, in its lives."""

    def __init__(self, folder: Path, port: int, incidents: int, pace_s: float) -> None:
        self.folder = folder
        self._arguments = (str(folder), str(port), str(incidents), str(pace_s))
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Begin a life."""
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.uplink.chaos.agent_alone", *self._arguments, stdout=log, stderr=log
            )

    async def kill(self) -> None:
        """SIGKILL, unless it has finished."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def finished(self) -> bool:
        """Whether everything is raised and delivered."""
        return (self.folder / FINISHED).exists()

    @property
    def steps(self) -> int:
        """How many revisions it has raised for certain."""
        log = self.folder / STEPS
        return log.stat().st_size if log.exists() else 0

    async def ended(self, within_s: float) -> None:
        """Wait for its end.

        Raises:
            TimeoutError: it did not end.
            RuntimeError: it failed.
        """
        if self._process is None:
            return
        async with asyncio.timeout(within_s):
            status = await self._process.wait()
        if status:
            msg = f"the agent failed: see {self.folder / 'log'}"
            raise RuntimeError(msg)


class Storm:
    """Does one bad thing after the other."""

    def __init__(self, rng: random.Random, network: RoughNetwork, broker: Broker, agent: Agent) -> None:
        self._rng = rng
        self._network = network
        self._broker = broker
        self._agent = agent
        self.verdict = Verdict()

    async def fault(self) -> None:
        """The network does something."""
        rng, network = self._rng, self._network
        kind = rng.choice(["strike", "strike", "stall", "always", "first", "first"])
        match kind:
            case "strike":
                network.strike(rng.choice([*End]))
            case "stall":
                network.stall(rng.uniform(0.2, 2.5))
            case "always":
                network.always = rng.choice([*ALWAYS.values()])
                network.strike(End.RESET)
            case _:
                network.next_connections(*rng.choices([*FIRST.values()], k=rng.randint(1, 2)))
                network.strike(End.RESET)
        self.verdict.faults += 1
        await asyncio.sleep(rng.uniform(0, 2 * FAULT_LASTS_S))  # how long it lasts, not a wait for anything
        network.always = CALM

    async def kill(self) -> None:
        """Agent or broker dies and comes back."""
        if self._rng.random() < 0.5:
            await self._agent.kill()
            await self._agent.start()
            self.verdict.agent_kills += 1
        else:
            await self._broker.kill()
            await asyncio.sleep(self._rng.uniform(0, FAULT_LASTS_S))  # how long it is away
            await self._broker.start()
            self.verdict.broker_kills += 1


async def chaos(  # noqa: PLR0913 - the size of it
    folder: Path, *, incidents: int, faults: int, kills: int, seed: int, say: Callable[[str], None]
) -> Verdict:
    """Raise incidents under faults and kills, then let it calm down, and count.

    Raises:
        TimeoutError: what was raised was not delivered in the calm after the storm.
    """
    rng = random.Random(seed)
    broker = Broker(folder / "broker", Authority(folder / "authority"), plain=True)
    (folder / "agent").mkdir()
    async with broker, RoughNetwork(broker.plain_port or 0, reads_mqtt=True) as network:
        agent = Agent(folder / "agent", network.port, incidents, PACE_S)
        endpoint = Endpoint.build(f"mqtt://127.0.0.1:{broker.plain_port}", insecure_lab=True)
        async with ControlRoom(endpoint, "desk", SystemClock(), org="street", journal=folder / "journal") as room:
            await room.wait_for(lambda room: room.connected, LIMIT_S)
            await agent.start()
            try:
                storm = Storm(rng, network, broker, agent)
                deadly = set(rng.sample(range(faults), kills))
                for number in range(faults):
                    while agent.steps < number * incidents * REVISIONS // faults:  # noqa: ASYNC110 - it is another process
                        await asyncio.sleep(LOOK_S)
                    await storm.fault()
                    if number in deadly:
                        await storm.kill()
                    if number % REPORT_EVERY == 0:
                        say(
                            f"{number} faults: {agent.steps} revisions raised, {len(room.alerts)} incidents on the desk"
                        )
                network.next_connections()
                await agent.ended(END_WITHIN_S)
            finally:
                await agent.kill()
        return count(room, agent, incidents, storm.verdict, in_their_order(folder / "journal"))


def in_their_order(journal: Path) -> dict[str, list[int]]:
    """The revisions of each alert in the order in which they first came as themselves.

    A console that subscribes is first shown how each open alert stands: that retained copy is newer than the revisions
    that are still on their way, and rightly so.
    """
    came: dict[str, list[int]] = {}
    for line in journal.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        if "/alert/" in message["topic"]:
            data = message["payload"]["data"]
            revisions = came.setdefault(data["alertId"], [])
            if data["revision"] not in revisions:
                revisions.append(data["revision"])
    return came


def count(
    room: ControlRoom, agent: Agent, incidents: int, verdict: Verdict, in_order: Mapping[str, list[int]]
) -> Verdict:
    """Compare what is on the desk with what was raised."""
    wanted = {alert_id_of(number) for number in range(incidents)}
    verdict.raised = agent.steps
    verdict.sent = int((agent.folder / FINISHED).read_text(encoding="utf-8")) if agent.finished else 0
    verdict.incidents = len(room.alerts)
    verdict.repeated = room.desk.duplicates
    verdict.foreign = sorted({*room.alerts} - wanted)
    for alert_id in sorted(wanted):
        alert = room.alerts.get(alert_id)
        revisions = [] if alert is None else [arrival.revision for arrival in alert.arrivals]
        verdict.revisions += len(revisions)
        verdict.lost += [f"{alert_id}-r{revision}" for revision in range(1, REVISIONS + 1) if revision not in revisions]
        if (came := in_order.get(alert_id, [])) != [*range(1, REVISIONS + 1)]:
            verdict.out_of_order.append(f"{alert_id}: {came}")
    return verdict
