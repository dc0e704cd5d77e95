"""The link against real mosquitto over mutual TLS."""

from __future__ import annotations

import asyncio
import random
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from agent.uplink.endpoint import Endpoint
from agent.uplink.lanes import Lane
from agent.uplink.link import Link
from agent.uplink.manners import Manners
from agent.uplink.paths import ALTERNATE, PRIMARY, Paths
from agent.uplink.publication import LinkDown, Publication, PublishRefused, Received, Subscription
from agent.uplink.tls import Shown
from fakes.authority import Authority
from fakes.broker import CONTROL_ROOM
from tests.uplink.lab import SOON_S, Ear, Showing, files_of, linked, passing, running, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.uplink.conftest import Street

ALERTS = Subscription("safepoint/v1/street/+/alert/+")
STATUS = Subscription("safepoint/v1/street/+/status")


def _alert(payload: bytes, unit: str = "unit-a") -> Publication:
    return Publication(f"safepoint/v1/street/{unit}/alert/help", payload)


def _status(payload: bytes, unit: str) -> Publication:
    return Publication(f"safepoint/v1/street/{unit}/status", payload, retain=True)


async def test_what_a_unit_publishes_the_control_room_hears_with_its_mqtt_5_properties(street: Street) -> None:
    ear = Ear()
    async with (
        linked(street.endpoint(CONTROL_ROOM), passing("desk", (ALERTS,)), on_message=ear),
        linked(street.endpoint("unit-a"), passing("unit-a")) as unit,
    ):
        receipt = await unit.publish(
            Publication(
                "safepoint/v1/street/unit-a/alert/help",
                b'{"call": "help"}',
                expiry_s=60,
                response_topic="safepoint/v1/street/unit-a/rsp/desk",
                correlation_data=b"\x00\xff",
            )
        )
        await until(lambda: ear.heard, "the alert is heard")
    assert not receipt.nobody_listening
    heard = ear.heard[0]
    assert heard.payload == b'{"call": "help"}'
    assert heard.content_type == "application/cloudevents+json; charset=utf-8"
    assert heard.expiry_s is not None
    assert heard.expiry_s <= 60
    assert heard.response_topic == "safepoint/v1/street/unit-a/rsp/desk"
    assert heard.correlation_data == b"\x00\xff"
    assert not heard.retain


async def test_publications_leave_in_the_order_of_the_calls(street: Street) -> None:
    ear = Ear()
    words = [b"%d" % number for number in range(200)]
    async with (
        linked(street.endpoint(CONTROL_ROOM), passing("desk", (ALERTS,)), on_message=ear),
        linked(street.endpoint("unit-a"), passing("unit-a")) as unit,
    ):
        await asyncio.gather(*[unit.send(_alert(word)) for word in words])
        await until(lambda: len(ear.heard) == len(words), "all are heard")
    assert ear.payloads() == words


async def test_nobody_listening_is_told(street: Street) -> None:
    async with linked(street.endpoint("unit-lonely"), passing("unit-lonely")) as unit:
        receipt = await unit.publish(Publication("safepoint/v1/street/unit-lonely/rsp/nobody", b"{}"))
    assert receipt.nobody_listening


async def test_a_unit_cannot_publish_as_another_unit(street: Street) -> None:
    ear = Ear()
    async with (
        linked(street.endpoint(CONTROL_ROOM), passing("desk", (ALERTS,)), on_message=ear),
        linked(street.endpoint("unit-a"), passing("unit-a")) as unit,
    ):
        with pytest.raises(PublishRefused) as refusal:
            await unit.publish(_alert(b"forged", unit="unit-b"))
        await unit.publish(_alert(b"own"))  # behind the forged one on the same connection
        await until(lambda: ear.heard, "the unit's own alert is heard")
    assert refusal.value.code == 135
    assert ear.payloads() == [b"own"]


async def test_a_unit_cannot_command_itself_or_hear_another_unit(street: Street) -> None:
    ear = Ear()
    spy = passing("unit-a", (Subscription("safepoint/v1/street/unit-b/ack"), Subscription("safepoint/v1/#")))
    own = "safepoint/v1/street/unit-a/ack"
    async with (
        linked(street.endpoint(CONTROL_ROOM), passing("desk")) as desk,
        linked(street.endpoint("unit-a"), spy, on_message=ear) as unit,
    ):
        with pytest.raises(PublishRefused):
            await unit.publish(Publication("safepoint/v1/street/unit-a/cmd/desk/set", b"{}"))
        await desk.publish(Publication("safepoint/v1/street/unit-b/ack", b"for b"))
        await desk.publish(Publication(own, b"for a"))
        await until(lambda: ear.heard, "its own acknowledgement is heard")
    assert ear.payloads() == [b"for a"]


async def test_without_a_certificate_nobody_gets_in(street: Street) -> None:
    stranger = Shown("nobody", ssl.create_default_context(cafile=str(street.authority.ca_file)))
    link = Link(Endpoint("localhost", street.broker.port, Showing(stranger)), Manners("nobody"), on_message=Ear())
    async with running(link):
        await until(lambda: "before it was accepted" in (link.trouble or ""), "the broker closes the connection")
        assert not link.connected
    assert link.session == 0


async def test_a_broker_of_another_authority_is_not_trusted(street: Street, tmp_path: Path) -> None:
    foreign = Authority(tmp_path)
    link = Link(Endpoint.build(street.broker.url, **files_of(foreign, "unit-a")), passing("unit-a"), on_message=Ear())
    async with running(link):
        await until(lambda: "certificate was not accepted" in (link.trouble or ""), "the unit refuses the broker")
    assert link.session == 0


async def test_a_client_of_another_authority_is_not_accepted(street: Street, tmp_path: Path) -> None:
    forged = files_of(Authority(tmp_path), "unit-a")
    forged["ca_file"] = street.authority.ca_file
    link = Link(Endpoint.build(street.broker.url, **forged), passing("unit-a"), on_message=Ear())
    async with running(link):
        await until(lambda: "before it was accepted" in (link.trouble or ""), "the broker refuses the client")
    assert link.session == 0


async def test_the_brokers_name_is_checked(street: Street) -> None:
    endpoint = street.endpoint("unit-a")
    # The same broker by another name: 127.1 is 127.0.0.1 to the resolver, and no name on its certificate.
    elsewhere = Endpoint("127.1", street.broker.port, endpoint.tls)
    link = Link(elsewhere, passing("unit-a"), on_message=Ear())
    async with running(link):
        await until(lambda: "not valid for '127.1'" in (link.trouble or ""), "the unit refuses the broker")
    assert link.session == 0


async def test_a_handler_that_raises_does_not_kill_the_link(street: Street) -> None:
    ear = Ear()

    def stumble(received: Received) -> None:
        ear(received)
        if len(ear.heard) == 1:
            msg = "this handler has a bug"
            raise RuntimeError(msg)

    async with (
        linked(street.endpoint(CONTROL_ROOM), passing("desk", (ALERTS,)), on_message=stumble) as desk,
        linked(street.endpoint("unit-a"), passing("unit-a")) as unit,
    ):
        with capture_logs() as logs:
            await unit.publish(_alert(b"1"))
            await unit.publish(_alert(b"2"))
            await until(lambda: len(ear.heard) == 2, "the second message is heard")
        assert desk.mishandled == 1
        assert desk.session == 1
        assert desk.connected
    assert "message_mishandled" in [line["event"] for line in logs]


async def test_a_message_over_the_limit_is_refused_and_counted_and_the_next_is_heard(street: Street) -> None:
    ear = Ear()
    async with (
        linked(street.endpoint(CONTROL_ROOM), passing("desk", (ALERTS,), max_payload=100), on_message=ear) as desk,
        linked(street.endpoint("unit-a"), passing("unit-a")) as unit,
    ):
        await unit.publish(_alert(b"x" * 101))
        await unit.publish(_alert(b"x" * 100))
        await until(lambda: ear.heard, "the smaller one is heard")
        assert desk.refused == 1
    assert ear.payloads() == [b"x" * 100]


async def test_who_refuses_with_a_reason_gets_what_is_too_large_as_well(street: Street) -> None:
    ear = Ear()
    manners = passing("desk", (ALERTS,), max_payload=100, hands_over_all=True)
    async with (
        linked(street.endpoint(CONTROL_ROOM), manners, on_message=ear) as desk,
        linked(street.endpoint("unit-a"), passing("unit-a")) as unit,
    ):
        await unit.publish(_alert(b"x" * 60_000))
        await until(lambda: ear.heard, "the large one is heard")
        assert desk.refused == 0


async def test_a_packet_far_over_the_limit_does_not_end_the_connection(street: Street) -> None:
    ear = Ear()
    async with (
        linked(street.endpoint(CONTROL_ROOM), passing("desk", (ALERTS,), max_payload=100), on_message=ear) as desk,
        linked(street.endpoint("unit-a"), passing("unit-a")) as unit,
    ):
        await unit.publish(_alert(b"x" * 1_000_000))
        await unit.publish(_alert(b"small"))
        await until(lambda: ear.heard, "the small one is heard")
        assert desk.session == 1
    assert ear.payloads() == [b"small"]


async def test_a_live_message_keeps_its_retain_flag_where_that_was_asked_for(street: Street) -> None:
    ear = Ear()
    commands = Subscription("safepoint/v1/street/unit-a/cmd/+/+", retain_as_published=True)
    command = Publication("safepoint/v1/street/unit-a/cmd/control-room/set", b"{}", retain=True, expiry_s=5)
    async with (
        linked(street.endpoint("unit-a"), passing("unit-a", (commands,)), on_message=ear),
        linked(street.endpoint(CONTROL_ROOM), passing("desk")) as desk,
    ):
        await desk.publish(command)
        await until(lambda: ear.heard, "the command is heard")
        await desk.publish(Publication(command.topic, b"", retain=True))  # clears it for the other stories
    assert ear.heard[0].retain


async def test_an_acknowledgement_sent_while_a_unit_is_away_waits_for_it(street: Street) -> None:
    ear = Ear()
    manners = Manners("unit-traveller", (Subscription("safepoint/v1/street/unit-traveller/ack"),))
    endpoint = street.endpoint("unit-traveller")
    async with linked(street.endpoint(CONTROL_ROOM), passing("desk")) as desk:
        async with linked(endpoint, manners):
            pass
        await desk.publish(Publication("safepoint/v1/street/unit-traveller/ack", b"seen"))
        async with linked(endpoint, manners, on_message=ear):
            await until(lambda: ear.heard, "the acknowledgement arrives")
    assert ear.payloads() == [b"seen"]


async def test_birth_comes_first_and_an_orderly_end_sends_no_will(street: Street) -> None:
    ear = Ear()
    async with linked(street.endpoint(CONTROL_ROOM), passing("desk", (STATUS, ALERTS)), on_message=ear) as desk:
        async with linked(
            street.endpoint("unit-c"),
            Manners("unit-c"),
            will=lambda: _status(b"lost", "unit-c"),
            birth=lambda: _status(b"online", "unit-c"),
        ) as unit:
            await unit.publish(_alert(b"call", "unit-c"))
            await unit.publish(_status(b"stopped", "unit-c"))
        async with linked(street.endpoint("unit-d"), Manners("unit-d")) as other:
            await other.publish(_alert(b"later", "unit-d"))
            await until(lambda: b"later" in ear.payloads(), "the other unit is heard")
        assert desk.session == 1
    mine = [received.payload for received in ear.heard if "/unit-c/" in received.topic]
    assert mine == [b"online", b"call", b"stopped"]


async def test_a_link_that_is_cancelled_leaves_its_will_behind(street: Street) -> None:
    ear = Ear()
    async with linked(street.endpoint(CONTROL_ROOM), passing("desk", (STATUS,)), on_message=ear):
        link = Link(
            street.endpoint("unit-e"), Manners("unit-e"), on_message=Ear(), will=lambda: _status(b"lost", "unit-e")
        )
        task = asyncio.create_task(link.run())
        await link.up()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until(lambda: b"lost" in ear.payloads(), "the broker tells the will")


async def test_a_link_comes_back_by_itself_and_says_so_once(own_street: Street) -> None:
    changes: list[bool] = []
    await own_street.broker.start()
    with capture_logs() as logs:
        async with linked(own_street.endpoint("unit-a"), passing("unit-a"), on_change=changes.append) as unit:
            await own_street.broker.kill()
            await until(lambda: not unit.connected, "the loss is noticed")
            with pytest.raises(LinkDown):
                await unit.publish(_alert(b"lost"))
            await until(lambda: "cannot be reached" in (unit.trouble or ""), "it was tried again")
            await own_street.broker.start()
            await until(lambda: unit.connected, "the link is back")
            await unit.publish(_alert(b"back"))
            assert unit.session == 2
            assert unit.trouble is None
    assert changes == [True, False, True, False]
    events = [line["event"] for line in logs if line["event"] != "link_lost" or line["reason"] != "it was closed"]
    assert events.count("link_lost") == 1
    assert events.count("link_up") == 2


class Patient(random.Random):
    """Chance that always picks the longest wait there is."""

    def uniform(self, a: float, b: float) -> float:  # noqa: ARG002
        return b * 1000


async def test_a_link_that_rests_for_long_tries_at_once_when_somebody_waits_for_help(own_street: Street) -> None:
    link = Link(own_street.endpoint("unit-a"), passing("unit-a"), on_message=Ear(), rng=Patient())
    async with running(link):
        await until(lambda: "cannot be reached" in (link.trouble or ""), "it was tried in vain")
        await own_street.broker.start()
        link._rng = random.Random(1)
        link.hurry()
        await until(lambda: link.connected, "it did not rest on")


class Recording(random.Random):
    """Chance that keeps which waits it was asked for."""

    def __init__(self) -> None:
        super().__init__(1)
        self.from_s: list[float] = []

    def uniform(self, a: float, b: float) -> float:
        self.from_s.append(a)
        return super().uniform(a, b) / 10


async def test_a_command_that_is_repeated_over_the_other_path_is_heard_again(street: Street) -> None:
    ear = Ear()
    command = Publication("safepoint/v1/street/unit-a/cmd/desk/set", b'{"id": "the same"}')
    endpoint = street.endpoint("unit-a")
    paths = Paths({PRIMARY: endpoint, ALTERNATE: endpoint}, passing("unit-a", ()), on_message=ear)
    received = Received(command.topic, command.payload)
    paths._hear(PRIMARY, received)
    paths._hear(ALTERNATE, received)
    ack = Received("safepoint/v1/street/unit-a/ack", b"seen")
    paths._hear(PRIMARY, ack)
    paths._hear(ALTERNATE, ack)
    assert ear.payloads() == [command.payload, command.payload, b"seen"]
    assert paths.heard_twice == 1


async def test_hurry_ends_on_all_paths_when_one_of_them_is_up(own_street: Street) -> None:
    chance = Recording()
    here = own_street.endpoint("unit-a")
    nowhere = replace(here, port=1)  # nobody listens there
    paths = Paths({PRIMARY: here, ALTERNATE: nowhere}, passing("unit-a"), on_message=Ear(), rng=chance)
    paths.hurry()
    async with running(paths):
        await until(lambda: len(chance.from_s) > 2, "both are tried in vain")
        assert 0.0 not in chance.from_s
        await own_street.broker.start()
        await paths.up()
        await until(lambda: 0.0 in chance.from_s, "the one that is down rests as usual")


async def test_what_was_in_flight_when_the_connection_died_fails_and_is_not_sent_by_the_next_one(
    own_street: Street,
) -> None:
    ear = Ear()
    await own_street.broker.start()
    desk = passing("desk", (ALERTS,))
    async with (
        linked(own_street.endpoint(CONTROL_ROOM), desk, on_message=ear) as room,
        linked(own_street.endpoint("unit-a"), passing("unit-a")) as unit,
    ):
        own_street.broker.freeze()
        receipt = unit.send(_alert(b"into the void"))
        await own_street.broker.kill()
        with pytest.raises(LinkDown):
            await receipt
        await own_street.broker.start()
        await until(lambda: unit.connected and room.connected, "both are back")
        async with asyncio.timeout(SOON_S):
            while not ear.heard:  # the room may be connected before the broker has its subscription
                await unit.publish(_alert(b"second life"))
    assert set(ear.payloads()) == {b"second life"}


async def test_a_frozen_broker_is_found_by_the_keep_alive(own_street: Street) -> None:
    await own_street.broker.start()
    async with linked(own_street.endpoint("unit-a"), passing("unit-a", keepalive_s=1.0)) as unit:
        own_street.broker.freeze()
        await until(lambda: not unit.connected, "nothing was sent, and still the loss is noticed")
        own_street.broker.thaw()
        await until(lambda: unit.connected, "the link is back")
        await unit.publish(_alert(b"back"))


async def test_a_frozen_broker_is_found_sooner_by_a_publication(own_street: Street) -> None:
    await own_street.broker.start()
    manners = passing("unit-a", keepalive_s=3600.0, puback_within_s=0.3)
    async with linked(own_street.endpoint("unit-a"), manners) as unit:
        own_street.broker.freeze()
        with pytest.raises(LinkDown):
            await unit.publish(_alert(b"help"))
        assert not unit.connected
        own_street.broker.thaw()
        await until(lambda: unit.connected, "the link is back")


async def test_closing_a_link_to_a_frozen_broker_does_not_hang(own_street: Street) -> None:
    await own_street.broker.start()
    async with linked(own_street.endpoint("unit-a"), passing("unit-a", keepalive_s=3600.0)):
        own_street.broker.freeze()


async def test_closing_a_link_that_never_came_up_does_not_hang(own_street: Street) -> None:
    link = Link(own_street.endpoint("unit-a"), passing("unit-a"), on_message=Ear())
    async with running(link):
        await until(lambda: "cannot be reached" in (link.trouble or ""), "the first attempt fails")
    with pytest.raises(LinkDown):
        link.send(_alert(b"closed"))


async def test_a_link_can_be_held_to_one_network_interface(street: Street) -> None:
    endpoint = street.endpoint("unit-a")
    async with linked(replace(endpoint, interface="lo"), passing("unit-lo")) as unit:
        assert unit.connected
    nowhere = Link(replace(endpoint, interface="no-such-if0"), passing("unit-nowhere"), on_message=Ear())
    async with running(nowhere):
        await until(
            lambda: "cannot be reached: No such device" in (nowhere.trouble or ""), "there is no such interface"
        )


async def test_a_help_call_passes_whatever_waits_for_a_place(street: Street) -> None:
    ear = Ear()
    async with (
        linked(street.endpoint(CONTROL_ROOM), passing("desk", (ALERTS,)), on_message=ear),
        linked(street.endpoint("unit-a"), passing("unit-a")) as unit,
    ):
        for _ in range(200):
            unit.send(_alert(b"rest"), Lane.REST)
        assert not unit.free_for(Lane.REST)
        assert unit.free_for(Lane.HELP)
        unit.send(_alert(b"help"), Lane.HELP)
        await until(lambda: len(ear.heard) == 201, "all are heard")
    assert ear.payloads().index(b"help") <= 10  # what was under way: half of the 20 places


async def test_what_waits_for_a_place_when_the_link_goes_down_is_told_so(own_street: Street) -> None:
    await own_street.broker.start()
    async with linked(own_street.endpoint("unit-a"), passing("unit-a", puback_within_s=1.0)) as unit:
        own_street.broker.freeze()
        waiting = [unit.send(_alert(b"rest"), Lane.REST) for _ in range(100)]
        await until(lambda: not unit.connected, "the dead connection is given up")
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        own_street.broker.thaw()
    assert all(isinstance(answer, LinkDown) for answer in answers)
