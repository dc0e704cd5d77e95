"""A unit's certificates while it runs: found late, ending, renewed, refused. The broker is real."""

from __future__ import annotations

import asyncio
import math
import shutil
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from agent.clock import SystemClock
from agent.signals import FaultCleared, Faulted
from agent.uplink import credentials as credentials_module
from agent.uplink.authorities import SOON
from agent.uplink.connection import Connection
from agent.uplink.credentials import Credentials, Keeper
from agent.uplink.endpoint import Endpoint
from agent.uplink.jsonable import timestamp
from agent.uplink.link import Link
from agent.uplink.manners import Hooks
from agent.uplink.slots import GIVEN
from agent.uplink.tls import EndpointInvalid
from agent.uplink.wire import Wire
from fakes.authority import Authority
from fakes.broker import Broker
from tests.alongside import alongside
from tests.uplink.conftest import Street
from tests.uplink.lab import SOON_S, Ear, LabClock, make_config, passing, running, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from agent.clock import Clock
    from agent.signals import Signal
    from agent.uplink.slots import Identity
    from agent.uplink.tls import Look
    from fakes.authority import Credentials as Issued

UNIT = "unit-a"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the files again and again, not each half minute."""
    monkeypatch.setattr(credentials_module, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(credentials_module, "LOOK_AGAIN_S", 0.02)
    monkeypatch.setattr("agent.uplink.trial.TRY_AGAIN_S", (0.1,))


class Holder:
    """A unit's link, and the keeper of its certificates."""

    def __init__(
        self,
        street: Street,
        folder: Path,
        issued: Issued | None = None,
        clock: Clock | None = None,
        *,
        ca_file: Path | None = None,
    ) -> None:
        self.files = folder / "given"
        self.files.mkdir()
        if issued is not None:
            self.bring(issued)
        given = {"ca_file": ca_file or street.authority.ca_file, "cert_file": self.cert_file, "key_file": self.key_file}
        config = make_config(broker=street.broker.url, insecure_lab=False, **given)
        self.config = config.model_copy(update={"state_folder": folder / "state"})
        self.clock = clock or SystemClock()
        found = Credentials.of(self.config, self.clock)
        assert found is not None
        self.credentials = found
        endpoint = Endpoint.from_settings(self.config.uplink, found.tls)
        self.link = Link(endpoint, passing(UNIT), on_message=Ear())
        self.told: list[Signal] = []
        self.hurried = 0
        self.looks = 0
        self.keeper = Keeper(
            found,
            endpoint,
            self.config,
            self.clock,
            self.told.append,
            connected=lambda: self.link.connected,
            hurry=self._hurry,
        )

    @property
    def cert_file(self) -> Path:
        return self.files / "unit.crt"

    @property
    def key_file(self) -> Path:
        return self.files / "unit.key"

    @property
    def faults(self) -> dict[str, str]:
        """The faults that stand, by code, and what was said of them."""
        standing: dict[str, str] = {}
        for signal in self.told:
            if isinstance(signal, Faulted):
                standing[signal.code] = signal.text
            elif isinstance(signal, FaultCleared):
                standing.pop(signal.code)
        return standing

    @property
    def facts(self) -> dict[str, Any]:
        return dict(self.keeper.facts().get("certificate", {}))

    def bring(self, issued: Issued) -> None:
        """Put the files where the configuration says."""
        shutil.copy(issued.cert_file, self.cert_file)
        shutil.copy(issued.key_file, self.key_file)

    def renew(self, issued: Issued) -> None:
        """Put a new certificate into the slot that is not in use."""
        self.credentials.slots.put(issued.cert_file.read_bytes(), issued.key_file.read_bytes())

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Holder]:
        async with alongside(self.keeper.run(self._looked)), running(self.link):
            yield self

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Holder]:
        async with self.working():
            async with asyncio.timeout(SOON_S):
                await self.link.up()
            yield self

    def _looked(self) -> None:
        self.looks += 1

    def _hurry(self) -> None:
        self.hurried += 1
        self.link.hurry()


async def test_files_that_are_missing_are_told_and_picked_up_when_they_appear(street: Street, tmp_path: Path) -> None:
    holder = Holder(street, tmp_path)
    async with holder.working():
        await until(lambda: "unusable" in holder.faults, "the fault is told")
        assert f"cert_file {holder.cert_file} cannot be read" in holder.faults["unusable"]
        assert "calls wait in the outbox" in holder.faults["unusable"]
        await until(lambda: "cannot be read" in (holder.link.trouble or ""), "the link says why it is down")
        holder.bring(street.authority.issue_client(UNIT))
        await until(lambda: holder.link.connected, "the link is up without a restart")
        await until(lambda: not holder.faults, "the restore is told")
        assert holder.hurried == 1


async def test_a_certificate_that_was_read_once_outlives_its_files(street: Street, tmp_path: Path) -> None:
    holder = Holder(street, tmp_path, street.authority.issue_client(UNIT))
    async with holder.connected():
        shutil.rmtree(holder.files)
        await until(lambda: "unusable" in holder.faults, "the loss is told")
        assert "What was read before is still used" in holder.faults["unusable"]
    async with asyncio.timeout(SOON_S):
        again = Link(holder.link._endpoint, passing(UNIT), on_message=Ear())
        async with running(again):
            await again.up()


@pytest.mark.parametrize(
    ("days_left", "words"), [(SOON.days + 0.5, ""), (SOON.days - 0.5, "in 29 days"), (-0.5, "has ended on")]
)
async def test_the_end_of_a_certificate_is_a_fault_thirty_days_before(
    street: Street, tmp_path: Path, days_left: float, words: str
) -> None:
    now = datetime.now(UTC)
    valid = (now - timedelta(days=90), now + timedelta(days=days_left))
    holder = Holder(street, tmp_path, street.authority.issue_client(UNIT, valid), LabClock(now))
    async with holder.working():
        await until(lambda: holder.facts, "the files were looked at")
        assert holder.facts["daysLeft"] == math.floor(days_left)
        assert [words in text for text in holder.faults.values()] == ([True] if words else [])


@pytest.mark.parametrize(("days_left", "words"), [(29.5, ", in 29 days: "), (-0.5, " has ended on")])
async def test_the_end_of_the_authority_is_a_fault_too_until_a_new_one_signed(
    street: Street, tmp_path: Path, days_left: float, words: str
) -> None:
    now = datetime.now(UTC)
    ending = Authority(tmp_path / "ending", "ending", (now - timedelta(days=90), now + timedelta(days=days_left)))
    both = tmp_path / "both.pem"
    both.write_bytes(street.authority.ca_file.read_bytes() + ending.ca_file.read_bytes())
    holder = Holder(street, tmp_path, ending.issue_client(UNIT), LabClock(now), ca_file=both)
    async with holder.working():
        await until(lambda: "authority" in holder.faults, "it is told")
        assert holder.faults["authority"].startswith("The authority ending authority of this run ")
        assert words in holder.faults["authority"]
        ends = now + timedelta(days=days_left)
        assert holder.facts["authorityExpires"] == timestamp(ends.replace(microsecond=0))
        holder.bring(street.authority.issue_client(UNIT))
        await until(lambda: "authority" not in holder.faults, "the other one is good for longer")


async def test_a_key_that_others_can_read_is_used_and_told(street: Street, tmp_path: Path) -> None:
    holder = Holder(street, tmp_path, street.authority.issue_client(UNIT))
    holder.key_file.chmod(0o644)
    async with holder.connected():
        await until(lambda: "exposed" in holder.faults, "the fault is told")
        holder.key_file.chmod(0o600)
        await until(lambda: not holder.faults, "the restore is told")


async def test_a_new_certificate_is_taken_into_use_once_the_broker_took_it(street: Street, tmp_path: Path) -> None:
    holder = Holder(street, tmp_path, street.authority.issue_client(UNIT))
    async with holder.connected():
        session = holder.link.session
        holder.renew(street.authority.issue_client(UNIT))
        await until(lambda: holder.facts.get("active") == "a", "it is in use")
        assert holder.facts["renewal"] == "none"
        assert (holder.link.connected, holder.link.session) == (True, session), "the trial pushed nobody out"
        assert holder.credentials.tls.show().name == "a"
        seen = holder.looks
        await until(lambda: holder.looks >= seen + 3, "it was looked at again")
    assert [identity.name for identity in holder.credentials.slots.in_order()] == ["a", GIVEN]
    assert not holder.told


@pytest.mark.parametrize(
    ("whose", "why"), [("foreign", "before it was accepted"), ("another", "it is for unit-b, not for unit-a")]
)
async def test_a_new_certificate_that_does_not_work_leaves_the_old_one_in_use(
    street: Street, tmp_path: Path, whose: str, why: str
) -> None:
    holder = Holder(street, tmp_path, street.authority.issue_client(UNIT))
    async with holder.connected():
        foreign = Authority(tmp_path / "foreign").issue_client(UNIT)
        holder.renew(foreign if whose == "foreign" else street.authority.issue_client("unit-b"))
        await until(lambda: "renewal" in holder.faults, "the refusal is told")
        assert why in holder.faults["renewal"]
        assert (holder.facts["active"], holder.facts["renewal"]) == (GIVEN, "refused")
        holder.renew(street.authority.issue_client(UNIT))
        await until(lambda: holder.facts["active"] == "a", "a better one is taken into use")
        await until(lambda: not holder.faults, "the restore is told")


class Muting(Broker):
    """A broker at which the rights to answer commands were forgotten."""

    def rights(self) -> str:
        return "\n".join(line for line in super().rights().splitlines() if not line.endswith("/rsp/+"))


async def test_a_new_certificate_whose_words_the_broker_refuses_leaves_the_old_one_in_use(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    async with Muting(tmp_path / "broker", authority) as broker:
        holder = Holder(Street(authority, broker), tmp_path, authority.issue_client(UNIT))
        async with holder.connected():
            holder.renew(authority.issue_client(UNIT))
            await until(lambda: "renewal" in holder.faults, "the refusal is told")
            assert "Not authorized" in holder.faults["renewal"]
            assert (holder.facts["active"], holder.facts["renewal"]) == (GIVEN, "refused")
            assert holder.link.connected
    assert [identity.name for identity in holder.credentials.slots.in_order()] == [GIVEN]


async def test_a_new_certificate_is_not_tried_while_the_broker_is_away(street: Street, tmp_path: Path) -> None:
    holder = Holder(street, tmp_path, street.authority.issue_client(UNIT))
    holder.renew(street.authority.issue_client(UNIT))
    async with alongside(holder.keeper.run(lambda: None)):  # its link does not run
        await until(lambda: holder.facts.get("renewal") == "waiting", "it waits")
    assert (holder.facts["active"], holder.told) == (GIVEN, [])


async def test_a_broker_that_does_not_want_the_active_certificate_any_more_is_shown_the_one_before(
    street: Street, tmp_path: Path
) -> None:
    holder = Holder(street, tmp_path, street.authority.issue_client(UNIT))
    foreign = Authority(tmp_path / "foreign").issue_client(UNIT)
    slots = holder.credentials.slots
    slots.promote(slots.put(foreign.cert_file.read_bytes(), foreign.key_file.read_bytes()))
    holder.link.hurry()
    async with holder.connected():
        await until(lambda: "fallback" in holder.faults, "it is told")
        assert holder.facts["acceptedAs"] == GIVEN
        assert holder.facts["active"] == "a"


async def test_a_broker_of_an_authority_that_was_replaced_is_never_trusted_again(
    street: Street, tmp_path: Path
) -> None:
    holder = Holder(street, tmp_path, street.authority.issue_client(UNIT))
    new = Authority(tmp_path / "new").issue_client(UNIT)
    slots = holder.credentials.slots
    slots.promote(slots.put(new.cert_file.read_bytes(), new.key_file.read_bytes(), new.ca_file.read_bytes()))
    endpoint = Endpoint.from_settings(holder.config.uplink, holder.credentials.tls)
    hooks = Hooks(opened=lambda: None, message=Ear(), refused=lambda _: None)
    for attempt in range(10):
        connection = Connection(endpoint, passing(UNIT), None, hooks, Wire())
        connection.start()
        async with asyncio.timeout(SOON_S):
            await connection.ended.wait()
        assert not connection.opened.is_set(), f"attempt {attempt}"
        assert "the broker's certificate was not accepted" in connection.reason
        assert holder.credentials.tls.show().name == "a", "nor is it shown another certificate"


async def test_a_disk_that_hangs_from_the_start_holds_one_thread_and_no_more(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials_module, "LOOK_WITHIN_S", 0.02)
    holder = Holder(street, tmp_path, street.authority.issue_client(UNIT))
    tls, answers, entered = holder.credentials.tls, threading.Event(), [0]
    in_order = holder.credentials.slots.in_order

    def hung() -> Sequence[Identity]:
        entered[0] += 1
        answers.wait(SOON_S)
        return in_order()

    monkeypatch.setattr(tls, "_identities", hung)
    try:
        async with holder.working():
            await until(lambda: entered[0], "somebody looks")
            for _ in range(10):
                await asyncio.sleep(0.02)  # a period of the keeper
                assert len([each for each in threading.enumerate() if each.name == "credentials"]) <= 1
                with pytest.raises(EndpointInvalid, match="still being read"):
                    tls.show()
            assert entered[0] == 1
            answers.set()
            holder.link.hurry()
            await until(lambda: holder.looks and holder.link.connected, "all goes on once the disk answers")
    finally:
        answers.set()


async def test_a_disk_that_hangs_holds_one_look_up_and_nothing_else(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials_module, "LOOK_WITHIN_S", 0.05)
    holder = Holder(street, tmp_path, street.authority.issue_client(UNIT))
    answers = threading.Event()
    look, entered = holder.credentials.tls.look, [0]

    def hung_look() -> Look:
        entered[0] += 1
        answers.wait(SOON_S)
        return look()

    async with holder.connected():
        monkeypatch.setattr(holder.credentials.tls, "look", hung_look)
        with capture_logs() as logs:
            await until(
                lambda: [each for each in logs if each["event"] == "certificates_not_looked_at"], "it is logged"
            )
            seen = holder.looks
            await asyncio.sleep(0.2)  # ten more turns of the keeper
        assert (entered[0], holder.looks, holder.told, holder.link.connected) == (1, seen, [], True)
        answers.set()
        await until(lambda: holder.looks > seen, "it looks again once the disk answers")
