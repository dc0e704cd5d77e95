"""A bare system that is booted becomes a unit by provision.sh, run inside it as an engineer runs it."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509

from fakes.town import ORG, UNIT_ID
from tests.nspawn.stories import AGENT, LIMIT_S
from tests.rootfs.listing import differences, listing
from tests.rootfs.root import KEYS_ONLY, SSH_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fakes.town import Town
    from tests.nspawn.machine import Machine
    from tests.rootfs.listing import Listing

ENVIRONMENT = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8")
"""A bare shell's: this machine's own settings do not get in."""
NO_NETWORK = ("unshare", "--net")
NAME = 'Hucknall Safe Space - "Central Walk"'
SAFEPOINT, CONFIG = "/opt/safepoint/bin/safepoint", "/etc/safepoint/unit.yaml"
REQUEST = "/var/lib/safepoint-provision/request.csr"
OURS = ("etc/", "opt/", "usr/")
"""Where the script writes; in /var the unit itself is at work."""


@dataclass(frozen=True)
class Engineer:
    """Stands at the machine with a release, a bundle and a file of answers."""

    machine: Machine
    town: Town
    release: Path
    bundle: Path
    """Both lie in the folder that the machine sees."""
    say: Callable[[str], None]

    def answer(self, **changed: str) -> None:
        """Write down what is asked."""
        answers = {
            "profile": "safe-space",
            "unit_id": UNIT_ID,
            "org": ORG,
            "name": NAME,
            "location": "Central Walk",
            "broker": self.town.broker.url,
            "footage": "card",
            "hardware_kit": "street",
            "street_socket": str(self.town.street.socket_path),
            **changed,
        }
        file = self._answers
        file.write_text("".join(f"{key} = {value}\n" for key, value in answers.items()), encoding="utf-8")

    @property
    def _answers(self) -> Path:
        return self.bundle.with_name("answers")

    async def provision(self) -> str:
        """Run the script to its end, without any network; returns what it said.

        Raises:
            AssertionError: it did not end well.
        """
        script = (str(self.release / "provisioning/provision.sh"), "--test-root")
        given = ("--answers", str(self._answers), "--offline", str(self.bundle))
        return await self.do(*NO_NETWORK, *script, *given)

    async def do(self, *command: str) -> str:
        """Run a command inside; the street goes on meanwhile.

        Raises:
            AssertionError: it failed.
        """
        try:
            return await asyncio.to_thread(self.machine.run, *ENVIRONMENT, *command)
        except subprocess.CalledProcessError as failed:
            msg = f"{command[-1]} ended with {failed.returncode}:\n{failed.stdout[-3000:]}\n{failed.stderr[-3000:]}"
            raise AssertionError(msg) from None

    def agent(self) -> dict[str, str]:
        """What tells one run of the daemon from another."""
        return self.machine.of(AGENT, "ActiveState", "MainPID", "NRestarts", "InvocationID")

    def ours(self) -> Listing:
        """What lies where the script writes."""
        return {name: facts for name, facts in listing(self.machine.root).items() if name.startswith(OURS)}


def make_bare(root: Path) -> None:
    """SSH takes keys only, as an engineer saw to; and it is not started, for the network is this machine's."""
    (root / SSH_SETTINGS.lstrip("/")).write_text(KEYS_ONLY, encoding="ascii")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n", encoding="ascii")
    for name in ("ssh.service", "ssh.socket"):
        (root / "etc/systemd/system" / name).unlink(missing_ok=True)
        (root / "etc/systemd/system" / name).symlink_to("/dev/null")


async def a_bare_system_becomes_a_unit(engineer: Engineer) -> None:
    """One command: everything is installed, enabled and started, and it ends when the agent is armed."""
    engineer.answer()
    began_s = time.monotonic()
    told = await engineer.provision()
    took_s = time.monotonic() - began_s
    found = engineer.agent()
    assert found["ActiveState"] == "active", f"{found}\n{told[-2000:]}"
    assert (found["NRestarts"], int(found["MainPID"]) > 0) == ("0", True), found
    assert told.index("start safepoint-agent.service") < told.index("the agent is armed") < told.index("Done in"), told
    asked = re.search(r"with (\d+) questions asked", told)
    assert asked is not None, told
    await engineer.machine.until("its own word that it is armed", lambda: _status(engineer, "armed"))
    for unit in ("safepoint-restart.path", "safepoint-reboot.path", "safepoint-update.path", "safepoint-update.timer"):
        assert engineer.machine.of(unit, "ActiveState") == {"ActiveState": "active"}, unit
    engineer.say(f"  from the first command to armed {took_s:.0f} s, with {asked[1]} questions and no network")


async def a_second_run_changes_nothing(engineer: Engineer) -> None:
    """Not a file, and the daemon is the one that it was."""
    files, agent = engineer.ours(), engineer.agent()
    told = await engineer.provision()
    assert "nothing was changed" in told, told
    assert "the agent is armed" in told, told
    changed = differences(files, engineer.ours())
    assert not changed, changed[:10]
    assert engineer.agent() == agent


async def its_certificate_makes_it_heard(engineer: Engineer) -> None:
    """The authority signs what the script asked for; the daemon that waits for it connects."""
    agent, folder = engineer.agent(), engineer.bundle.parent
    assert not _status(engineer, "connected")
    request = await engineer.do("cat", REQUEST)
    answer, authority = folder / "answer.pem", folder / "authority.pem"
    answer.write_bytes(engineer.town.authority.sign(x509.load_pem_x509_csr(request.encode())))
    authority.write_bytes(engineer.town.authority.ca_file.read_bytes())
    await engineer.do(SAFEPOINT, "certificate", "install", str(answer), "--ca", str(authority), "--config", CONFIG)
    await engineer.town.control_room.wait_for(lambda room: room.desk.units, LIMIT_S)
    await engineer.machine.until("its own word that it is connected", lambda: _status(engineer, "connected"))
    assert engineer.agent() == agent


async def another_answer_is_taken_without_a_restart(engineer: Engineer) -> None:
    """The unit gets its new name from a daemon that goes on; then nothing is left to do again."""
    agent = engineer.agent()
    engineer.answer(name="Hucknall Safe Space - North")
    told = await engineer.provision()
    assert "let the agent read its configuration again" in told, told
    await engineer.machine.until(
        "the configuration taken", lambda: "event=configuration_taken" in engineer.machine.journal("--unit", AGENT)
    )
    # It says so a moment before systemd hears that it has read it.
    await engineer.machine.until("the same daemon at work", lambda: engineer.agent() == agent)
    assert "nothing was changed" in await engineer.provision()


def _status(engineer: Engineer, key: str) -> bool:
    found: dict[str, Any] = json.loads(engineer.machine.run("cat", "/run/safepoint/status.json"))
    return bool(found[key])


FROM_BARE = (
    a_bare_system_becomes_a_unit,
    a_second_run_changes_nothing,
    its_certificate_makes_it_heard,
    another_answer_is_taken_without_a_restart,
)
