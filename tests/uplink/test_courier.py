"""The whole ladder against real mosquitto: kept, sent, sent again, acknowledged, forgotten."""

from __future__ import annotations

import asyncio
import json
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import SystemClock
from agent.signals import AckLevel, Category
from agent.uplink import messages
from agent.uplink.alert_troubles import INVALID, REFUSED, UNHEARD
from agent.uplink.courier import Courier
from agent.uplink.disk import Disk
from agent.uplink.in_order import IN_ORDER_WITHIN_S
from agent.uplink.inbox import Inbox
from agent.uplink.jsonable import timestamp
from agent.uplink.link import Link
from agent.uplink.manners import Manners
from agent.uplink.messages import Kind
from agent.uplink.outbox import Outbox
from agent.uplink.paths import PRIMARY, Paths
from agent.uplink.publication import Received, Subscription
from agent.uplink.resends import COPY_LIVES_AT_LEAST_S
from agent.uplink.topics import UnitTopics
from agent.uplink.validation import parse
from fakes.broker import CONTROL_ROOM
from tests.alongside import alongside
from tests.uplink.lab import Complaints, LabClock, linked, make_config, passing, running, tell, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.clock import Clock
    from agent.config.settings import Config
    from agent.signals import Tell
    from agent.uplink.endpoint import Endpoint
    from tests.uplink.conftest import Street

NEVER_S = (3600.0,)
"""Resending that no story lives to see."""
SOON = (0.05,)
KEEPALIVE_S = 60.0
"""Never what finds a dead connection here: a machine that is busy for some seconds is none."""


class ControlRoom:
    """Hears alerts, and answers them when told to."""

    def __init__(self, endpoint: Endpoint, *, answers: bool, kept_s: int) -> None:
        self.answers = answers
        self.heard: list[dict[str, Any]] = []
        self.may_wait_s: list[int | None] = []
        """How long each could still have waited at the broker; None: for ever."""
        manners = Manners(
            "desk",
            (Subscription("safepoint/v1/street/+/alert/+"),),
            keepalive_s=KEEPALIVE_S,
            session_expiry_s=kept_s,
            max_payload=256 * 1024,
        )
        self.link = Link(endpoint, manners, on_message=self._hear)

    def _hear(self, received: Received) -> None:
        document = parse(Kind.ALERT, received.payload)
        self.heard.append(document)
        self.may_wait_s.append(received.expiry_s)
        if self.answers:
            self.acknowledge(document)

    def acknowledge(self, document: dict[str, Any]) -> None:
        """Say that the receiver has this alert."""
        data = document["data"]
        ack = messages.acknowledgement(
            UnitTopics("street", data["site"]["unitId"]),
            "desk",
            SystemClock().now().wall,
            alert_id=data["alertId"],
            revision=data["revision"],
            level=AckLevel.RECEIVER,
        )
        self.link.send(ack.publication())

    def ids(self) -> list[str]:
        """The ids of the events that came, in order, repetitions included."""
        return [document["id"] for document in self.heard]


class Unit:
    """The unit's end of the uplink, as `agent.unit` puts it together."""

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        config: Config,
        outbox: Outbox,
        endpoint: Endpoint,
        complaints: Complaints,
        *,
        puback_within_s: float,
        clock: Clock,
    ) -> None:
        self.config = config
        self.outbox = outbox
        self.complaints = complaints
        self.clock = clock
        self.inbox = Inbox(config.unit)
        topics = UnitTopics(config.unit.org, config.unit.id)
        self.link = Paths(
            {PRIMARY: endpoint},
            Manners(
                "unit-a",
                (Subscription(topics.ack),),
                keepalive_s=KEEPALIVE_S,
                session_expiry_s=0,
                puback_within_s=puback_within_s,
            ),
            on_message=self._hear,
        )
        self.courier = Courier(
            config, outbox, self.link, self.clock, on_trouble=complaints.trouble, on_over=complaints.end
        )

    def _hear(self, received: Received) -> None:
        ack = self.inbox.read(received, self.clock.now())
        self.courier.acknowledged(ack.alert_id, ack.revision)  # type: ignore[union-attr]

    def raise_alert(self, alert_id: str, revision: int = 1, category: Category = Category.HELP) -> Tell:
        """Something happens now."""
        told = tell(alert_id, revision, self.clock.now(), category)
        self.courier.submit([told])
        return told


@asynccontextmanager
async def unit_at(
    endpoint: Endpoint, folder: Path, *, puback_within_s: float = 15.0, clock: Clock | None = None, **uplink: object
) -> AsyncIterator[Unit]:
    """A unit that runs; its link may be down."""
    complaints, clock = Complaints(), clock or SystemClock()
    config = make_config(**{"resend_s": NEVER_S} | uplink)
    outbox = Outbox(Disk(folder), 1000, clock, on_trouble=complaints.trouble, on_over=complaints.end, retry_s=0.05)
    await outbox.begin()
    unit = Unit(config, outbox, endpoint, complaints, puback_within_s=puback_within_s, clock=clock)
    try:
        async with running(unit.link), alongside(unit.courier.run()):
            yield unit
    finally:
        await outbox.close()


@asynccontextmanager
async def control_room_at(endpoint: Endpoint, *, answers: bool = True, kept_s: int = 0) -> AsyncIterator[ControlRoom]:
    """A control room whose link is up; while it is away, the broker keeps for it what comes for so long."""
    room = ControlRoom(endpoint, answers=answers, kept_s=kept_s)
    async with running(room.link):
        await room.link.up()
        yield room


@pytest.fixture
def desk(street: Street) -> Endpoint:
    """The control room's way to the broker."""
    return street.endpoint(CONTROL_ROOM)


async def test_a_call_is_heard_once_acknowledged_and_forgotten(street: Street, desk: Endpoint, tmp_path: Path) -> None:
    async with control_room_at(desk) as room, unit_at(street.endpoint("unit-a"), tmp_path) as unit:
        await unit.link.up()
        unit.raise_alert("inc-1")
        unit.raise_alert("inc-1", 2)
        unit.raise_alert("inc-2", category=Category.INTRUDER)
        await until(lambda: unit.courier.pending == 0, "everything is acknowledged")
        assert sorted(room.ids()) == ["inc-1-r1", "inc-1-r2", "inc-2-r1"]
        assert [document["data"]["path"]["late"] for document in room.heard] == [False] * 3
        assert unit.courier.delivered == unit.courier.sent == 3
        assert unit.courier.last_edge_to_broker_s is not None
        assert unit.complaints.told == []


async def test_an_urgent_call_is_with_the_link_before_submit_returns(
    street: Street, desk: Endpoint, tmp_path: Path
) -> None:
    async with control_room_at(desk) as room, unit_at(street.endpoint("unit-a"), tmp_path) as unit:
        await unit.link.up()
        unit.raise_alert("inc-1")
        assert unit.courier.sent == 1
        assert not unit.outbox.pending()[0].settled
        unit.raise_alert("inc-2", category=Category.INTRUDER)
        assert unit.courier.sent == 1  # it waits for the disk
        await until(lambda: len(room.heard) == 2, "both are heard")


async def test_a_puback_is_no_delivery(street: Street, desk: Endpoint, tmp_path: Path) -> None:
    endpoint = street.endpoint("unit-a")
    async with control_room_at(desk, answers=False) as room:
        async with unit_at(endpoint, tmp_path) as unit:
            await unit.link.up()
            unit.raise_alert("inc-1")
            await until(lambda: unit.courier.last_edge_to_broker_s is not None, "the broker has it")
            await until(lambda: room.heard, "the control room hears it")
            assert unit.courier.pending == 1
        room.answers = True
        async with unit_at(endpoint, tmp_path) as unit:  # the next life sends it again
            await until(lambda: unit.courier.pending == 0, "it is acknowledged")
    assert room.ids() == ["inc-1-r1", "inc-1-r1"]
    assert room.heard[0]["sequence"] == room.heard[1]["sequence"]
    assert room.heard[0]["time"] == room.heard[1]["time"]


async def test_without_an_answer_it_is_sent_again_with_its_attempt_counted(
    street: Street, desk: Endpoint, tmp_path: Path
) -> None:
    async with (
        control_room_at(desk, answers=False) as room,
        unit_at(street.endpoint("unit-a"), tmp_path, resend_s=SOON) as unit,
    ):
        await unit.link.up()
        unit.raise_alert("inc-1")
        await until(lambda: len(room.heard) >= 3, "it comes again and again")
        assert [document["data"]["path"]["attempt"] for document in room.heard[:3]] == [1, 2, 3]
        assert set(room.ids()) == {"inc-1-r1"}
        room.acknowledge(room.heard[0])
        await until(lambda: unit.courier.pending == 0, "it is acknowledged")


async def test_of_a_call_the_first_copy_waits_at_the_broker_for_ever_and_repetitions_for_a_minute(
    street: Street, desk: Endpoint, tmp_path: Path
) -> None:
    async with (
        control_room_at(desk, answers=False) as room,
        unit_at(street.endpoint("unit-a"), tmp_path, resend_s=SOON) as unit,
    ):
        await unit.link.up()
        unit.raise_alert("inc-1")
        await until(lambda: len(room.heard) >= 3, "it comes again and again")
    first, *repetitions = room.may_wait_s
    assert first is None, "a console that is away finds it, however long it was away"
    assert all(wait_s is not None and wait_s <= COPY_LIVES_AT_LEAST_S for wait_s in repetitions)


async def test_a_receiver_acknowledgement_forgets_its_revision_alone(
    street: Street, desk: Endpoint, tmp_path: Path
) -> None:
    async with (
        control_room_at(desk, answers=False) as room,
        unit_at(street.endpoint("unit-a"), tmp_path) as unit,
    ):
        await unit.link.up()
        for revision in (1, 2, 3):
            unit.raise_alert("inc-1", revision)
        await until(lambda: len(room.heard) == 3, "all are heard")
        room.acknowledge(room.heard[1])
        await until(lambda: unit.courier.pending == 2, "the second is forgotten")
        assert [entry.tell.revision for entry in unit.outbox.pending()] == [1, 3]


async def test_what_happens_during_an_outage_comes_late_once_and_in_order(own_street: Street, tmp_path: Path) -> None:
    broker = own_street.broker
    await broker.start()
    async with (
        control_room_at(own_street.endpoint(CONTROL_ROOM), kept_s=3600) as room,
        unit_at(own_street.endpoint("unit-a"), tmp_path / "outbox", late_after_s=0.2) as unit,
    ):
        await until(lambda: unit.link.connected, "the link is up")
        await broker.stop()
        await until(lambda: not unit.link.connected, "the outage is noticed")
        unit.raise_alert("noise", category=Category.NOISE)
        unit.raise_alert("intruder", category=Category.INTRUDER)
        pressed = unit.raise_alert("help")
        unit.raise_alert("intruder", 2, Category.INTRUDER)
        unit.raise_alert("help", 2)
        await until(lambda: unit.courier.oldest_age_s(unit.clock.now()) > 0.2, "the outage lasts")
        await broker.start()
        await until(lambda: unit.courier.pending == 0, "everything is acknowledged")
        # The room may come back after the unit; the broker kept for it what it missed.
        await until(lambda: len(room.heard) >= 5, "everything is heard")
    assert list(dict.fromkeys(room.ids())) == ["help-r1", "help-r2", "intruder-r1", "intruder-r2", "noise-r1"]
    assert len(room.ids()) == 5
    assert all(document["data"]["path"]["late"] for document in room.heard)
    assert all(document["data"]["path"]["attempt"] == 1 for document in room.heard)
    assert room.heard[0]["time"] == timestamp(pressed.at.wall)


async def test_a_call_into_a_frozen_broker_comes_when_it_thaws(own_street: Street, tmp_path: Path) -> None:
    broker = own_street.broker
    await broker.start()
    async with (
        control_room_at(own_street.endpoint(CONTROL_ROOM)) as room,
        unit_at(own_street.endpoint("unit-a"), tmp_path / "outbox", puback_within_s=1.0) as unit,
    ):
        await unit.link.up()
        broker.freeze()
        unit.raise_alert("inc-1")
        await until(lambda: not unit.link.connected, "the dead connection is given up")
        assert unit.courier.pending == 1
        broker.thaw()
        await until(lambda: unit.courier.pending == 0, "it is acknowledged")
    assert set(room.ids()) == {"inc-1-r1"}


async def test_a_call_that_lies_on_a_disk_which_comes_late_goes_out_on_the_connection_that_is_there(
    street: Street, desk: Endpoint, tmp_path: Path
) -> None:
    folder = tmp_path / "mount"
    async with control_room_at(desk, answers=False) as room:
        async with unit_at(street.endpoint("unit-a"), folder) as unit:
            await unit.link.up()
            unit.raise_alert("inc-late-disk")
            await until(lambda: len(room.heard) == 1, "it is heard, and not acknowledged")
        folder.rename(tmp_path / "drive")
        folder.write_text("nothing is mounted here")
        async with unit_at(street.endpoint("unit-a"), folder) as unit:
            await unit.link.up()
            unit.raise_alert("inc-new")
            await until(lambda: len(room.heard) == 2, "the unit works without its disk")
            folder.unlink()
            (tmp_path / "drive").rename(folder)
            await until(lambda: len(room.heard) == 3, "the old call is heard")
            assert unit.link.session == 1
    assert room.ids() == ["inc-late-disk-r1", "inc-new-r1", "inc-late-disk-r1"]
    assert room.heard[2]["data"]["path"]["attempt"] == 2


async def test_what_a_detector_was_slow_to_be_sure_of_is_not_late(
    street: Street, desk: Endpoint, tmp_path: Path
) -> None:
    async with control_room_at(desk) as room, unit_at(street.endpoint("unit-a"), tmp_path) as unit:
        await unit.link.up()
        began = unit.clock.now().later(-3600.0)
        unit.courier.submit([tell("inc-slow", 1, began, Category.TAMPER)])
        await until(lambda: room.heard, "it is heard")
    assert not room.heard[0]["data"]["path"]["late"]
    assert room.heard[0]["time"] == timestamp(began.wall)


async def test_a_repetition_that_leaves_long_after_is_late(street: Street, desk: Endpoint, tmp_path: Path) -> None:
    async with (
        control_room_at(desk, answers=False) as room,
        unit_at(street.endpoint("unit-a"), tmp_path, resend_s=(0.5,), late_after_s=0.4) as unit,
    ):
        await unit.link.up()
        unit.raise_alert("inc-1")
        await until(lambda: any(document["data"]["path"]["late"] for document in room.heard), "a late one is heard")
    late = [document["data"]["path"]["late"] for document in room.heard]
    assert late == sorted(late)


async def test_what_was_told_before_a_power_cut_is_late_after_it_and_keeps_its_own_time(
    own_street: Street, tmp_path: Path
) -> None:
    clock, folder = LabClock(), tmp_path / "outbox"
    async with unit_at(own_street.endpoint("unit-a"), folder, clock=clock) as unit:  # its broker is away
        pressed = unit.raise_alert("inc-1")
    clock.pass_s(60.0)  # without power
    clock.reboot()
    assert clock.now().monotonic_s < pressed.at.monotonic_s, "by this clock it has not happened yet"
    await own_street.broker.start()
    async with (
        control_room_at(own_street.endpoint(CONTROL_ROOM)) as room,
        unit_at(own_street.endpoint("unit-a"), folder, clock=clock) as unit,
    ):
        unit.raise_alert("inc-2")
        await until(lambda: unit.courier.pending == 0, "both are acknowledged")
    heard = {document["data"]["alertId"]: document for document in room.heard}
    assert {alert: document["data"]["path"]["late"] for alert, document in heard.items()} == {
        "inc-1": True,
        "inc-2": False,
    }
    assert heard["inc-1"]["time"] == timestamp(pressed.at.wall)
    assert heard["inc-1"]["time"] < heard["inc-2"]["time"]


async def test_an_unheard_revision_comes_before_the_next_one(own_street: Street, tmp_path: Path) -> None:
    await own_street.broker.start()
    async with unit_at(own_street.endpoint("unit-a"), tmp_path / "outbox") as unit:
        await unit.link.up()
        unit.raise_alert("inc-1")
        await until(lambda: unit.complaints.told == [UNHEARD], "nobody heard it")
        async with control_room_at(own_street.endpoint(CONTROL_ROOM)) as room:
            unit.raise_alert("inc-1", 2)
            await until(lambda: unit.courier.pending == 0, "both are acknowledged")
    assert room.ids() == ["inc-1-r1", "inc-1-r2"]


async def test_a_revision_that_a_console_took_and_did_not_answer_comes_once_more_before_the_next_one(
    street: Street, desk: Endpoint, tmp_path: Path
) -> None:
    async with (
        control_room_at(desk, answers=False) as room,
        unit_at(street.endpoint("unit-a"), tmp_path) as unit,
    ):
        await unit.link.up()
        unit.raise_alert("inc-1")
        await until(lambda: unit.courier.last_edge_to_broker_s is not None, "the broker has it")
        due_s = asyncio.get_running_loop().time() + IN_ORDER_WITHIN_S
        await until(lambda: asyncio.get_running_loop().time() >= due_s, "whoever is there would have answered")
        unit.raise_alert("inc-1", 2)
        await until(lambda: "inc-1-r2" in room.ids(), "the next one is heard")
    assert room.ids() == ["inc-1-r1", "inc-1-r1", "inc-1-r2"]


async def test_a_backlog_is_carried_in_order_and_a_new_call_overtakes_it(own_street: Street, tmp_path: Path) -> None:
    await own_street.broker.start()
    async with (
        control_room_at(own_street.endpoint(CONTROL_ROOM)) as room,
        unit_at(own_street.endpoint("unit-a"), tmp_path / "outbox") as unit,
    ):
        for number in range(80):  # before the link has had a moment to come up
            unit.raise_alert(f"inc-{number}", category=Category.NOISE)
        await until(lambda: room.heard, "the backlog begins to move")
        sent_before = unit.courier.sent
        unit.raise_alert("help")
        assert unit.courier.sent == sent_before + 1
        await until(lambda: unit.courier.sent == 81, "all is sent")
        await until(lambda: len(room.heard) == 81, "all is heard")
    # What was under way when it left comes before it, and nothing else.
    assert room.ids().index("help-r1") <= sent_before
    noises = [event for event in room.ids() if event != "help-r1"]
    assert noises == [f"inc-{number}-r1" for number in range(80)]


async def test_when_nobody_listens_the_unit_says_so_and_keeps_the_call(own_street: Street, tmp_path: Path) -> None:
    await own_street.broker.start()
    async with unit_at(own_street.endpoint("unit-a"), tmp_path / "outbox", resend_s=SOON) as unit:
        await unit.link.up()
        unit.raise_alert("inc-1")
        await until(lambda: unit.complaints.told == [UNHEARD], "it is reported")
        assert unit.courier.pending == 1
        async with control_room_at(own_street.endpoint(CONTROL_ROOM)):
            await until(lambda: unit.courier.pending == 0, "the control room has come and has it")
            assert unit.complaints.over == [UNHEARD]


async def test_when_the_broker_refuses_the_unit_says_so_and_keeps_the_call(street: Street, tmp_path: Path) -> None:
    async with unit_at(street.endpoint("unit-z"), tmp_path, resend_s=SOON) as unit:  # its alerts say unit-a
        await unit.link.up()
        unit.raise_alert("inc-1")
        await until(lambda: unit.courier.sent > 2, "it is tried again")
        assert unit.complaints.told == [REFUSED]
        assert unit.courier.pending == 1


async def test_a_call_that_breaks_the_contract_is_sent_all_the_same_and_reported(
    street: Street, desk: Endpoint, tmp_path: Path
) -> None:
    heard: list[Received] = []
    alerts = passing("desk", (Subscription("safepoint/v1/street/+/alert/+"),))
    async with linked(desk, alerts, on_message=heard.append), unit_at(street.endpoint("unit-a"), tmp_path) as unit:
        await unit.link.up()
        unit.courier.submit([tell("inc-1", 1, unit.clock.now(), severity="Terrible")])
        await until(lambda: heard, "it is heard")
        await until(lambda: unit.complaints.told == [INVALID], "it is reported")
    assert json.loads(heard[0].payload)["data"]["severity"] == "Terrible"


async def test_with_the_disk_gone_calls_go_out_as_ever(street: Street, desk: Endpoint, tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("nothing is mounted here")
    async with control_room_at(desk) as room, unit_at(street.endpoint("unit-a"), no_folder) as unit:
        await unit.link.up()
        unit.raise_alert("inc-1")
        unit.raise_alert("inc-2", category=Category.INTRUDER)
        await until(lambda: unit.courier.pending == 0, "both are acknowledged")
        assert unit.complaints.told == ["disk-lost"]
    assert room.ids() == ["inc-1-r1", "inc-2-r1"]


async def test_a_foreign_client_sees_valid_cloud_events(street: Street, tmp_path: Path) -> None:
    await _mosquitto_sub(street, "-E")  # subscribes, and goes away; the broker keeps what comes
    async with unit_at(street.endpoint("unit-a"), tmp_path) as unit:
        unit.raise_alert("inc-foreign")
        await until(lambda: unit.courier.last_edge_to_broker_s is not None, "the broker has it")
    said = await _mosquitto_sub(street, "-C", "1", "-F", "%C %p")
    content_type, _, payload = said.partition(" {")
    event = json.loads("{" + payload)
    assert content_type == "application/cloudevents+json; charset=utf-8"
    assert event["specversion"] == "1.0"
    assert {"id", "source", "type"} <= set(event)
    assert event["id"] == "inc-foreign-r1"


async def _mosquitto_sub(street: Street, *arguments: str) -> str:
    """What mosquitto's own client says, as a client with a lasting session."""
    session = ("-V", "5", "-p", str(street.broker.plain_port), "-i", "foreign", "-c", "-x", "3600", "-q", "1")
    foreign = await asyncio.create_subprocess_exec(
        *("mosquitto_sub", *session, "-t", "safepoint/v1/street/+/alert/#", *arguments), stdout=subprocess.PIPE
    )
    said, _ = await foreign.communicate()
    assert foreign.returncode == 0
    return said.decode()
