"""`safepoint fleet`: many simulated units on a broker, to find out what it carries."""

from __future__ import annotations

import asyncio
import json
import random
import re
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from agent.cli.main import Subparsers
    from agent.fleet.receiver import FleetReceiver
    from agent.fleet.tally import Tally
    from agent.uplink.endpoint import Endpoint

DESCRIPTION = """\
Simulate units to size a broker and a control room: each has its own connection, birth, last will and heartbeat, and now
and then raises a test alert, which it sends again until a receiver acknowledges it. Units are called fleet-00001 and
on. It ends after --seconds or with ^C, waits for the acknowledgements that are missing, and exits with 1 if some never
came. Files may contain {unit}, which becomes the unit's name, as brokers want that bind topics to certificates.
"""
FILES_EACH, FILES_ELSE = 3, 100
"""File descriptors of a unit's connection (its socket and paho's pair), and of everything else."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_ORG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LOST = 1
"""Exit code: an alert was raised that no receiver acknowledged."""


def add(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("fleet", help="simulate many units, to size a broker", description=DESCRIPTION)
    argument = parser.add_argument
    argument("--units", metavar="N", type=int, required=True, help="how many")
    argument(
        "--broker",
        metavar="URL",
        action="append",
        required=True,
        help="mqtts://host:8883; given twice, each unit is on both, and alerts go over them in turn",
    )
    argument("--ca", metavar="FILE", type=Path, help="the authority that signed the broker's certificate")
    argument("--cert", metavar="FILE", help="the units' certificate, for example certs/{unit}.crt")
    argument("--key", metavar="FILE", help="its private key")
    argument("--insecure-lab", action="store_true", help="allow mqtt:// without TLS, to a broker on this machine")
    argument("--org", default="fleet", help="the organisation in their topics (fleet)")
    argument("--first", metavar="N", type=int, default=1, help="number of the first one: several processes share (1)")
    argument("--per-second", metavar="N", type=float, default=50.0, help="units switched on in a second (50)")
    argument("--alerts-per-minute", metavar="N", type=float, default=60.0, help="of the whole fleet (60)")
    argument("--heartbeat-s", metavar="S", type=float, default=25.0, help="between a unit's heartbeats (25)")
    argument("--seconds", metavar="S", type=float, help="how long (until ^C)")
    argument("--grace-s", metavar="S", type=float, default=120.0, help="to wait for missing acknowledgements (120)")
    argument("--report-s", metavar="S", type=float, default=5.0, help="between two lines of figures (5)")
    argument("--json", action="store_true", help="figures as JSON, one object a line")
    argument("--answer", action="store_true", help="be the control room's receiver too, on the last broker named")
    argument("--answer-name", metavar="NAME", default="fleet-receiver", help="its client id (fleet-receiver)")
    argument("--answer-cert", metavar="FILE", type=Path, help="its certificate")
    argument("--answer-key", metavar="FILE", type=Path, help="its private key")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Simulate until it is over; 1 when an alert was lost.

    Raises:
        UsageError: it cannot be done as given.
    """
    _check(args)
    _make_room(args.units * len(args.broker))
    return asyncio.run(_run(args))


def _check(args: argparse.Namespace) -> None:
    positive = {"--units": args.units, "--first": args.first, "--per-second": args.per_second}
    positive |= {"--report-s": args.report_s}
    for option, value in positive.items():
        if not value > 0:
            msg = f"{option} must be more than 0, and is {value:g}"
            raise UsageError(msg)
    from agent.config.sending import HEARTBEAT_S  # noqa: PLC0415 - heavy, and only this command needs it

    low, high = HEARTBEAT_S
    if not low <= args.heartbeat_s <= high:
        msg = f"--heartbeat-s must be from {low:g} to {high:g} as for every unit, and is {args.heartbeat_s:g}"
        raise UsageError(msg)
    for option, value in {"--alerts-per-minute": args.alerts_per_minute, "--grace-s": args.grace_s}.items():
        if not value >= 0:
            msg = f"{option} must not be less than 0, and is {value:g}"
            raise UsageError(msg)
    if not _ORG.fullmatch(args.org):
        msg = f"--org {args.org!r} is no organisation: lower case letters, digits and -"
        raise UsageError(msg)
    if any(url.startswith("mqtts:") for url in args.broker):
        if not (args.cert and args.key):
            msg = "mqtts:// needs the units' certificate: give --cert and --key (and --ca)"
            raise UsageError(msg)
        if args.answer and not (args.answer_cert and args.answer_key):
            msg = "--answer on mqtts:// needs the receiver's certificate: give --answer-cert and --answer-key"
            raise UsageError(msg)


def _make_room(connections: int) -> None:
    """Take as many file descriptors as this many connections need.

    Raises:
        UsageError: this machine does not give so many.
    """
    needed = connections * FILES_EACH + FILES_ELSE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (ValueError, OSError, OverflowError) as error:
        msg = f"{connections} connections need {needed} open files, this machine allows {hard}: raise `ulimit -n`"
        raise UsageError(msg) from error


async def _run(args: argparse.Namespace) -> int:
    import structlog  # noqa: PLC0415 - heavy, and only this command needs it

    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.fleet.fleet import Fleet  # noqa: PLC0415

    # Each link says when it comes and goes: thousands of lines that the figures sum up.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    clock = SystemClock()
    fleet = Fleet(
        args.units,
        args.org,
        _endpoints_of(args),
        clock,
        random.Random(),  # noqa: S311 - spreads load, guards nothing
        first=args.first,
        per_s=args.per_second,
        alerts_per_min=args.alerts_per_minute,
        heartbeat_s=args.heartbeat_s,
    )
    receiver = _receiver(args) if args.answer else None
    loop = asyncio.get_running_loop()
    for number in _ENDS:
        # Not asyncio's own way: its wake-up pipe is full, and the signal lost, when hundreds of handshakes end at once.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(fleet.stop))
    if args.seconds is not None:
        loop.call_later(args.seconds, fleet.stop)
    async with asyncio.TaskGroup() as work:
        reporting = work.create_task(_report(fleet.tally, args.report_s, as_json=args.json))
        if receiver is not None:
            work.create_task(receiver.run())
        await fleet.run(args.grace_s)
        if receiver is not None:
            await receiver.close()
        reporting.cancel()
    _print(fleet.tally, as_json=args.json)
    return LOST if fleet.tally.waiting else 0


def _endpoints_of(args: argparse.Namespace) -> Callable[[str], Sequence[Endpoint]]:
    """How the unit of a name reaches the brokers; one certificate for all is read once.

    Raises:
        UsageError: it cannot.
    """
    own = any("{unit}" in (file or "") for file in (args.cert, args.key))
    from agent.fleet.fleet import unit_id  # noqa: PLC0415 - heavy, and only this command needs it

    def build(unit: str) -> tuple[Endpoint, ...]:
        cert, key = (None if file is None else Path(file.replace("{unit}", unit)) for file in (args.cert, args.key))
        return tuple(_endpoint(url, args, cert, key) for url in args.broker)

    first = build(unit_id(args.first))
    return build if own else lambda _unit: first


def _endpoint(url: str, args: argparse.Namespace, cert: Path | None, key: Path | None) -> Endpoint:
    from agent.uplink.endpoint import Endpoint  # noqa: PLC0415
    from agent.uplink.tls import EndpointInvalid  # noqa: PLC0415

    try:
        endpoint = Endpoint.build(url, ca_file=args.ca, cert_file=cert, key_file=key, insecure_lab=args.insecure_lab)
    except EndpointInvalid as error:
        raise UsageError(str(error)) from error
    if endpoint.tls is None and endpoint.host not in LOOPBACK:
        msg = f"{url} is without TLS and not on this machine: use mqtts://, or a broker on localhost"
        raise UsageError(msg)
    return endpoint


def _receiver(args: argparse.Namespace) -> FleetReceiver:
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.fleet.receiver import FleetReceiver  # noqa: PLC0415

    endpoint = _endpoint(args.broker[-1], args, args.answer_cert, args.answer_key)
    return FleetReceiver(endpoint, args.answer_name, args.org, SystemClock())


async def _report(tally: Tally, every_s: float, *, as_json: bool) -> None:
    while True:
        await asyncio.sleep(every_s)
        _print(tally, as_json=as_json)


def _print(tally: Tally, *, as_json: bool) -> None:
    facts: dict[str, Any] = tally.facts()
    if as_json:
        line = json.dumps(facts)
    else:
        times = f"receiver's ack p50 {facts['ackP50Ms']} ms, p99 {facts['ackP99Ms']} ms, max {facts['ackMaxMs']} ms"
        line = (
            f"{tally.connected} links up, {tally.lost} lost; {tally.heartbeats} heartbeats; "
            f"alerts: {tally.raised} raised, "
            f"{tally.acknowledged} acknowledged, {tally.waiting} waiting, {tally.sent} sent; {tally.refused} refused"
            f"{'; ' + times if tally.took_s else ''}"
        )
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
