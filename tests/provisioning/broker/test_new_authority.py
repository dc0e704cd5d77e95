"""One authority takes the place of another, as README.md tells it: no unit is lost that went along, and only those."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import yaml
from cryptography import x509

from agent.cli.main import main
from agent.clock import SystemClock
from agent.config.load import load_config
from agent.uplink import credentials as credentials_module
from agent.uplink.credentials import Credentials, Keeper
from agent.uplink.endpoint import Endpoint
from agent.uplink.link import Link
from fakes.authority import Authority
from tests.provisioning.broker.rendered import ORG, RenderedBroker
from tests.uplink.lab import Ear, passing, running, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from agent.signals import Signal


class Unit:
    """A unit that keeps its certificates, and the person who renews them."""

    def __init__(
        self, name: str, folder: Path, broker: str, old: Authority, capsys: pytest.CaptureFixture[str]
    ) -> None:
        given = old.issue_client(name)
        self._folder = folder / name
        (self._folder / "state").mkdir(parents=True)
        self._ca = self._folder / "ca.crt"
        self._ca.write_bytes(old.ca_file.read_bytes())
        files = {"ca_file": str(self._ca), "cert_file": str(given.cert_file), "key_file": str(given.key_file)}
        self._file = self._folder / "unit.yaml"
        document: dict[str, Any] = {
            "profile": "safe-point",
            "unit": {"id": name, "org": ORG, "name": name, "location": "here"},
            "uplink": {"broker": broker, **files},
            "state_folder": str(self._folder / "state"),
        }
        self._file.write_text(yaml.safe_dump(document), encoding="utf-8")
        self._capsys = capsys
        config, clock = load_config(self._file).config, SystemClock()
        found = Credentials.of(config, clock)
        assert found is not None
        self.told: list[Signal] = []
        endpoint = Endpoint.from_settings(config.uplink, found.tls)
        self.link = Link(endpoint, passing(name), on_message=Ear())
        self.keeper = Keeper(
            found,
            endpoint,
            config,
            clock,
            self.told.append,
            connected=lambda: self.link.connected,
            hurry=self.link.hurry,
        )

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        keeping = asyncio.create_task(self.keeper.run(lambda: None))
        try:
            async with running(self.link):
                yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    @property
    def active(self) -> str:
        return str(self.keeper.facts().get("certificate", {}).get("active"))

    def certificate(self, *words: str) -> tuple[int, str]:
        self._capsys.readouterr()
        code = main(["certificate", *words, "--config", str(self._file)])
        told = self._capsys.readouterr()
        return code, told.out + told.err

    def renew(self, authority: Authority, *trusting: Path) -> tuple[int, str]:
        """What somebody does who brings a new certificate, trusting the authorities of this file from then on."""
        request = x509.load_pem_x509_csr(self.certificate("request")[1].encode())
        answer = self._folder / "answer.pem"
        answer.write_bytes(authority.sign(request))
        return self.certificate("install", str(answer), *(word for file in trusting for word in ("--ca", str(file))))


async def test_a_new_authority_takes_the_place_of_the_old_one_in_three_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(credentials_module, "LOOK_EVERY_S", 0.02)
    old, new = Authority(tmp_path / "old", "old"), Authority(tmp_path / "new", "new")
    both = tmp_path / "both.crt"
    both.write_bytes(old.ca_file.read_bytes() + new.ca_file.read_bytes())
    of_broker = tmp_path / "brokers-ca.crt"
    of_broker.write_bytes(old.ca_file.read_bytes())
    broker = RenderedBroker(tmp_path / "broker", old, "--ca", of_broker)
    unit, left_out = (Unit(name, tmp_path, broker.url, old, capsys) for name in ("unit-a", "unit-b"))
    async with broker, unit.at_work(), left_out.at_work():
        await until(lambda: unit.link.connected and left_out.link.connected, "both are connected")

        of_broker.write_bytes(both.read_bytes())
        await broker.end(signal.SIGTERM)
        await broker.start()
        await until(
            lambda: unit.link.session == left_out.link.session == 2, "the broker trusts both, and both are back"
        )

        code, told = unit.renew(new)
        assert (code, "signed by no authority that the unit would trust (old" in told) == (2, True), told
        code, told = unit.renew(new, both)
        assert (code, "It waits in slot a" in told) == (0, True), told
        await until(lambda: unit.active == "a", "the broker took it")
        assert unit.told == []
        _, told = unit.certificate("status")
        assert "in use: trusts old authority of this run until" in told
        assert told.rstrip().endswith(", which signed its certificate")

        theirs = new.issue_server()
        broker.shown.cert_file.write_bytes(theirs.cert_file.read_bytes())
        broker.shown.key_file.write_bytes(theirs.key_file.read_bytes())
        of_broker.write_bytes(new.ca_file.read_bytes())
        await broker.end(signal.SIGTERM)
        await broker.start()
        await until(lambda: unit.link.session == 3, "who went along is back at the new one's broker")
        await until(lambda: "certificate was not accepted" in (left_out.link.trouble or ""), "who did not is not")
        assert left_out.link.session == 2

        assert unit.renew(new, new.ca_file)[0] == 0
        await until(lambda: unit.active == "b", "the old one is trusted no more")
        _, told = unit.certificate("status")
        assert [line for line in told.splitlines() if "trusts old" in line] == []
        assert unit.told == []
