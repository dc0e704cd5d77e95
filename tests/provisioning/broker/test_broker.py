"""The broker that we tell people to run, run as we tell them: who may do what, and what is left after kill -9."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.commands.audit import Audit
from agent.commands.file import CommandFile
from agent.commands.office import Office
from agent.config.commanding import CommandSettings, MemberSettings
from agent.config.settings import Config, UnitSettings, UplinkSettings
from agent.fleet.fleet import Fleet, unit_id
from agent.fleet.receiver import FleetReceiver
from agent.signals import Answer, AnswerCommand, Category, Command, CommandName, Why
from agent.uplink import messages
from agent.uplink.client_mark import ClientMark
from agent.uplink.endpoint import Endpoint
from agent.uplink.inbox import Commanded, Inbox, Refusal
from agent.uplink.manners import Manners
from agent.uplink.paths import PRIMARY, Paths, alarm_manners
from agent.uplink.publication import Publication, PublishRefused, Subscription
from agent.uplink.topics import ROOT, UnitTopics
from fakes.authority import Authority
from fakes.broker import CONTROL_ROOM, READY_WITHIN_S, VIDEO_SYSTEM, Broker
from tests.provisioning.broker.rendered import CONSOLE, LOOPBACK, ORG, RenderedBroker, render
from tests.uplink.contract import Contract
from tests.uplink.lab import Ear, files_of, linked, running, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.uplink.link import Link
    from agent.uplink.messages import Message
    from agent.uplink.publication import Received

RECEIVER = "recorder-1"
SUPERVISOR = "supervisor-desk"
UNIT_A, UNIT_B = UnitTopics(ORG, "unit-a"), UnitTopics(ORG, "unit-b")
EVERYTHING = (Subscription(f"{ROOT}/{ORG}/+/#"),)


@dataclass
class Site:
    """A rendered broker, and certificates for it."""

    broker: RenderedBroker
    authority: Authority
    marks: dict[str, ClientMark] = field(default_factory=dict)
    """Of everybody who was ever connected: he comes again as the same client."""

    def endpoint(self, name: str) -> Endpoint:
        """The way to it for somebody whose certificate has this name."""
        return Endpoint.build(self.broker.url, **files_of(self.authority, name))

    @asynccontextmanager
    async def connected(self, name: str, *subscriptions: Subscription, ear: Ear | None = None) -> AsyncIterator[Link]:
        """Somebody who is connected, and whose queue is kept while he is away."""
        manners = Manners(name, subscriptions, mark=self.marks.setdefault(name, ClientMark()))
        async with linked(self.endpoint(name), manners, on_message=ear or Ear()) as link:
            yield link


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A broker that is not started yet."""
    authority = Authority(tmp_path / "authority")
    others = ("--receiver", RECEIVER, "--vms", VIDEO_SYSTEM)
    return Site(RenderedBroker(tmp_path / "broker", authority, *others), authority)


async def _refused(link: Link, topic: str) -> bool:
    try:
        await link.publish(Publication(topic, b"{}"))
    except PublishRefused as refusal:
        return refusal.code == 135
    return False


async def test_a_unit_writes_below_its_own_name_only_and_a_console_never_speaks_for_a_unit(site: Site) -> None:
    async with site.broker, site.connected("unit-a") as unit, site.connected(CONSOLE) as console:
        for name in ("status", "heartbeat", "alert/help", "incident/inc-1", "rsp/desk", "onvif-ej/Device/Trigger"):
            assert not await _refused(unit, f"{UNIT_A.prefix}/{name}")
            assert await _refused(unit, f"{UNIT_B.prefix}/{name}")
            assert await _refused(console, f"{UNIT_A.prefix}/{name}")
        for name in ("ack", f"cmd/{CONSOLE}/set"):
            assert await _refused(unit, f"{UNIT_A.prefix}/{name}")
            assert not await _refused(console, f"{UNIT_A.prefix}/{name}")
        assert await _refused(unit, "anything/else")
        assert await _refused(console, f"{ROOT}/other-town/unit-a/cmd/{CONSOLE}/set")


async def test_there_is_one_way_in_and_it_is_the_one_with_tls(site: Site) -> None:
    async with site.broker:
        assert site.broker.listens_on() == {(LOOPBACK, site.broker.port)}


async def test_everybody_hears_what_is_meant_for_him_and_nothing_else(site: Site) -> None:
    ears = {name: Ear() for name in ("unit-a", CONSOLE, VIDEO_SYSTEM, "unit-b")}
    wanted = Subscription("#")
    async with (
        site.broker,
        site.connected("unit-a", wanted, ear=ears["unit-a"]) as unit,
        site.connected(CONSOLE, wanted, ear=ears[CONSOLE]) as console,
        site.connected(VIDEO_SYSTEM, wanted, ear=ears[VIDEO_SYSTEM]),
        site.connected("unit-b", wanted, ear=ears["unit-b"]),
    ):
        await unit.publish(Publication(UNIT_A.alert(Category.HELP), b"help"))
        await unit.publish(Publication(f"{UNIT_A.prefix}/onvif-ej/Device/Trigger/Relay", b"mirror"))
        await console.publish(Publication(UNIT_A.command(CONSOLE, "set"), b"set"))
        await console.publish(Publication(UNIT_A.ack, b"ack"))
        await until(lambda: ears["unit-a"].payloads() == [b"set", b"ack"], "the unit hears its command and its ack")
        await until(lambda: ears[CONSOLE].payloads() == [b"help", b"ack"], "the console hears the call and the ack")
        await until(lambda: ears[VIDEO_SYSTEM].payloads() == [b"mirror"], "the video system hears the mirror")
        assert ears["unit-b"].payloads() == []


class Guess(ClientMark):
    """Somebody who asks for the client id of another: all of it that he can know."""

    def on(self, name: str) -> str:
        return name


@pytest.mark.parametrize("victim", [CONSOLE, "unit-a"])
async def test_a_stolen_certificate_throws_nobody_out(site: Site, victim: str) -> None:
    lost: list[bool] = []
    async with (
        site.broker,
        linked(site.endpoint(victim), Manners(victim), on_change=lost.append) as link,
        linked(site.endpoint("unit-b"), Manners(victim, mark=Guess())) as thief,
    ):
        assert not await _refused(thief, UNIT_B.status)
        assert not await _refused(link, UNIT_A.ack if victim == CONSOLE else UNIT_A.status)
        assert lost == [True]
        assert link.session == 1


@pytest.mark.parametrize("name", [VIDEO_SYSTEM, CONSOLE, RECEIVER])
async def test_whoever_is_no_unit_cannot_play_one_below_his_own_name(site: Site, name: str) -> None:
    own = UnitTopics(ORG, name)
    async with site.broker, site.connected(name) as other, site.connected("unit-a") as unit:
        for said in ("alert/help", "status", "heartbeat", "incident/inc-1", "rsp/desk", "audit", "still/inc-1/strip"):
            assert await _refused(other, f"{own.prefix}/{said}")
            assert not await _refused(unit, f"{UNIT_A.prefix}/{said}")


async def test_a_receiver_acknowledges_and_commands_nobody(site: Site) -> None:
    async with site.broker, site.connected(RECEIVER) as receiver, site.connected(CONSOLE) as console:
        assert not await _refused(receiver, UNIT_A.ack)
        assert await _refused(receiver, UNIT_A.command(CONSOLE, "set"))
        assert await _refused(receiver, UNIT_A.command(RECEIVER, "set"))
        assert not await _refused(console, UNIT_A.command(CONSOLE, "set"))


def _command(console: str) -> Message:
    """It takes a role that `SUPERVISED` gives to the supervisor's console alone."""
    now = SystemClock().now().wall
    return messages.command(UNIT_A, console, now, CommandName.SET, operator_ref="sup-7")


SUPERVISED = CommandSettings(members={"supervisor": (MemberSettings(console=SUPERVISOR),)})


@asynccontextmanager
async def _commanded(site: Site, folder: Path) -> AsyncIterator[list[Command]]:
    """A unit that takes commands of its broker; yields what it does of them."""
    unit = UnitSettings(id="unit-a", org=ORG, name="Unit A", location="here")
    uplink = UplinkSettings(broker=site.broker.url, **files_of(site.authority, "unit-a"))
    config = Config(profile="safe-point", unit=unit, uplink=uplink, commands=SUPERVISED, state_folder=folder)
    clock, inbox, done, ready = SystemClock(), Inbox(unit), list[Command](), asyncio.Event()

    def take(received: Received) -> None:
        came = inbox.read(received, clock.now())
        assert isinstance(came, Commanded | Refusal)
        office.take(came)

    def begin(command: Command) -> None:
        done.append(command)
        office.answered(AnswerCommand(command.ref, Answer.DONE))

    paths = Paths({PRIMARY: site.endpoint("unit-a")}, alarm_manners(config, ClientMark()), on_message=take)
    office = Office(config, clock, paths, Audit(unit, CommandFile(folder), clock, paths, lambda _: None))
    office.employ({CommandName.SET: begin})
    at_work = asyncio.create_task(office.run(ready.set))
    try:
        await ready.wait()
        async with running(paths):
            async with asyncio.timeout(READY_WITHIN_S):
                await paths.up()
            yield done
    finally:
        at_work.cancel()
        await asyncio.gather(at_work, return_exceptions=True)
        await office.close()


async def test_a_console_commands_under_its_own_name_only_and_reads_its_own_answers_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    site = Site(RenderedBroker(tmp_path / "broker", authority, "--console", SUPERVISOR), authority)
    ears = {name: Ear() for name in (CONSOLE, SUPERVISOR)}
    answers = Subscription(UNIT_A.response("+"))
    async with (
        site.broker,
        site.connected(CONSOLE, answers, ear=ears[CONSOLE]) as console,
        site.connected(SUPERVISOR, answers, ear=ears[SUPERVISOR]) as supervisor,
        _commanded(site, tmp_path / "state") as done,
    ):
        wanted = _command(SUPERVISOR)
        with pytest.raises(PublishRefused):
            await console.publish(wanted.publication())
        await supervisor.publish(wanted.publication())
        await until(lambda: len(ears[SUPERVISOR].heard) == 2, "the supervisor's console hears its answers")
        assert [json.loads(said)["data"]["status"] for said in ears[SUPERVISOR].payloads()] == ["accepted", "done"]
        await console.publish(_command(CONSOLE).publication())
        await until(lambda: ears[CONSOLE].heard, "the other console hears its own")
        assert [json.loads(said)["data"]["code"] for said in ears[CONSOLE].payloads()] == [Why.FORBIDDEN]
        assert [command.source for command in done] == [wanted.document["source"]]
        assert len(ears[SUPERVISOR].heard) == 2


async def test_where_the_broker_lets_a_console_take_anothers_name_the_unit_does_not(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    site = Site(RenderedBroker(tmp_path / "broker", authority, "--console", SUPERVISOR), authority)
    acl = site.broker.folder / "acl"
    acl.write_text(
        acl.read_text(encoding="utf-8").replace(f"/cmd/{CONSOLE}/+", "/cmd/#"), encoding="utf-8"
    )  # as somebody may write it who thinks that a console is a console
    ear, theirs = Ear(), (Subscription(UNIT_A.response(CONSOLE)), Subscription(UNIT_A.audit))
    async with (
        site.broker,
        site.connected(CONSOLE, *theirs, ear=ear) as console,
        _commanded(site, tmp_path / "state") as done,
    ):
        on_its_own = UNIT_A.command(CONSOLE, "set"), UNIT_A.response(CONSOLE)
        said = replace(_command(SUPERVISOR), topic=on_its_own[0], response_topic=on_its_own[1])
        await console.publish(said.publication())
        await until(lambda: len(ear.heard) >= 3, "it is answered, and in the audit")
        refusals = [json.loads(each)["data"] for each in ear.payloads()]
        codes = [each["code"] for each in refusals if each.get("status") == "refused"]
        assert codes == [Why.ANOTHER_NAME, Why.ANOTHER_NAME]
        assert [each["topic"] for each in refusals if "topic" in each] == [on_its_own[0]]
        assert done == []


@pytest.mark.parametrize("units", [100, 5000])
async def test_what_the_broker_saved_outlives_kill_9_also_for_a_console_that_is_away(
    tmp_path: Path, units: int
) -> None:
    """Also on mosquitto 2.0.21, which drops it under `per_listener_settings`."""
    authority = Authority(tmp_path / "authority")
    site = Site(RenderedBroker(tmp_path / "broker", authority, "--units", units), authority)
    ear = Ear()
    wanted = (Subscription(UNIT_A.alerts), Subscription(UNIT_A.status))
    calls = [f"call {number}".encode() for number in range(20)]
    async with site.broker:
        async with site.connected(CONSOLE, *wanted):
            pass
        async with site.connected("unit-a") as unit:
            await unit.publish(Publication(UNIT_A.status, b"online", retain=True))
            for call in calls:
                await unit.publish(Publication(UNIT_A.alert(Category.HELP), call))
            # Saving at each change waits for the next one, and a unit beats its heart for ever.
            await unit.publish(Publication(UNIT_A.heartbeat, b"alive", retain=True))
            await until(lambda: calls[-1] in site.broker.stored(), "the broker has saved what it acknowledged")
            await site.broker.end(signal.SIGKILL)
        await site.broker.start()
        async with site.connected(CONSOLE, *wanted, ear=ear):
            await until(lambda: [said for said in ear.payloads() if said != b"online"] == calls, "all calls come")
            await until(lambda: b"online" in ear.payloads(), "the retained status comes")


async def test_a_message_too_large_for_any_of_ours_costs_the_sender_his_connection(site: Site) -> None:
    lost: list[bool] = []
    async with (
        site.broker,
        linked(site.endpoint("unit-a"), Manners("unit-a"), on_change=lost.append) as unit,
    ):
        await unit.publish(Publication(UNIT_A.status, b"x" * 60_000))
        unit.send(Publication(UNIT_A.status, b"x" * 140_000))
        await until(lambda: False in lost, "the broker ends the connection")


async def test_the_rights_cover_the_contract_and_are_those_of_the_town(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    site = Site(RenderedBroker(tmp_path / "broker", authority, "--vms", VIDEO_SYSTEM), authority)
    acl = (site.broker.folder / "acl").read_text(encoding="utf-8")
    for channel in Contract().channels.values():
        topic = channel.address.pattern.replace(f"{ROOT}/([^/]+)/([^/]+)", "")
        kind = topic.split("/")[1]
        unit_may, console_may = ("write", "read") if channel.action == "send" else ("read", "write")
        assert f"pattern {unit_may} {ROOT}/{ORG}/%u/{kind}" in acl, channel.name
        assert f"topic {console_may} {ROOT}/{ORG}/+/{kind}" in acl or kind == "onvif-ej", channel.name
    town = Broker(tmp_path / "town", site.authority, org=ORG)
    theirs = {line.replace(CONTROL_ROOM, CONSOLE) for line in town.rights().splitlines() if line}
    assert theirs == {line for line in acl.splitlines() if line and not line.startswith("#")}


@pytest.mark.parametrize("dies", ["the other one", "the control room's own"])
async def test_two_joined_brokers_are_one_for_units_and_control_room_and_losing_either_loses_no_alert(
    tmp_path: Path, dies: str
) -> None:
    authority = Authority(tmp_path / "authority")
    receiver_is = ("--receiver", "receiver")
    second = RenderedBroker(tmp_path / "second", authority, *receiver_is, "--peer", "first")
    bridge = authority.issue_client("first")
    joined = ("--bridge", f"localhost:{second.port}", "--bridge-name", "first")
    files = ("--bridge-cert", bridge.cert_file, "--bridge-key", bridge.key_file)
    first = RenderedBroker(tmp_path / "first", authority, *receiver_is, *joined, *files)
    units = {unit_id(number): files_of(authority, unit_id(number)) for number in (1, 2, 3)}

    def endpoints(unit: str) -> list[Endpoint]:
        return [Endpoint.build(broker.url, **units[unit]) for broker in (first, second)]

    async with second, first:
        receiver = FleetReceiver(
            Endpoint.build(second.url, **files_of(authority, "receiver")), "receiver", ORG, SystemClock()
        )
        fleet = Fleet(3, ORG, endpoints, SystemClock(), random.Random(1), per_s=20, alerts_per_min=600, heartbeat_s=5.0)
        answering, living = asyncio.create_task(receiver.run()), asyncio.create_task(fleet.run(30.0))
        await until(lambda: fleet.tally.acknowledged >= 10, "alerts are acknowledged over both brokers")
        if dies == "the other one":
            await first.end(signal.SIGKILL)
            so_far = fleet.tally.acknowledged
            await until(lambda: fleet.tally.acknowledged >= so_far + 10, "they still are over the one that is left")
        else:
            await second.end(signal.SIGKILL)
            await until(lambda: fleet.tally.connected == 3, "each unit has one broker left")
            deaf_since = fleet.tally.raised
            await until(lambda: fleet.tally.raised >= deaf_since + 10, "alerts happen that nobody hears")
            assert fleet.tally.waiting >= 10, "a control room is deaf while its only broker is dead"
            await second.start()
            await until(lambda: fleet.tally.acknowledged >= deaf_since + 10, "all of it is heard when that is back")
        fleet.stop()
        await living  # it waits for the alerts that it raised
        await receiver.close()
        await answering
    assert fleet.tally.raised == fleet.tally.acknowledged
    assert fleet.tally.refused == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name at least one"),
        (("--console", "a", "--receiver", "a"), "given twice"),
        (("--console", "a", "--vms", "a"), "given twice"),
        (("--console", "a b"), "'a b' must be letters"),
        (("--console", "a", "--bridge", "x:1"), "needs --bridge-name"),
        (("--console", "a", "--port", "70000"), "1 to 65535"),
        (("--console", "a", "--store", "here"), "must be an absolute path"),
    ],
)
def test_bad_arguments_get_one_sentence(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    needed = ("--org", ORG, "--ca", "/ca", "--cert", "/cert", "--key", "/key", "--folder", tmp_path)
    refused = render(*needed, *arguments)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1
