"""`./dev chaos`: storm, presses of a daemon, slow networks, a day without broker, wrong commands; some 25 min."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from agent import journal
from fakes.authority import Authority
from fakes.broker import Broker
from tests.uplink.chaos.commands import TOO_LARGE_BYTES, wrong_commands
from tests.uplink.chaos.drain import ACTIVE_EACH, day_without_broker
from tests.uplink.chaos.faults import SLOW
from tests.uplink.chaos.presses import presses
from tests.uplink.chaos.run import chaos
from tests.uplink.chaos.slow import BACKLOG, MAY_PRECEDE, help_over

OVERTAKES_WITHIN_S = 1.0
PARTS = STORM, SLOW_NETWORKS, DRAIN, COMMANDS = "storm", "slow", "drain", "commands"


def say(line: str) -> None:
    """Print now, also into a file."""
    print(line, flush=True)  # noqa: T201 - it is a command


async def storm(folder: Path, incidents: int, faults: int, kills: int, seed: int) -> bool:
    """The storm; whether nothing was lost, doubled or mixed up."""
    began_s = time.monotonic()
    verdict = await chaos(folder, incidents=incidents, faults=faults, kills=kills, seed=seed, say=say)
    say(
        f"storm (seed {seed}): {verdict.faults} faults, {verdict.agent_kills} kill -9 of the agent, "
        f"{verdict.broker_kills} of the broker in {time.monotonic() - began_s:.0f} s"
    )
    say(
        f"  raised {verdict.raised} revisions of {incidents} incidents; on the desk {verdict.revisions} of "
        f"{verdict.incidents}; {verdict.repeated} repetitions recognised"
    )
    say(
        f"  lost {len(verdict.lost)}, incidents nobody raised {len(verdict.foreign)} (under names that the storm gave: "
        f"whether a unit doubles its calls, the presses tell), out of order {len(verdict.out_of_order)}"
    )
    for what in (*verdict.lost, *verdict.foreign, *verdict.out_of_order):
        say(f"  ! {what}")
    return verdict.held


async def pressed(folder: Path, count: int, kills: int, seed: int) -> bool:
    """The presses; whether each made one call."""
    began_s = time.monotonic()
    seen = await presses(folder, count=count, kills=kills, seed=seed, say=say)
    say(
        f"presses (seed {seed}): {seen.pressed} at a daemon over TLS and two paths, {seen.broken} connections broken, "
        f"{seen.kills} kill -9 right after the press in {time.monotonic() - began_s:.0f} s"
    )
    say(f"  calls {len(seen.calls)}, presses with more than one {len(seen.doubled)}, with none {len(seen.lost)}")
    for what in (*seen.doubled, *(f"press {number} made no call" for number in seen.lost)):
        say(f"  ! {what}")
    return seen.held


async def slow(folder: Path) -> bool:
    """Help over slow networks; whether next to nothing of a backlog came before it."""
    held = True
    async with Broker(folder / "broker", Authority(folder / "authority"), plain=True) as broker:
        for name, fault in SLOW.items():
            result = await help_over(folder / name.replace(" ", "-"), broker.plain_port or 0, fault)
            say(
                f"help amid a backlog at {name}: on the desk after {result.call_s:.1f} s, behind {result.before_call} "
                f"of {BACKLOG} (at most {MAY_PRECEDE}), over connection {result.connections}"
            )
            held &= result.held
    return held


async def drain(folder: Path, events: int) -> bool:
    """The day without a broker; whether all came in its order and the new call overtook."""
    async with Broker(folder / "broker", Authority(folder / "authority"), plain=True) as broker:
        result = await day_without_broker(folder / "outbox", broker.plain_port or 0, events)
    in_order = [alert.alert_id for alert in result.events] == result.wanted
    say(
        f"a day without a broker: {result.stored} of {events} events stored, drained in {result.took_s:.1f} s, "
        f"one in {ACTIVE_EACH} of them still open and kept by the broker for late consoles"
    )
    say(f"  all of them, by importance and then by time: {'yes' if in_order else 'NO'}")
    say(f"  a new call in the middle: on the desk after {result.call_s * 1000:.0f} ms, behind {result.before_call}")
    first_ms, before = result.first_call_s * 1000, result.before_first_call
    say(f"  a new call just before the connection: on the desk {first_ms:.0f} ms after it, behind {before}")
    say(f"  events that gave way to it in a full outbox: {len(result.gave_way)}")
    in_time = max(result.call_s, result.first_call_s) < OVERTAKES_WITHIN_S
    return in_order and result.stored == events and in_time and not before and len(result.gave_way) <= 1


async def commands(folder: Path, count: int, seed: int) -> bool:
    """The wrong commands; whether all were refused and the unit is unharmed."""
    began_s = time.monotonic()
    seen = await wrong_commands(folder, count, seed, say)
    say(f"wrong commands (seed {seed}): {seen.sent} by mosquitto_pub in {time.monotonic() - began_s:.0f} s")
    told = ", ".join(f"{count} {status} ({code})" for (status, code), count in seen.answers.most_common())
    say(f"  answers: {told}; {seen.unexplained} without a reason")
    say(
        f"  one of {TOO_LARGE_BYTES} bytes, beyond what a unit has its broker let through: "
        f"{'the broker kept it to itself, neither answered nor audited' if seen.too_large_unheard else 'IT CAME'}"
    )
    say(f"  audited: {', '.join(f'{count} {what}' for what, count in seen.audited.most_common())}")
    say(f"  the lamp changed {seen.lamp_changed} times; a good command afterwards is done: {seen.obeys}")
    say(f"  a press in the middle: on the desk after {seen.call_s * 1000:.0f} ms")
    say(f"  the daemon: same process {seen.same_process}, {seen.rss_mb[-1]:.1f} MB, grew {seen.grew_mb:.1f} MB")
    return seen.held


def main(words: list[str]) -> int:
    """Run the parts; 1 when anything did not hold."""
    arguments = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    arguments.add_argument("part", nargs="?", choices=PARTS, help="only this part")
    arguments.add_argument("--incidents", type=int, default=1000, help="of three revisions each (1000)")
    arguments.add_argument("--faults", type=int, default=200, help="of the network (200)")
    arguments.add_argument("--kills", type=int, default=20, help="kill -9 of agent or broker (20)")
    arguments.add_argument("--presses", type=int, default=60, help="of a daemon's button, half with a kill -9 (60)")
    arguments.add_argument("--events", type=int, default=10_000, help="of the day without a broker (10000)")
    arguments.add_argument("--commands", type=int, default=10_000, help="wrong ones (10000)")
    arguments.add_argument("--seed", type=int, default=int(time.time()), help="repeats a storm's dice")
    given = arguments.parse_args(words)
    held = True
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        with (folder / "chaos.log").open("w", encoding="utf-8") as log_file:
            journal.set_up(log_file)
            if given.part in {None, STORM}:
                (folder / STORM).mkdir()
                held &= asyncio.run(storm(folder / STORM, given.incidents, given.faults, given.kills, given.seed))
                kills = (given.presses + 1) // 2
                held &= asyncio.run(pressed(folder / "press", given.presses, kills, given.seed))
            if given.part in {None, SLOW_NETWORKS}:
                (folder / SLOW_NETWORKS).mkdir()
                held &= asyncio.run(slow(folder / SLOW_NETWORKS))
            if given.part in {None, DRAIN}:
                (folder / DRAIN).mkdir()
                held &= asyncio.run(drain(folder / DRAIN, given.events))
            if given.part in {None, COMMANDS}:
                held &= asyncio.run(commands(folder / COMMANDS, given.commands, given.seed))
    say("it held" if held else "IT DID NOT HOLD")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
