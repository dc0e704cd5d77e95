"""What must be so on a unit under a real systemd, one story after the other, on the same machine."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from agent.signals import Category, Outcome
from fakes import SPEECH
from tests.nspawn.releases import release

if TYPE_CHECKING:
    from agent.update.manifest import Manifest
    from fakes.town import Town
    from tests.nspawn.machine import Machine

LIMIT_S = 60.0
"""Generous: a condition is waited for, not a speed asserted."""
AGENT = "safepoint-agent.service"
SLOTS = "opt/safepoint/slots"
SAFEPOINT = "/opt/safepoint/bin/safepoint"
SOFTWARE = "safepoint-software.service"
BACK_WITHIN_S = 120.0
"""The promise (issue 6): from the switch to the old version at work again."""
NO_LINK = """    async def run(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def run_as_before(self) -> None:
"""
UPDATED_WITHIN_S = 300.0
"""To install forty wheels and try them, on a slow disk."""

Changes = Mapping[str, Callable[[str], str]]
DOES_NOT_START: Changes = {
    "agent/daemon.py": lambda text: text.replace("    journal.set_up()\n", "    journal.set_up()\n    sys.exit(1)\n")
}
HANGS: Changes = {
    "agent/status_file.py": lambda text: text.replace(
        "            working()\n",
        "            working()\n            self._status().proofs < 6 or __import__('time').sleep(3600)\n",
    )
}
DOES_NOT_CONNECT: Changes = {
    "agent/uplink/paths.py": lambda text: text.replace("    async def run(self) -> None:\n", NO_LINK)
}


@dataclass(frozen=True)
class Unit:
    """A unit under systemd, in a town, with releases to come."""

    machine: Machine
    town: Town
    manifest: Manifest
    releases: Path
    key_file: Path
    say: Callable[[str], None]

    @property
    def pid(self) -> int:
        """The daemon's, inside."""
        return int(self.machine.of(AGENT, "MainPID")["MainPID"])

    @property
    def slot(self) -> str:
        """The slot in use."""
        return str((self.machine.root / SLOTS / "current").readlink())

    def status(self) -> dict[str, Any]:
        """What the daemon shows of itself; nothing while it does not."""
        try:
            shown: dict[str, Any] = json.loads(self.machine.run("cat", "/run/safepoint/status.json"))
        except (subprocess.CalledProcessError, ValueError):
            return {}
        return shown

    async def do(self, *argv: str, check: bool = True) -> str:
        """Run a command that takes a while inside; the street and the control room go on meanwhile."""
        return await asyncio.to_thread(partial(self.machine.run, *argv, check=check))

    def software(self) -> dict[str, Any]:
        """What was found when the slot was looked at last."""
        found: dict[str, Any] = json.loads(self.machine.run("cat", "/var/lib/safepoint-software/found.json"))
        return found

    async def at_work(self, but_pid: int = 0) -> None:
        """Wait until the daemon, another than that one, is armed, connected and has its helpers."""

        def seen() -> bool:
            status = self.status()
            whole = status.get("armed") and status.get("connected") and len(status["working"]) == 2
            return bool(whole) and status["pid"] != but_pid

        await self.machine.until("the daemon at work", seen)

    async def bring(self, version: str, changes: Changes) -> None:
        """Make a release and put it down, as an engineer does."""
        key = load_pem_private_key(self.key_file.read_bytes(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        wheels = self.releases / "wheels"
        make = partial(release, wheels, self.manifest, version=version, changes=changes, key=key, out=self.releases)
        await self.put_down(await asyncio.to_thread(make))  # the street goes on meanwhile

    async def put_down(self, bundle: Path) -> None:
        """Put a bundle down."""
        # By a process inside: systemd hears of no change that is made from outside its file system.
        brought = self.town.state_folder.parent / bundle.name
        await asyncio.to_thread(shutil.copy, bundle, brought)
        incoming = "/var/lib/safepoint-update/incoming/"
        await asyncio.to_thread(self.machine.run, "cp", str(brought), incoming)

    async def close(self, alert_id: str) -> None:
        """An operator sees the call through."""
        room = self.town.control_room
        await room.acknowledge(alert_id, "op-1")
        await room.close_alert(alert_id, Outcome.GENUINE, None, "op-1")
        await room.wait_for(lambda _: room.alerts[alert_id].latest.data["state"] == "closed", LIMIT_S)

    async def outcome_says(self, sentence: str) -> None:
        """Wait until the engineer is told this of a bundle."""
        await self.machine.until(f"the outcome {sentence!r}", lambda: sentence in self.outcome(), UPDATED_WITHIN_S)

    async def goes_back(self, version: str, changes: Changes, why: str) -> None:
        """Bring a bad version, and see the old one at work again in time."""
        before, slot = self.status()["version"], self.slot
        await self.bring(version, changes)
        trial = self.machine.root / SLOTS / "trial"
        await self.machine.until("the trial", trial.exists, UPDATED_WITHIN_S)
        began_s = time.monotonic()
        await self.outcome_says(f"{version}.update: taken back: {why}")
        await self.machine.until("the old version", lambda: self.status().get("version") == before)
        await self.at_work()
        took_s = time.monotonic() - began_s
        assert self.slot == slot
        assert not trial.exists()
        assert took_s <= BACK_WITHIN_S, f"the way back took {took_s:.0f} s"
        self.say(f"  from the switch to the old version at work with all it has: {took_s:.0f} s")

    def outcome(self) -> str:
        """What was told of the bundles so far."""
        path = self.machine.root / "var/lib/safepoint-update/outcomes.txt"
        return path.read_text(encoding="utf-8") if path.exists() else ""


async def it_boots_and_is_armed(unit: Unit) -> None:
    """Time from the start of the daemon, and no word of systemd against our units."""
    await unit.at_work()
    times = unit.machine.of(AGENT, "ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    started, armed = (int(times[f"{name}TimestampMonotonic"]) / 1e6 for name in ("ExecMainStart", "ActiveEnter"))
    unit.say(f"  armed {armed - started:.1f} s after its start")
    complaints = [
        line
        for line in unit.machine.journal("--boot").splitlines()
        if "safepoint" in line
        and any(word in line for word in ("Unknown", "ignoring", "Failed to parse", "not supported", "denied"))
    ]
    assert not complaints, "\n".join(complaints)


async def it_runs_in_its_sandbox(unit: Unit) -> None:
    """The limits are in force on the daemon and both helpers, and they are few processes."""
    limits = unit.machine.of(AGENT, "MemoryMax", "TasksMax", "Environment")
    assert limits["MemoryMax"] not in {"", "infinity"}, limits  # 75 % of whatever this machine has
    environment = ["LG_WD=/run/safepoint", "PYTHONNOUSERSITE=1", "PYTHONDONTWRITEBYTECODE=1"]
    assert (limits["TasksMax"], limits["Environment"].split()) == ("256", environment), limits
    for read, wanted in (("system.conf", "RuntimeWatchdogSec=15s"), ("journald.conf", "SystemMaxUse=200M")):
        assert wanted in unit.machine.run("systemd-analyze", "cat-config", f"systemd/{read}").splitlines(), read
    group = unit.machine.of(AGENT, "ControlGroup")["ControlGroup"]
    pids = unit.machine.run(
        "sh",
        "-c",
        f"cat /sys/fs/cgroup/systemd{group}/cgroup.procs /sys/fs/cgroup{group}/cgroup.procs 2>/dev/null || true",
    ).split()
    assert len(pids) == 3, pids
    threads = memory = 0
    for pid in pids:
        lines = unit.machine.run("cat", f"/proc/{pid}/status").splitlines()
        said = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert (said["Seccomp"], said["NoNewPrivs"], int(said["CapBnd"], 16), int(said["CapEff"], 16)) == (
            "2",
            "1",
            0,
            0,
        )
        threads += int(said["Threads"])
        memory += int(said["VmRSS"].split()[0])
    scores = {int(unit.machine.run("cat", f"/proc/{pid}/oom_score_adj")) for pid in pids}
    # A host without CAP_SYS_RESOURCE does not let systemd lower the daemon's to -500.
    assert scores in ({-500, 500}, {0, 500}), scores
    unit.say(f"  {threads} threads, {memory / 1000:.0f} MB in {len(pids)} processes")


async def a_press_and_a_phrase_reach_the_control_room(unit: Unit) -> None:
    """Pins, microphone, camera, disk and link all work inside."""
    street, room = unit.town.street, unit.town.control_room
    await street.connected("microphone")
    before = unit.town.known()
    await street.say(SPEECH / "help-me-slt.wav")
    heard = await unit.town.alert(Category.HELP, after=before)
    assert heard.first.data["detections"][0]["label"] == "help-me", heard.first.data
    await unit.close(heard.alert_id)
    before = unit.town.known()
    await street.press("panic-1")
    call = await unit.town.alert(Category.HELP, after=before)
    await room.wait_for(lambda _: call.latest.data.get("evidence"), LIMIT_S)
    await unit.close(call.alert_id)


async def hung_it_is_ended_by_the_watchdog_and_comes_back(unit: Unit) -> None:
    """SIGSTOP: nothing is proved any more."""
    pid, began_s = unit.pid, time.monotonic()
    unit.machine.run("sh", "-c", f"kill -STOP {pid}")  # the shell's own: a minimal system has no other
    await unit.at_work(but_pid=pid)
    assert "Watchdog timeout" in unit.machine.journal("--boot", "--unit", AGENT)
    unit.say(f"  at work again {time.monotonic() - began_s:.1f} s after it hung (the watchdog waits for 15 s)")


async def killed_it_comes_back(unit: Unit) -> None:
    """SIGKILL to the daemon: no helper is left behind."""
    pid, began_s = unit.pid, time.monotonic()
    unit.machine.run("sh", "-c", f"kill -KILL {pid}")
    await unit.at_work(but_pid=pid)
    unit.say(f"  at work again {time.monotonic() - began_s:.1f} s after kill -9")
    await it_runs_in_its_sandbox(unit)


async def its_sandbox_lets_through_what_it_needs_and_no_more(unit: Unit) -> None:
    """A probe in the very same sandbox: the agent's unit with another program."""
    lines = unit.machine.run("cat", f"/etc/systemd/system/{AGENT}").splitlines()
    dropped = ("Type=", "ExecStart=", "ExecReload=", "Restart", "WatchdogSec=", "NotifyAccess=", "RuntimeDirectory=")
    kept = [line for line in lines if not line.startswith(dropped)]
    service = kept.index("[Service]") + 1
    kept[service:service] = ["Type=oneshot", "ExecStart=/opt/safepoint/slots/current/bin/python /srv/probe.py"]
    shutil.copy(Path(__file__).with_name("probe.py"), unit.machine.root / "srv/probe.py")
    (unit.machine.root / "etc/systemd/system/safepoint-probe.service").write_text("\n".join(kept), encoding="utf-8")
    unit.machine.run("systemctl", "daemon-reload")
    unit.machine.run("systemctl", "start", "safepoint-probe.service")


async def a_good_update_is_taken(unit: Unit) -> None:
    """An engineer puts it down; nobody does anything else."""
    began_s, pid, slot = time.monotonic(), unit.pid, unit.slot
    await unit.bring("0.1.1", {})
    await unit.outcome_says("taken: version 0.1.1")
    assert unit.slot != slot
    assert not (unit.machine.root / SLOTS / "trial").exists()
    await unit.at_work(but_pid=pid)
    assert unit.status()["version"] == "0.1.1"
    unit.say(f"  in use {time.monotonic() - began_s:.0f} s after it was put down (20 s of it on trial)")


async def what_runs_is_what_was_installed(unit: Unit) -> None:
    """Provisioning has listed it, and root's own program, in its sandbox, finds nothing else."""
    await unit.do("systemctl", "start", SOFTWARE)
    found = unit.software()
    assert (found["state"], found["signed"], found["wrong"]) == ("right", False, []), found
    assert ", provisioned " in await unit.do(SAFEPOINT, "--version")
    unit.say(f"  {found['files']} files in {found['took_s']:.0f} s, at the pace of a unit")


async def software_that_somebody_changed_is_tamper_until_it_is_right_again(unit: Unit) -> None:
    """In a slot that an update filled: compiled code only, which no signature knows, by root's own hand."""
    await unit.do("systemctl", "start", SOFTWARE)
    found = unit.software()
    assert (found["state"], found["signed"], found["slot"]) == ("right", True, unit.slot), found
    assert ", manifest " in await unit.do(SAFEPOINT, "--version")
    before, pid = unit.town.known(), unit.pid
    compiled = f"/{SLOTS}/current/lib/python3.*/site-packages/agent/__pycache__/unit.*.pyc"
    unit.machine.run("sh", "-c", f"cp -p {compiled} /srv/kept && printf x >>$(echo {compiled})")
    # By hand: a day after a good look the service does the same.
    await unit.do("/usr/bin/python3", "-I", "-S", "-B", "/opt/safepoint/check", "look")
    assert unit.software()["state"] == "changed", unit.software()
    told = await unit.town.alert(Category.TAMPER, after=before)
    assert "agent/__pycache__/unit." in told.first.data["headline"], told.first.data
    doctor = await unit.do(SAFEPOINT, "doctor", "--config", "/etc/safepoint/unit.yaml", check=False)
    assert "The agent's own software was changed" in doctor, doctor
    at_rest = {"ActiveState": "inactive"}  # its timer may have begun a look that saw the file as it was
    await unit.machine.until("no look at work", lambda: unit.machine.of(SOFTWARE, "ActiveState") == at_rest)
    unit.machine.run("sh", "-c", f"cp -p /srv/kept $(echo {compiled})")
    await unit.do("systemctl", "start", SOFTWARE)
    assert unit.software()["state"] == "right", unit.software()
    room = unit.town.control_room
    await room.wait_for(lambda _: told.latest.data["restored"], LIMIT_S)
    await unit.close(told.alert_id)
    assert unit.pid == pid, "nobody was restarted for it"


async def an_update_waits_while_a_call_is_open(unit: Unit) -> None:
    """The daemon is not restarted in the middle of a call."""
    before, pid = unit.town.known(), unit.pid
    await unit.town.street.press("panic-1")
    call = await unit.town.alert(Category.HELP, after=before)
    await unit.bring("0.1.2", {})
    held = "event=update_held bundle=safepoint-0.1.2.update"
    await unit.machine.until("the update held", lambda: held in unit.machine.journal("--unit=safepoint-update"))
    assert unit.pid == pid
    await unit.close(call.alert_id)
    await unit.machine.until("no open call", lambda: unit.status().get("open_calls") == 0)
    service = "safepoint-update.service"
    at_rest = {"ActiveState": "inactive"}  # to start what still runs would be no new start
    await unit.machine.until("the update at rest", lambda: unit.machine.of(service, "ActiveState") == at_rest)
    unit.machine.run("systemctl", "start", "--no-block", service)  # as its timer does
    await unit.outcome_says("taken: version 0.1.2")


async def an_update_that_does_not_start_is_taken_back(unit: Unit) -> None:
    """It ends at once, again and again."""
    await unit.goes_back("0.2.0", DOES_NOT_START, "it was not armed within 45 s")


async def an_update_that_hangs_is_taken_back(unit: Unit) -> None:
    """It is armed, and then proves nothing any more."""
    await unit.goes_back("0.2.1", HANGS, "it ended")  # or hung, when that is seen before the watchdog ended it


async def an_update_that_does_not_reach_the_broker_is_taken_back(unit: Unit) -> None:
    """All is well but the link, which the old version had."""
    why = "it did not reach the broker, which the old version did"
    await unit.goes_back("0.2.2", DOES_NOT_CONNECT, why)
    assert "and this one is tried once more" in unit.outcome()
    (unit.machine.root / "var/lib/safepoint-update/incoming/safepoint-0.2.2.update").unlink()


async def after_a_power_cut_in_a_trial_the_proven_version_starts(unit: Unit) -> None:
    """The bad version is never met again."""
    before = unit.status()["version"]
    await unit.bring("0.2.3", DOES_NOT_START)
    await unit.machine.until("the trial", (unit.machine.root / SLOTS / "trial").exists)
    await unit.machine.cut_power()
    await unit.machine.boot()
    await unit.at_work()
    assert unit.status()["version"] == before
    assert not (unit.machine.root / SLOTS / "trial").exists()
    assert "a trial was broken off" in unit.machine.journal("--boot", "--unit=safepoint-slot")


async def killed_in_a_trial_the_update_leaves_the_proven_version(unit: Unit) -> None:
    """SIGKILL to the program that watches the trial, in the middle of it."""
    before, pid, trial = unit.status()["version"], unit.pid, unit.machine.root / SLOTS / "trial"
    await unit.bring("0.2.4", DOES_NOT_START)
    await unit.machine.until("the trial", trial.exists, UPDATED_WITHIN_S)
    unit.machine.run("systemctl", "kill", "--signal=KILL", "safepoint-update.service")  # and what comes after it
    await unit.machine.until("the way back", lambda: not trial.exists())
    await unit.at_work(but_pid=pid)
    assert unit.status()["version"] == before
    (unit.machine.root / "var/lib/safepoint-update/incoming/safepoint-0.2.4.update").unlink()


async def what_is_not_for_this_unit_is_refused_in_one_sentence(unit: Unit) -> None:
    """An old one, a damaged one, one that somebody else signed."""
    pid = unit.pid
    (first,) = unit.releases.glob("safepoint-0.1.0-*.update")
    await unit.put_down(first)
    await unit.outcome_says(f"{first.name}: refused: version 0.1.0 is older than")
    damaged = unit.releases / "damaged.update"
    content = bytearray(first.read_bytes())
    content[200] ^= 1
    damaged.write_bytes(content)
    await unit.put_down(damaged)
    await unit.outcome_says("damaged.update: refused: nobody signed it whom this unit knows")
    assert unit.pid == pid


STORIES = (
    it_boots_and_is_armed,
    it_runs_in_its_sandbox,
    its_sandbox_lets_through_what_it_needs_and_no_more,
    a_press_and_a_phrase_reach_the_control_room,
    hung_it_is_ended_by_the_watchdog_and_comes_back,
    killed_it_comes_back,
    what_runs_is_what_was_installed,
    a_good_update_is_taken,
    software_that_somebody_changed_is_tamper_until_it_is_right_again,
    an_update_waits_while_a_call_is_open,
    an_update_that_does_not_start_is_taken_back,
    an_update_that_hangs_is_taken_back,
    an_update_that_does_not_reach_the_broker_is_taken_back,
    after_a_power_cut_in_a_trial_the_proven_version_starts,
    killed_in_a_trial_the_update_leaves_the_proven_version,
    what_is_not_for_this_unit_is_refused_in_one_sentence,
)
