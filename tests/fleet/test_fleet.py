"""`safepoint fleet` at work: nothing is lost, what is lost shows, and bad input gets one sentence."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from agent.cli.main import EXIT_BAD_INPUT, main
from agent.clock import SystemClock
from agent.fleet.fleet import Fleet, unit_id
from agent.fleet.receiver import FleetReceiver
from agent.signals import AckLevel
from agent.uplink import messages
from agent.uplink.endpoint import Endpoint
from agent.uplink.manners import Manners
from agent.uplink.publication import Subscription
from agent.uplink.topics import UnitTopics
from fakes.authority import Authority
from fakes.broker import CONTROL_ROOM, Broker
from tests.uplink.contract import Contract
from tests.uplink.lab import Ear, files_of, linked, until

if TYPE_CHECKING:
    from pathlib import Path

ORG = "street"
EVERYTHING = (Subscription(f"safepoint/v1/{ORG}/+/#", retain_as_published=True),)


async def test_a_fleet_lives_through_its_brokers_death_and_keeps_the_contract(tmp_path: Path) -> None:
    authority, contract, ear = Authority(tmp_path / "authority"), Contract(), Ear()
    units = {unit_id(number): files_of(authority, unit_id(number)) for number in range(1, 6)}
    theirs = files_of(authority, CONTROL_ROOM)
    async with Broker(tmp_path / "broker", authority, org=ORG) as broker:
        there = Endpoint.build(broker.url, **theirs)
        receiver = FleetReceiver(there, "receiver", ORG, SystemClock())
        fleet = Fleet(
            len(units),
            ORG,
            lambda unit: [Endpoint.build(broker.url, **units[unit])],
            SystemClock(),
            random.Random(2),
            per_s=50,
            alerts_per_min=1200,
            heartbeat_s=5.0,
        )
        tally = fleet.tally
        async with linked(there, Manners("ear", EVERYTHING, session_expiry_s=0), on_message=ear):
            running = asyncio.gather(receiver.run(), fleet.run(60.0))
            await until(lambda: tally.connected == len(units), "all units are there")
            await until(lambda: tally.acknowledged >= 10, "alerts are acknowledged")
            await broker.kill()
            await until(lambda: tally.lost == len(units), "all units know")
            raised = tally.raised
            await until(lambda: tally.raised >= raised + 5, "alerts are raised though nobody hears them")
            await broker.start()
            await until(lambda: tally.connected == len(units), "all units are back")
            fleet.stop()
            await until(lambda: not tally.waiting, "no alert is lost")
            await receiver.close()
            await running
            await until(
                lambda: sum(b'"stopped"' in said.payload for said in ear.heard) == len(units), "all say good-bye"
            )
    heard = {contract.judge(said).name for said in ear.heard if said.payload}
    assert heard >= {"status", "heartbeat", "alert", "ack"}
    assert tally.refused == 0


async def test_only_a_word_about_the_very_revision_ends_the_waiting(tmp_path: Path) -> None:
    authority, ear = Authority(tmp_path / "authority"), Ear()
    unit, theirs = files_of(authority, unit_id(1)), files_of(authority, CONTROL_ROOM)
    topics = UnitTopics(ORG, unit_id(1))
    async with Broker(tmp_path / "broker", authority, org=ORG) as broker:
        there = Endpoint.build(broker.url, **unit)
        rng = random.Random(2)
        fleet = Fleet(1, ORG, lambda _: [there], SystemClock(), rng, per_s=50, alerts_per_min=1200, heartbeat_s=5.0)
        manners = Manners("desk", (Subscription(topics.alerts),), session_expiry_s=0)
        async with linked(Endpoint.build(broker.url, **theirs), manners, on_message=ear) as desk:
            running = asyncio.create_task(fleet.run(0.0))
            await until(lambda: len(_alerts_in(ear)) >= 2, "two alerts come")
            first, other = _alerts_in(ear)[:2]
            for alert_id, revision in ((first, 2), (other, 1)):
                now = SystemClock().now().wall
                word = messages.acknowledgement(
                    topics, CONTROL_ROOM, now, alert_id=alert_id, revision=revision, level=AckLevel.RECEIVER
                )
                await desk.publish(word.publication())
            await until(lambda: fleet.tally.acknowledged, "the second word is about what the unit said")
            assert fleet.tally.acknowledged == 1, "the first was about a revision that there is not"
            fleet.stop()
            await running


def _alerts_in(ear: Ear) -> list[str]:
    """The ids of what was heard, in order."""
    return list(dict.fromkeys(json.loads(said)["data"]["alertId"] for said in ear.payloads()))


@pytest.fixture
def lab_broker(tmp_path: Path) -> Any:  # noqa: ANN401 - a generator's value
    """A broker that also listens without TLS."""
    broker = Broker(tmp_path / "broker", Authority(tmp_path / "authority"), org="fleet", plain=True)
    asyncio.run(broker.start())
    yield broker
    asyncio.run(broker.stop())


def _fleet(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent.cli.main", "fleet", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("receiver", "code"), [(("--answer", "--grace-s", "60"), 0), (("--grace-s", "0"), 1)], ids=["answered", "unheard"]
)
def test_the_command_counts_and_says_by_its_exit_code_whether_an_alert_was_lost(
    lab_broker: Broker, receiver: tuple[str, ...], code: int
) -> None:
    ended = _fleet(
        *("--units", "3", "--broker", str(lab_broker.plain_url), "--insecure-lab", "--per-second", "100"),
        *("--alerts-per-minute", "1200", "--seconds", "3", "--json", "--heartbeat-s", "5"),
        *receiver,
    )
    assert ended.stderr == ""
    figures = json.loads(ended.stdout.splitlines()[-1])
    assert ended.returncode == code
    assert figures["alertsRaised"] > 0
    assert figures["alertsWaiting"] == (code and figures["alertsRaised"])
    assert figures["refused"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--broker", "mqtt://localhost"), "without TLS"),
        (("--broker", "mqtt://example.org", "--insecure-lab"), "not on this machine"),
        (("--broker", "mqtts://localhost"), "give --cert and --key"),
        (("--broker", "mqtts://localhost", "--cert", "/no/{unit}", "--key", "/no"), "/no/fleet-00001 cannot be read"),
        (("--broker", "mqtt://localhost", "--insecure-lab", "--units", "0"), "--units must be more than 0"),
        (("--broker", "mqtt://localhost", "--insecure-lab", "--units", "2000000000"), "ulimit -n"),
        (("--broker", "mqtt://localhost", "--insecure-lab", "--org", "A B"), "no organisation"),
        (("--broker", "here", "--insecure-lab"), "is not a URL"),
    ],
)
def test_bad_input_gets_one_sentence(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", "--units", "2", *arguments]) == EXIT_BAD_INPUT
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
