"""The street's broker is real mosquitto, with every way to fail."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.uplink.endpoint import Endpoint
from agent.uplink.manners import Manners
from agent.uplink.publication import Publication, Subscription
from fakes.authority import Authority, Credentials
from fakes.broker import CONTROL_ROOM, Broker, BrokerMissing
from tests.uplink.lab import Ear, files_of, linked, until

if TYPE_CHECKING:
    from pathlib import Path

ALERT = Publication("safepoint/v1/street/unit-a/alert/help", b"help")
DESK = Manners("desk", (Subscription("safepoint/v1/street/+/alert/+"),))


def _endpoint(authority: Authority, broker: Broker, name: str) -> Endpoint:
    return Endpoint.build(broker.url, **files_of(authority, name))


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_what_it_took_it_still_has_in_its_next_life_on_the_same_port(tmp_path: Path, end: str) -> None:
    authority = Authority(tmp_path / "authority")
    ear = Ear()
    async with Broker(tmp_path / "broker", authority) as broker:
        port = broker.port
        desk = _endpoint(authority, broker, CONTROL_ROOM)
        async with linked(desk, DESK):
            pass  # subscribes, and goes away
        async with linked(_endpoint(authority, broker, "unit-a"), Manners("unit-a")) as unit:
            await unit.publish(ALERT)
        await until((tmp_path / "broker" / "mosquitto.db").exists, "it has saved")
        await (broker.stop() if end == "stop" else broker.kill())
        assert not broker.running
        await broker.start()
        assert broker.port == port
        if end == "stop":
            async with linked(desk, DESK, on_message=ear):
                await until(lambda: ear.heard, "the alert is heard")
            assert ear.payloads() == [b"help"]
        else:
            async with linked(desk, DESK):
                assert broker.running


async def test_it_can_be_stopped_while_it_is_frozen(tmp_path: Path) -> None:
    async with Broker(tmp_path / "broker", Authority(tmp_path / "authority")) as broker:
        broker.freeze()
        assert broker.running
    assert not broker.running


async def test_a_plain_listener_is_there_when_it_was_asked_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    async with Broker(tmp_path / "broker", authority, plain=True) as broker:
        assert broker.plain_url is not None
        async with linked(Endpoint.build(broker.plain_url, insecure_lab=True), Manners("bench")) as bench:
            await bench.publish(ALERT)
    assert Broker(tmp_path / "other", authority).plain_url is None


async def test_without_mosquitto_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fakes.broker.shutil.which", lambda _name, **_where: None)
    with pytest.raises(BrokerMissing, match="install the package mosquitto"):
        await Broker(tmp_path / "broker", Authority(tmp_path / "authority")).start()


async def test_a_broker_whose_port_is_taken_says_so(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    async with Broker(tmp_path / "first", authority) as first:
        second = Broker(tmp_path / "second", authority)
        second.port = first.port
        with pytest.raises(BrokerMissing, match=f"port {first.port} is taken"):
            await second.start()


async def test_a_broker_that_ends_at_once_says_why(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker", Authority(tmp_path / "authority"), org="nonsense\nlistener nowhere")
    with pytest.raises(BrokerMissing, match=r"ended at once: .+"):
        await broker.start()


async def test_a_broker_that_listens_and_cannot_serve_is_not_ready(tmp_path: Path) -> None:
    """It lets itself be connected to before it reads its certificate: two brokers of one authority started at once."""

    class TwoAtOnce(Authority):
        def issue_server(self, common_name: str = "localhost") -> Credentials:
            first, second = super().issue_server(common_name), super().issue_server(common_name)
            return replace(first, key_file=second.key_file)

    broker = Broker(tmp_path / "broker", TwoAtOnce(tmp_path / "authority"))
    with pytest.raises(BrokerMissing, match=r"ended at once: .+"):
        await broker.start()


def test_no_broker_of_an_authority_reads_the_files_of_another(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    first, second = authority.issue_server(), authority.issue_server()
    assert {first.cert_file, first.key_file}.isdisjoint({second.cert_file, second.key_file})


def test_keys_are_for_their_owners_eyes_only(tmp_path: Path) -> None:
    files = Authority(tmp_path).issue_client("unit-a")
    for path in (files.cert_file, files.key_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_uid == os.getuid()
