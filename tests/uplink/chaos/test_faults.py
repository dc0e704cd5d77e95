"""The same stories over every kind of bad network: nothing is lost, nothing comes twice, and help comes first."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import SystemClock
from agent.control_room.room import ControlRoom
from agent.signals import Category
from agent.uplink.endpoint import Endpoint
from agent.uplink.paths import ALTERNATE, PRIMARY
from agent.uplink.publication import Subscription
from tests.uplink.chaos.faults import ALWAYS, FIRST, IDLE, LEAVING, SLOW
from tests.uplink.chaos.rough_network import CALM, End, Fault, RoughNetwork
from tests.uplink.chaos.slow import MAY_PRECEDE as MAY_PRECEDE_ON_A_SLOW_ONE
from tests.uplink.chaos.slow import help_over
from tests.uplink.chaos.small_unit import small_unit
from tests.uplink.lab import SOON_S, Ear, linked, passing, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from agent.control_room.alerts import Alert
    from tests.uplink.conftest import Street

BACKLOG = 24
"""More than a connection has places for."""
SHORT_BACKLOG = 6
"""Where each byte takes a millisecond."""
MAY_PRECEDE = 10
"""Revisions of a backlog that may come between a press and its call: half of a connection's 20 places, which is all
that noise may have under way (`agent.uplink.lanes`)."""
HANDSHAKE = (1, 5, 6, *range(100, 3200, 250), 3500, 4500, 6000, 9000)
"""Bytes, both ways together: within the first record's header, and then as often as two certificates are long, so that
each message of the handshake is cut somewhere; and in MQTT behind it."""
PATIENCE: dict[str, Any] = {"puback_within_s": 4.0, "keepalive_s": 4.0}
"""So that a half-open connection is found within a test."""


def at_port(port: int | None) -> Endpoint:
    """A broker without TLS on this machine."""
    return Endpoint.build(f"mqtt://127.0.0.1:{port}", insecure_lab=True)


@asynccontextmanager
async def control_room(street: Street) -> AsyncIterator[ControlRoom]:
    """A control room of a name that nothing waits for at the broker."""
    room = ControlRoom(at_port(street.broker.plain_port), f"desk-{id(street)}", SystemClock(), org="street")
    async with room:
        await room.wait_for(lambda room: room.connected, SOON_S)
        yield room


def before_the_call(alerts: Mapping[str, Alert], help_id: str, pressed_s: float) -> int:
    """How many other revisions came after a press and before its call."""
    call_s = alerts[help_id].arrivals[0].received.monotonic_s
    others = (alert for alert in alerts.values() if alert.alert_id != help_id)
    return sum(pressed_s < arrival.received.monotonic_s < call_s for alert in others for arrival in alert.arrivals)


async def tell_a_story(street: Street, folder: Path, network: RoughNetwork) -> None:
    """A backlog of three revisions each is under way, and somebody calls for help in the middle of it."""
    bytewise = network.always.piece == 1
    backlog, patience = (SHORT_BACKLOG, {}) if bytewise else (BACKLOG, PATIENCE)
    incidents = [f"{folder.name}-{number}" for number in range(backlog // 3)]
    help_id = f"{folder.name}-help"
    async with (
        control_room(street) as room,
        small_unit(folder / "outbox", {PRIMARY: at_port(network.port)}, **patience) as unit,
    ):
        for revision in (1, 2, 3):
            for incident in incidents:
                unit.raise_alert(incident, revision, Category.NOISE)
        await until(lambda: unit.courier.sent, "the backlog begins to move")
        pressed_s = time.monotonic()
        unit.raise_alert(help_id, 1, Category.HELP)
        unit.raise_alert(help_id, 2, Category.HELP)
        await until(lambda: unit.courier.pending == 0, "everything is acknowledged")
        mine = {key: alert for key, alert in room.alerts.items() if key.startswith(folder.name)}
        assert {*mine} == {*incidents, help_id}
        for alert in mine.values():
            revisions = [arrival.revision for arrival in alert.arrivals]
            assert revisions == ([1, 2] if alert.alert_id == help_id else [1, 2, 3])
            assert all(earlier.happened <= later.happened for earlier, later in pairwise(alert.arrivals))
        assert before_the_call(mine, help_id, pressed_s) <= MAY_PRECEDE
        assert unit.courier.delivered == backlog + 2


@pytest.mark.parametrize("fault", ALWAYS)
async def test_on_a_network_that_is_always_bad_everything_comes_once_and_in_order(
    street: Street, tmp_path: Path, fault: str
) -> None:
    async with RoughNetwork(street.broker.plain_port or 0, reads_mqtt=True) as network:
        network.always = ALWAYS[fault]
        await tell_a_story(street, tmp_path, network)


async def test_on_a_network_of_a_byte_each_millisecond_a_call_overtakes_the_backlog(
    street: Street, tmp_path: Path
) -> None:
    slow = await help_over(tmp_path, street.broker.plain_port or 0, SLOW["a byte each millisecond"])
    assert slow.before_call <= MAY_PRECEDE_ON_A_SLOW_ONE
    assert slow.call_s > 0


@pytest.mark.parametrize("fault", FIRST)
async def test_a_connection_that_breaks_anywhere_loses_nothing_and_repeats_no_incident(
    street: Street, tmp_path: Path, fault: str
) -> None:
    async with RoughNetwork(street.broker.plain_port or 0, reads_mqtt=True) as network:
        network.next_connections(FIRST[fault])
        await tell_a_story(street, tmp_path, network)
        assert network.ended >= 1


@pytest.mark.parametrize("fault", IDLE)
async def test_a_connection_that_breaks_while_nothing_happens_is_found_and_the_next_call_comes_once(
    street: Street, tmp_path: Path, fault: str
) -> None:
    async with RoughNetwork(street.broker.plain_port or 0, reads_mqtt=True) as network:
        network.next_connections(IDLE[fault])
        often: dict[str, Any] = {"puback_within_s": 4.0, "keepalive_s": 1.0}
        call = f"{tmp_path.name}-call"
        async with (
            control_room(street) as room,
            small_unit(tmp_path, {PRIMARY: at_port(network.port)}, **often) as unit,
        ):
            await until(lambda: network.ended, "it breaks")
            unit.raise_alert(call, 1, Category.HELP)
            await until(lambda: unit.courier.pending == 0, "everything is acknowledged")
            assert [arrival.revision for arrival in room.alerts[call].arrivals] == [1]


@pytest.mark.parametrize("fault", LEAVING)
async def test_a_unit_whose_last_words_are_cut_off_ends_and_its_next_life_goes_on(
    street: Street, tmp_path: Path, fault: str
) -> None:
    names = [f"{tmp_path.name}-{number}" for number in range(3)]
    async with RoughNetwork(street.broker.plain_port or 0, reads_mqtt=True) as network, control_room(street) as room:
        network.next_connections(LEAVING[fault])
        async with small_unit(tmp_path, {PRIMARY: at_port(network.port)}, **PATIENCE) as unit:
            unit.raise_alert(names[0], 1, Category.HELP)
            await until(lambda: unit.courier.pending == 0, "it is acknowledged")
        await until(lambda: network.ended, "the network ends the connection in the good-bye")
        async with small_unit(tmp_path, {PRIMARY: at_port(network.port)}, **PATIENCE) as unit:
            for name in names[1:]:
                unit.raise_alert(name, 1, Category.HELP)
            await until(lambda: unit.courier.pending == 0, "they are acknowledged")
        assert [len(room.alerts[name].arrivals) for name in names] == [1, 1, 1]


@pytest.mark.parametrize("end", End)
async def test_an_encrypted_connection_may_break_after_any_byte(
    street: Street, tmp_path: Path, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A handshake that nobody answers is given up as ever, only sooner: there are a good many of them.
    monkeypatch.setattr("agent.uplink.paho_client.CONNECT_TIMEOUT_S", 1.0)
    monkeypatch.setattr("agent.uplink.link.ACCEPTED_WITHIN_S", 3.0)
    places = HANDSHAKE if end is not End.HALF_OPEN else HANDSHAKE[::3]
    async with RoughNetwork(street.broker.port, reads_mqtt=False) as network:
        network.next_connections(*(Fault(end=end, end_after=bytes_) for bytes_ in places))
        endpoint = street.endpoint("unit-a")
        through = replace(endpoint, port=network.port)
        async with (
            control_room(street) as room,
            small_unit(tmp_path, {PRIMARY: through}, **PATIENCE) as unit,
        ):
            calls = {f"tls-{end.value}-{number}" for number in range(10)}
            for call in calls:
                unit.raise_alert(call, 1, Category.HELP)
            await until(lambda: unit.courier.pending == 0, "everything is acknowledged")
            assert calls <= {*room.alerts}
        assert not network.expects_faults


async def test_what_one_path_swallows_comes_over_the_other_and_says_so(street: Street, tmp_path: Path) -> None:
    port = street.broker.plain_port or 0
    async with RoughNetwork(port, reads_mqtt=True) as first, RoughNetwork(port, reads_mqtt=True) as second:
        paths = {PRIMARY: at_port(first.port), ALTERNATE: at_port(second.port)}
        async with control_room(street) as room, small_unit(tmp_path, paths, **PATIENCE) as unit:
            await until(lambda: all(path["up"] for path in unit.paths.facts()), "both paths are up")
            unit.raise_alert("two-1", 1, Category.HELP)
            await until(lambda: unit.courier.pending == 0, "it is acknowledged")
            assert room.alerts["two-1"].latest.data["path"] == {"used": PRIMARY, "attempt": 1, "late": False}
            first.strike(End.HALF_OPEN)
            first.always = Fault(end=End.RESET, end_after=0)
            unit.raise_alert("two-2", 1, Category.HELP)
            await until(lambda: unit.courier.pending == 0, "it is acknowledged")
            assert room.alerts["two-2"].latest.data["path"]["used"] == ALTERNATE
            await until(lambda: unit.path_events, "the loss is told")
            assert unit.path_events[0] == (PRIMARY, "lost")
            first.always = CALM
            await until(lambda: (PRIMARY, "back") in unit.path_events, "the return is told")


async def test_a_call_that_the_first_path_swallows_goes_over_the_other_while_nobody_knows_that_the_first_is_dead(
    street: Street, tmp_path: Path
) -> None:
    port = street.broker.plain_port or 0
    never: dict[str, Any] = {"puback_within_s": 3600.0, "keepalive_s": 3600.0, "uplink": {"resend_s": (3600.0,)}}
    async with RoughNetwork(port, reads_mqtt=True) as first:
        paths = {PRIMARY: at_port(first.port), ALTERNATE: at_port(port)}
        async with control_room(street) as room, small_unit(tmp_path, paths, **never) as unit:
            await until(lambda: all(path["up"] for path in unit.paths.facts()), "both paths are up")
            first.strike(End.HALF_OPEN)
            unit.raise_alert("half-open", 1, Category.HELP)
            await until(lambda: "half-open" in room.alerts, "it is heard")
            assert room.alerts["half-open"].latest.data["path"] == {"used": ALTERNATE, "attempt": 2, "late": False}
            await until(lambda: unit.courier.silent_paths == {PRIMARY}, "the other path's broker has taken it")
            unit.raise_alert("half-open", 2, Category.HELP)
            unit.raise_alert("next", 1, Category.INTRUDER)
            await until(lambda: unit.courier.pending == 0, "what follows is acknowledged")
            for later in (room.alerts["half-open"].latest, room.alerts["next"].latest):
                assert later.data["path"] == {"used": ALTERNATE, "attempt": 1, "late": False}
            assert all(path["up"] for path in unit.paths.facts())


async def test_a_call_that_one_broker_has_and_nobody_heard_is_repeated_while_the_other_path_says_nothing(
    street: Street, tmp_path: Path
) -> None:
    port = street.broker.plain_port or 0
    never: dict[str, Any] = {"puback_within_s": 3600.0, "keepalive_s": 3600.0, "uplink": {"resend_s": (0.5,)}}
    ear = Ear()
    calls = Subscription("safepoint/v1/street/+/alert/help")  # and not how it stands, which the broker keeps
    async with RoughNetwork(port, reads_mqtt=True) as first:
        paths = {PRIMARY: at_port(first.port), ALTERNATE: at_port(port)}
        async with small_unit(tmp_path, paths, **never) as unit:
            await until(lambda: all(path["up"] for path in unit.paths.facts()), "both paths are up")
            first.strike(End.HALF_OPEN)
            unit.raise_alert("nobody-there", 1, Category.HELP)
            await until(lambda: unit.courier.silent_paths == {PRIMARY}, "the other path's broker has taken it")
            async with linked(at_port(port), passing("late-desk", (calls,)), on_message=ear):
                await until(lambda: ear.heard, "whoever comes now hears it")
                data = json.loads(ear.heard[0].payload)["data"]
                assert (data["alertId"], data["path"]["used"]) == ("nobody-there", ALTERNATE)
                assert data["path"]["attempt"] > 2, "after the one that was swallowed, and the one that nobody heard"
                assert all(path["up"] for path in unit.paths.facts())


async def test_an_acknowledgement_that_comes_over_both_paths_is_heard_once(street: Street, tmp_path: Path) -> None:
    endpoint = at_port(street.broker.plain_port)
    async with (
        control_room(street) as room,
        small_unit(tmp_path, {PRIMARY: endpoint, ALTERNATE: endpoint}, **PATIENCE) as unit,
    ):
        await until(lambda: all(path["up"] for path in unit.paths.facts()), "both paths are up")
        unit.raise_alert("both-1", 1, Category.HELP)
        # The broker may also hand over, over both paths, acknowledgements that an earlier story left in the sessions.
        await until(lambda: unit.courier.delivered and unit.paths.heard_twice, "the acknowledgement came twice")
        assert unit.courier.delivered == 1
        assert "both-1" in room.alerts
