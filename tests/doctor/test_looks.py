"""Single looks, at real brokers, outboxes and files."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.config.load import load_config
from agent.doctor.look import backlog, certificate, logins, ways
from agent.doctor.look.asking import answer
from agent.doctor.look.case import Case
from agent.doctor.look.machine import seconds
from agent.signals import Category
from agent.uplink.outbox import Outbox
from agent.uplink.slots import GIVEN, Identity, Slots
from fakes.authority import Authority
from fakes.broker import Broker
from tests.uplink.lab import tell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.doctor.facts import Way


def case(folder: Path, url: str, tls: str = "", more: str = "") -> Case:
    """A unit with this broker; `tls` is the folder with its three files."""
    files = f", ca_file: {tls}/ca.crt, cert_file: {tls}/hk-001.crt, key_file: {tls}/hk-001.key" if tls else ""
    lab = "" if tls else ", insecure_lab: true"
    file = folder / "unit.yaml"
    file.write_text(
        "profile: safe-point\nunit: {id: hk-001, org: street, name: A, location: B}\n"
        f'uplink: {{broker: "{url}"{files}{lab}}}\nstate_folder: {folder}/state\n{more}',
        encoding="utf-8",
    )
    (folder / "state").mkdir(exist_ok=True, mode=0o700)
    return Case(file, load_config(file, judge_files=False).config)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Broker]]:
    pki = tmp_path_factory.mktemp("pki")
    authority = Authority(pki)
    authority.issue_client("hk-001")
    broker = Broker(tmp_path_factory.mktemp("broker"), authority)
    asyncio.run(broker.start())
    yield pki, broker
    asyncio.run(broker.stop())


def only_way(looked_at: Case) -> Way:
    (way,) = ways.look(looked_at) or ()
    return way


def test_a_broker_that_trusts_us_and_that_we_trust_is_a_way(street: tuple[Path, Broker], tmp_path: Path) -> None:
    pki, broker = street
    assert only_way(case(tmp_path, broker.url, str(pki))).failed is None


def test_a_broker_of_another_authority_is_not_trusted(street: tuple[Path, Broker], tmp_path: Path) -> None:
    _, broker = street
    Authority(tmp_path / "other").issue_client("hk-001")
    way = only_way(case(tmp_path, broker.url, str(tmp_path / "other")))
    assert way.failed == "trust"
    assert way.reason


def test_a_broker_that_does_not_trust_us_says_so_after_the_handshake(
    street: tuple[Path, Broker], tmp_path: Path
) -> None:
    pki, broker = street
    stranger = tmp_path / "stranger"
    Authority(stranger).issue_client("hk-001")
    (stranger / "ca.crt").write_bytes((pki / "ca.crt").read_bytes())  # we trust the broker
    way = only_way(case(tmp_path, broker.url, str(stranger)))
    assert way.failed == "turned away"
    assert "ca" in way.reason


def test_a_broker_that_is_not_there_is_not_reached_and_a_name_that_is_none_not_found(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        way = only_way(case(tmp_path, f"mqtt://127.0.0.1:{taken.getsockname()[1]}"))
    assert (way.failed, way.reason) == ("reach", "Connection refused")
    assert only_way(case(tmp_path, "mqtt://a..b")).failed == "name"


def test_the_certificate_in_use_is_looked_at_and_not_the_one_that_it_replaced(tmp_path: Path) -> None:
    ended = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC))
    authority = Authority(tmp_path / "pki")
    old = authority.issue_client("hk-001", ended)
    unit = case(tmp_path, "mqtts://localhost", str(tmp_path / "pki"))
    looked = certificate.look(unit)
    assert looked is not None
    assert (looked.not_after, looked.exposed) == (ended[1], False)
    renewed = Authority(tmp_path / "new").issue_client("hk-001")
    slots = Slots(tmp_path / "state/tls", Identity(GIVEN, old.ca_file, old.cert_file, old.key_file))
    files = (renewed.cert_file, renewed.key_file, renewed.ca_file)
    slots.promote(slots.put(*(file.read_bytes() for file in files)))
    looked = certificate.look(unit)
    assert looked is not None
    assert looked.not_after is not None
    assert looked.not_after > datetime.now(UTC) + timedelta(days=1)
    looked.key_file.chmod(0o644)
    assert certificate.look(unit) is not None
    assert getattr(certificate.look(unit), "exposed", None) is True


def test_a_key_of_another_certificate_is_trouble(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    authority.issue_client("hk-001")
    other = authority.issue_client("hk-002")
    other.key_file.replace(tmp_path / "pki/hk-001.key")
    looked = certificate.look(case(tmp_path, "mqtts://localhost", str(tmp_path / "pki")))
    assert looked is not None
    assert "are no matching pair" in (looked.trouble or "")


def test_a_key_that_a_tpm_holds_is_not_tried_without_the_services_openssl(
    street: tuple[Path, Broker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENSSL_CONF", raising=False)
    _, broker = street
    Authority(tmp_path / "pki").issue_client("hk-001")
    (tmp_path / "pki/hk-001.key").write_text("-----BEGIN TSS2 PRIVATE KEY-----\nMIHyBgZngQUKAQOg\n")
    unit = case(tmp_path, broker.url, str(tmp_path / "pki"))
    looked = certificate.look(unit)
    assert looked is not None
    assert (looked.trouble, looked.name) == (None, "hk-001")
    assert only_way(unit).failed is None


async def test_what_waits_in_the_outbox_is_counted_beside_the_running_daemon(tmp_path: Path) -> None:
    unit = case(tmp_path, "mqtt://localhost")
    assert backlog.look(unit) is None  # it never ran
    outbox = await Outbox.open(
        tmp_path / "state", 1000, SystemClock(), on_trouble=lambda *_: None, on_over=lambda _: None
    )
    now = SystemClock().now()
    try:
        outbox.keep(
            [
                tell("a", 1, now, Category.HELP),
                tell("b", 1, now, Category.INTRUDER),
                tell("c", 1, now, Category.FAULT),
            ]
        )
        await outbox.flushed()
        looked = await asyncio.to_thread(backlog.look, unit)
    finally:
        await outbox.close()
    assert looked is not None
    assert (looked.calls, looked.others) == (1, 2)
    assert 0.0 <= looked.oldest_s < 600.0
    assert {path.stat().st_uid for path in (tmp_path / "state").iterdir()} == {os.geteuid()}


def test_an_outbox_that_is_damaged_is_an_error_with_its_name(tmp_path: Path) -> None:
    unit = case(tmp_path, "mqtt://localhost")
    (tmp_path / "state/outbox.sqlite").write_bytes(b"no database " * 1000)
    with pytest.raises(OSError, match=r"outbox.sqlite cannot be read: file is not a database"):
        backlog.look(unit)


def test_users_with_a_password_are_those_whom_a_password_lets_in() -> None:
    shadow = "root:*:1:::::\npi:$y$j9T$abc:1:::::\nanna:!:1:::::\nold:!$6$x:1:::::\nopen::1:::::\n"
    assert logins.usable_passwords(shadow) == ("pi", "open")


@pytest.mark.parametrize(
    ("said", "meant"), [("0", None), ("infinity", None), ("15s", 15.0), ("1min 30s", 90.0), ("15000000", 15.0)]
)
def test_the_watchdogs_time_is_read_as_systemd_writes_it(said: str, meant: float | None) -> None:
    assert seconds(said) == meant


def test_a_program_that_floods_is_cut_and_one_that_fails_tells_why() -> None:
    assert answer("yes", most_bytes=1000) == "y\n" * 500
    with pytest.raises(OSError, match=r"^sh: no bus$"):
        answer("sh", "-c", "echo no bus >&2; exit 3")
    with pytest.raises(TimeoutError, match=r"sleep did not answer within 0.05 s"):
        answer("sleep", "1000", within_s=0.05)
    with pytest.raises(FileNotFoundError):
        answer("no-such-program-here")
