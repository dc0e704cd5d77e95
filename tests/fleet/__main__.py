"""`./dev fleet`: what one broker of provisioning/broker carries, and what is lost when it, or one of two, is killed.

Every unit has its own certificate, TLS 1.3 and a heartbeat each 25 s; the fleet raises test alerts all the time, the
broker's death included. Simulators, receiver and broker share this machine: a broker alone on a server does better.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fakes.authority import Authority
from tests.bench.figures import Row
from tests.bench.processes import cpu_s, rss_mb
from tests.fleet.simulators import RECEIVER, Simulators
from tests.provisioning.broker.rendered import RenderedBroker

ARRIVED_WITHIN_S = 1200.0
BACK_WITHIN_S = 300.0
"""A machine that is too slow for its own fleet loses units as fast as they come back: that is said then."""
HALF, NEARLY_ALL = 0.5, 0.99
WIDTH = 150


async def one_broker(folder: Path, args: argparse.Namespace) -> tuple[list[Row], list[str]]:
    """All units on one broker; it is killed in the middle. What was measured, and what must not be and is."""
    authority = Authority(folder / "authority")
    broker = RenderedBroker(folder / "broker", authority, "--units", args.units, "--console", RECEIVER)
    simulators = _simulators(folder, authority, [broker], args, args.units)
    rows = []
    async with broker, simulators:
        empty_mb = rss_mb(broker.pid)
        took_s = await simulators.until(lambda: simulators.total("connected") == simulators.links, ARRIVED_WITHIN_S)
        spent_s = cpu_s(broker.pid)
        rows.append(
            Row(
                f"{args.units} units come, {args.per_second:g} a second",
                f"{took_s:.0f} s, broker {spent_s:.1f} CPU-s ({1000 * spent_s / args.units:.1f} ms a unit)",
            )
        )
        rows += await _steady(simulators, broker, args)
        mb = rss_mb(broker.pid)
        rows.append(
            Row("broker's memory", f"{mb:.0f} MB ({1024 * (mb - empty_mb) / args.units:.0f} kB a unit)"),
        )
        rows.append(Row("what it saves each time", f"{len(broker.stored()) / 1e6:.1f} MB"))
        mb = simulators.rss_mb()
        rows.append(Row("simulators' memory", f"{mb:.0f} MB ({1024 * mb / args.units:.0f} kB a unit)"))
        rows += await _killed(simulators, broker, args)
        end, broken = await _end(simulators)
    return rows + end, broken


async def two_brokers(folder: Path, args: argparse.Namespace) -> tuple[list[Row], list[str]]:
    """Half as many units, each on both of two joined brokers, the receiver on the second; the first is killed.

    What was measured, and what must not be and is.
    """
    units = max(1, args.units // 2)
    authority = Authority(folder / "authority")
    common = ("--units", units, "--console", RECEIVER)
    second = RenderedBroker(folder / "second", authority, *common, "--peer", "first")
    bridge = authority.issue_client("first")
    joined = ("--bridge", f"localhost:{second.port}", "--bridge-name", "first")
    files = ("--bridge-cert", bridge.cert_file, "--bridge-key", bridge.key_file)
    first = RenderedBroker(folder / "first", authority, *common, *joined, *files)
    simulators = _simulators(folder, authority, [first, second], args, units)
    rows = []
    async with second, first, simulators:
        await simulators.until(lambda: _are_there(simulators, simulators.links), ARRIVED_WITHIN_S)
        rows += await _steady(simulators, first, args, f"two joined brokers, {units} units on both: ")
        before = simulators.total("alertsAcknowledged")
        await first.end(signal.SIGKILL)
        took_s = await simulators.until(lambda: simulators.total("connected") <= units, ARRIVED_WITHIN_S)
        rows.append(Row("the first is killed: all units know", f"{took_s:.1f} s"))
        count = before + round(args.alerts_per_minute / 6)
        took_s = await simulators.until(lambda: simulators.total("alertsAcknowledged") >= count, ARRIVED_WITHIN_S)
        rows.append(Row(f"{count - before} alerts acknowledged over the other", f"{took_s:.1f} s"))
        await first.start()
        back = await _times_back(simulators, simulators.links)
        rows.append(Row("the first is back: half, 99 %, all links are up again", ", ".join(back)))
        end, broken = await _end(simulators)
    return rows + end, broken


def _simulators(
    folder: Path, authority: Authority, brokers: list[RenderedBroker], args: argparse.Namespace, units: int
) -> Simulators:
    return Simulators(
        folder,
        authority,
        brokers,
        units,
        processes=args.processes,
        per_s=args.per_second,
        alerts_per_min=args.alerts_per_minute,
    )


async def _steady(
    simulators: Simulators, broker: RenderedBroker, args: argparse.Namespace, where: str = ""
) -> list[Row]:
    """Everybody is there, and nothing happens but life."""
    loop = asyncio.get_running_loop()
    names = ("heartbeats", "alertsAcknowledged")
    began_s, spent_s, simulated_s = loop.time(), cpu_s(broker.pid), simulators.cpu_s()
    before = {name: simulators.total(name) for name in names}
    await asyncio.sleep(args.steady_s)  # what is measured is a stretch of time
    took_s = loop.time() - began_s
    rate = {name: (simulators.total(name) - before[name]) / took_s for name in names}
    spent_s, simulated_s = cpu_s(broker.pid) - spent_s, simulators.cpu_s() - simulated_s
    return [
        Row(
            f"{where}life, {took_s:.0f} s",
            f"{rate['heartbeats']:.0f} heartbeats, {rate['alertsAcknowledged']:.1f} acknowledged alerts a second; "
            f"broker {100 * spent_s / took_s:.1f} %, simulators {100 * simulated_s / took_s:.0f} % of a core",
        ),
        Row(
            f"{where}alert -> receiver's ack at the unit, worst process",
            f"p50 {simulators.worst('ackP50Ms'):.0f} ms, p99 {simulators.worst('ackP99Ms'):.0f} ms",
        ),
    ]


async def _killed(simulators: Simulators, broker: RenderedBroker, args: argparse.Namespace) -> list[Row]:
    """The broker dies, and comes back as soon as its service manager would start it."""
    await broker.end(signal.SIGKILL)
    gone_s = await simulators.until(lambda: simulators.total("connected") == 0, ARRIVED_WITHIN_S)
    await broker.start()
    back = await _times_back(simulators, args.units)
    return [
        Row("broker killed (-9): all units know", f"{gone_s:.1f} s"),
        Row(
            "... and back: half, 99 %, all units are connected again",
            f"{', '.join(back)} (broker {cpu_s(broker.pid):.0f} CPU-s)",
        ),
    ]


async def _times_back(simulators: Simulators, links: int) -> list[str]:
    """How long it takes until half, nearly all and all links are up."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    times = []
    for share in (HALF, NEARLY_ALL, 1.0):
        try:
            await simulators.until(partial(_are_there, simulators, share * links), BACK_WITHIN_S)
        except TimeoutError:
            times.append(f"not in {loop.time() - began_s:.0f} s ({simulators.total('connected')} of {links})")
        else:
            times.append(f"{loop.time() - began_s:.0f} s")
    return times


def _are_there(simulators: Simulators, links: float) -> bool:
    return simulators.total("connected") >= links


async def _end(simulators: Simulators) -> tuple[list[Row], list[str]]:
    codes = await simulators.stop()
    raised, waiting = simulators.total("alertsRaised"), simulators.total("alertsWaiting")
    refused = simulators.total("refused")
    rows = [
        Row(f"alerts lost, of {raised} raised ({simulators.total('alertsSent')} sent)", f"{waiting}", "0"),
        Row("slowest of them, the broker's death included", f"{simulators.worst('ackMaxMs') / 1000:.0f} s"),
        Row("refused messages; simulators' exit codes", f"{refused}; {codes}", "0"),
    ]
    judged = {
        "no alert was raised": raised == 0,
        f"{waiting} alerts were lost": waiting > 0,
        f"{refused} messages were refused": refused > 0,
        f"the simulators ended with {codes}": any(codes),
    }
    return rows, [what for what, is_so in judged.items() if is_so]


async def _run(args: argparse.Namespace, folder: Path) -> tuple[list[Row], list[str]]:
    rows, broken = [], []
    for name, part in (("one", one_broker), ("two", two_brokers)):
        if args.part in (None, name):
            measured, wrong = await part(folder / name, args)
            rows += measured
            broken += [f"{name}: {each}" for each in wrong]
    return rows, broken


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="./dev fleet", description=__doc__)
    parser.add_argument("part", nargs="?", choices=("one", "two"), help="only this part: one broker, or two joined")
    parser.add_argument("--units", type=int, default=5000)
    parser.add_argument("--processes", type=int, default=2, help="that the units are shared among (2)")
    parser.add_argument("--per-second", type=float, default=40.0, help="units that come in a second (40)")
    parser.add_argument("--alerts-per-minute", type=float, default=120.0, help="of the whole fleet (120)")
    parser.add_argument("--steady-s", type=float, default=60.0, help="how long life is watched (60)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fleet-") as name:
        found, missed = asyncio.run(_run(given, Path(name)))
    title = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table("measured here, now", "figure", "aim", title=title)
    for row in found:
        table.add_row(row.what, row.figure, row.aim)
    Console(width=WIDTH).print(table)
    if missed:
        sys.exit(f"IT DID NOT HOLD: {'; '.join(missed)}")
