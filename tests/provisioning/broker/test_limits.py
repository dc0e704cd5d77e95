"""The limits of the broker that we tell people to run, made small: mosquitto keeps to them, and so do our clients."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from agent.control_room.sequence import SequenceWatch, Span
from agent.signals import Category
from agent.uplink.client_mark import ClientMark
from agent.uplink.endpoint import Endpoint
from agent.uplink.manners import Manners
from agent.uplink.publication import Publication, Subscription
from agent.uplink.topics import UnitTopics
from fakes.authority import Authority
from tests.provisioning.broker.rendered import CONSOLE, ORG, RenderedBroker
from tests.uplink.lab import Ear, files_of, linked, passing, until

if TYPE_CHECKING:
    from pathlib import Path

UNIT = UnitTopics(ORG, "unit-a")
FAR_TOO_LATE_S = 3600
"""What a client may ask for."""
MESSAGES = 200
KEPT = 50
LOST = b"lost"


def with_limit(broker: RenderedBroker, line: str, smaller: str) -> None:
    """Make one of the rendered limits so small that a story can reach it."""
    file = broker.folder / "mosquitto.conf"
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[lines.index(line)] = smaller
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


async def test_a_client_that_asks_to_be_missed_late_is_missed_by_the_brokers_limit_and_ours_keep_to_it(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path / "authority")
    broker = RenderedBroker(tmp_path / "broker", authority)
    with_limit(broker, "max_keepalive 60", "max_keepalive 10")
    theirs, ear = files_of(authority, "unit-a"), Ear()
    console = Endpoint.build(broker.url, **files_of(authority, CONSOLE))
    patient = passing(CONSOLE, (Subscription(UNIT.status),), keepalive_s=float(FAR_TOO_LATE_S))
    async with broker, linked(console, patient, on_message=ear) as link:
        unit = await asyncio.create_subprocess_exec(
            *("mosquitto_sub", "-V", "5", "-h", "localhost", "-p", str(broker.port), "-t", UNIT.ack, "-q", "1"),
            *(
                "-i",
                "a-unit",
                "-k",
                str(FAR_TOO_LATE_S),
                "--tls-version",
                "tlsv1.3",
                "--cafile",
                str(theirs["ca_file"]),
            ),
            *("--cert", str(theirs["cert_file"]), "--key", str(theirs["key_file"])),
            *("--will-topic", UNIT.status, "--will-payload", LOST.decode(), "--will-qos", "1"),
            stdout=subprocess.DEVNULL,
        )
        try:
            while (await link.publish(Publication(UNIT.ack, b"hello"))).nobody_listening:  # noqa: ASYNC110 - asks anew each time
                await asyncio.sleep(0.05)  # until it has subscribed
            unit.send_signal(signal.SIGSTOP)  # its connection stays open, and nothing comes
            await until(lambda: LOST in ear.payloads(), "it is missed")
        finally:
            unit.kill()
            await unit.wait()
        assert link.session == 1, "ours, which had asked for as much and was silent for longer, was never cut off"


@pytest.mark.parametrize(
    ("line", "smaller", "bytes_each"),
    [
        ("max_queued_messages 20000", f"max_queued_messages {KEPT}", 100),
        ("max_queued_bytes 67108864", f"max_queued_bytes {KEPT * 1000}", 1000),
    ],
)
async def test_beyond_the_queues_limit_a_console_that_was_away_has_the_oldest_and_a_gap_that_shows(
    tmp_path: Path, line: str, smaller: str, bytes_each: int
) -> None:
    authority = Authority(tmp_path / "authority")
    broker = RenderedBroker(tmp_path / "broker", authority)
    with_limit(broker, line, smaller)
    console, unit = (Endpoint.build(broker.url, **files_of(authority, name)) for name in (CONSOLE, "unit-a"))
    wanted = (Subscription(UNIT.alerts), Subscription(UNIT.heartbeat))
    manners, ear = Manners(CONSOLE, wanted, mark=ClientMark()), Ear()
    async with broker:
        async with linked(console, manners):
            pass
        async with linked(unit, passing("unit-a")) as link:
            for number in range(1, MESSAGES + 1):
                await link.publish(Publication(UNIT.alert(Category.NOISE), str(number).ljust(bytes_each).encode()))
            async with linked(console, manners, on_message=ear):
                # As a unit's heartbeat says which number it gave last: again and again, while the queue may be full.
                while not any(said.topic == UNIT.heartbeat for said in ear.heard):
                    await link.publish(Publication(UNIT.heartbeat, str(MESSAGES).encode()))
                    await asyncio.sleep(0.05)  # between two of them
    numbers = [int(said.payload) for said in ear.heard if said.topic != UNIT.heartbeat]
    assert numbers == [*range(1, len(numbers) + 1)], "what is kept is kept in order; what is beyond is dropped"
    assert KEPT // 2 <= len(numbers) <= 2 * KEPT
    watch = SequenceWatch()
    for number in numbers:
        watch.saw(number)
    watch.gave(MESSAGES)
    assert watch.missing == (Span(len(numbers) + 1, MESSAGES),)
