"""What the doctor says about a unit on which one thing is wrong: exactly that, with its weight and its fix."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from agent.config.problems import Problem
from agent.doctor import findings, kind_names
from agent.doctor.facts import AGENT, HANGS, Backlog, Configuration, Facts, Footage, Logins, Node, Way
from agent.doctor.finding import Weight
from agent.doctor.look import part_names
from tests.doctor.ward import BROKER, NOW, faulty, healthy, only, spoilt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _service(facts: Facts, name: str = AGENT, **changes: object) -> Facts:
    services = dict(facts.services or {})
    return replace(facts, services={**services, name: replace(services[name], **changes)})  # type: ignore[arg-type]


def _way(facts: Facts, step: str, reason: str) -> Facts:
    return replace(facts, ways=(Way("uplink.broker", BROKER, step, reason),))


def _said(facts: Facts, line: str) -> Facts:
    return replace(facts, journal=(*(facts.journal or ()), f"2026-11-29T02:00:00+0000 hk-001 safepoint[400]: {line}"))


def _gone(facts: Facts, kind: str) -> Facts:
    return spoilt(facts, "devices", **{kind: ()})


def _on(facts: Facts, day: date) -> Facts:
    """The unit on another day, with a certificate of that time."""
    wall = datetime.combine(day, NOW.timetz())
    days = timedelta(days=100)
    return spoilt(spoilt(facts, "machine", wall=wall), "certificate", not_before=wall - days, not_after=wall + days)


def _without_contact(facts: Facts) -> Facts:
    assert facts.config is not None
    signage = facts.config.signage.model_copy(update={"contact": None})
    return spoilt(facts, "configuration", config=facts.config.model_copy(update={"signage": signage}))


def test_a_healthy_unit_has_nothing_wrong(tmp_path: Path) -> None:
    assert findings(healthy(tmp_path)) == []


def test_a_unit_of_which_nothing_is_known_is_called_neither_healthy_nor_broken() -> None:
    assert findings(Facts()) == []  # each part says by itself why it is missing
    unknown = Facts(unanswered=dict.fromkeys(part_names(), "no such thing here"))
    assert {finding.weight for finding in findings(unknown)} == {Weight.UNSURE}
    assert len(findings(unknown)) == len(part_names())


Spoil = tuple[str, "Callable[[Facts], Facts]", Weight, str, str]
ONE_THING: list[Spoil] = [
    # kind, what is spoilt, weight, in what it says, in the fix
    ("service", lambda f: _service(f, load="not-found"), Weight.DOWN, "is not installed", "provision.sh"),
    ("service", lambda f: _service(f, load="masked"), Weight.DOWN, "is masked", "systemctl unmask"),
    (
        "service",
        lambda f: _service(f, active="failed", result="exit-code"),
        Weight.DOWN,
        "does not run (failed): it ended with an error",
        "sudo systemctl start safepoint-agent",
    ),
    (
        "service",
        lambda f: _service(f, active="activating", result="watchdog", restarts=41),
        Weight.DOWN,
        "for the 42. time: it hung, and systemd ended it",
        "journalctl -u safepoint-agent",
    ),
    (
        "service",
        lambda f: _service(f, restarts=5, up_s=30.0, result="oom-kill"),
        Weight.SOON,
        "started again 5 times by itself: the machine had no memory left",
        "--bundle",
    ),
    ("service", lambda f: _service(f, enabled="disabled"), Weight.SOON, "after a power cut", "systemctl enable"),
    (
        "link",
        lambda f: _way(f, "name", "Name or service not known"),
        Weight.NO_CALL,
        f"{BROKER}: its name is not known (Name or service not known)",
        "resolvectl status",
    ),
    ("link", lambda f: _way(f, "reach", "No route to host"), Weight.NO_CALL, "No route to host", "SIM card"),
    ("link", lambda f: _way(f, "trust", "hostname mismatch"), Weight.NO_CALL, "does not trust", "uplink.ca_file"),
    ("link", lambda f: _way(f, "turned away", "unknown ca"), Weight.NO_CALL, "does not accept", "revoked"),
    (
        "link",
        lambda f: _said(f, 'event=link_refused reason="Not authorized"'),
        Weight.NO_CALL,
        "the agent is not connected to it: Not authorized",
        "access list",
    ),
    (
        "certificate",
        lambda f: spoilt(f, "certificate", not_after=NOW - timedelta(days=1)),
        Weight.NO_CALL,
        "has ended on 2026-11-28",
        "safepoint certificate request",
    ),
    (
        "certificate",
        lambda f: spoilt(f, "certificate", not_after=NOW + timedelta(days=12)),
        Weight.SOON,
        "ends in 12 days, on 2026-12-11",
        "safepoint certificate request",
    ),
    (
        "certificate",
        lambda f: spoilt(f, "certificate", not_before=NOW + timedelta(days=1)),
        Weight.NO_CALL,
        "is valid from 2026-11-30 on",
        "timedatectl",
    ),
    ("certificate", lambda f: spoilt(f, "certificate", name="hk-002"), Weight.NO_CALL, "of hk-002, not of", "unit.id"),
    ("certificate", lambda f: spoilt(f, "certificate", exposed=True), Weight.EXPOSED, "read by others", "chmod 600"),
    (
        "certificate",
        lambda f: spoilt(f, "certificate", trouble="key.pem is no matching pair"),
        Weight.NO_CALL,
        "key.pem is no matching pair",
        "enrol",
    ),
    ("clock", lambda f: spoilt(f, "machine", synced=False), Weight.SOON, "2026-11-29 02:00 UTC", "NTP"),
    ("pins", lambda f: _gone(f, "pins"), Weight.NO_CALL, "shows no pins", "Raspberry Pi OS"),
    (
        "pins",
        lambda f: spoilt(f, "devices", lacking=("python3-lgpio",)),
        Weight.NO_CALL,
        "library for the pins",
        "empty placeholder",
    ),
    ("microphone", lambda f: _gone(f, "microphones"), Weight.PART_LOST, "There is no microphone", "arecord -l"),
    (
        "microphone",
        lambda f: spoilt(f, "devices", lacking=("libportaudio2",)),
        Weight.PART_LOST,
        "nobody is heard",
        "apt install libportaudio2",
    ),
    (
        "microphone",
        lambda f: spoilt(f, "devices", lacking=("libatomic1",)),
        Weight.PART_LOST,
        "no phrase is heard",
        "apt install libatomic1",
    ),
    ("speaker", lambda f: _gone(f, "speakers"), Weight.PART_LOST, "There is no speaker", "aplay -l"),
    (
        "speaker",
        lambda f: spoilt(f, "devices", lacking=("alsa-utils",)),
        Weight.PART_LOST,
        "mute",
        "apt install alsa-utils",
    ),
    ("camera", lambda f: _gone(f, "cameras"), Weight.PART_LOST, "There is no camera", "reseat the cable"),
    (
        "camera",
        lambda f: spoilt(f, "devices", lacking=("python3-picamera2",)),
        Weight.PART_LOST,
        "nothing is filmed",
        "--system-site-packages",
    ),
    ("rights", lambda f: spoilt(f, "access", known=False), Weight.DOWN, "no user safepoint", "provision.sh"),
    (
        "rights",
        lambda f: spoilt(f, "access", groups=("audio", "video")),
        Weight.NO_CALL,
        "may not use the pins: /dev/gpiochip0 is for the group gpio (mode 0660), which safepoint is not in",
        "SupplementaryGroups=",
    ),
    (
        "rights",
        lambda f: spoilt(f, "devices", video=(Node("/dev/video0", "video", 0o600),)),
        Weight.PART_LOST,
        "may not use the camera",
        "SupplementaryGroups=",
    ),
    ("rights", lambda f: spoilt(f, "access", state_owner="root"), Weight.NO_CALL, "belongs to root", "chown -R"),
    ("rights", lambda f: spoilt(f, "access", state_mode=0o755), Weight.EXPOSED, "mode 0755", "chmod 700"),
    (
        "disk",
        lambda f: faulty(f, "storage", **{"read-only": "The state folder is read-only."}),
        Weight.NO_CALL,
        "read-only",
        "replace it",
    ),
    ("disk", lambda f: faulty(f, "storage", low="Only 9 MB are left."), Weight.SOON, "Only 9 MB", "du -xh"),
    ("disk", lambda f: faulty(f, "storage", unreadable="gone."), Weight.NO_CALL, "cannot be stored", "findmnt"),
    ("memory", lambda f: faulty(f, "memory", low="Only 20 MB of memory are left."), Weight.SOON, "20 MB", "ps -eo"),
    ("power", lambda f: faulty(f, "power", undervoltage="low"), Weight.PART_LOST, "right now", "5.1 V"),
    ("power", lambda f: spoilt(f, "machine", throttled=0x50005), Weight.PART_LOST, "right now", "5.1 V"),
    ("power", lambda f: spoilt(f, "machine", throttled=0x10000), Weight.SOON, "was below 4.63 V", "5.1 V"),
    (
        "software",
        lambda f: faulty(f, "software", changed="The agent's own software was changed: changed agent/unit.py."),
        Weight.EXPOSED,
        "changed agent/unit.py",
        "revoke its certificate",
    ),
    ("software", lambda f: faulty(f, "software", unreadable="It cannot be read."), Weight.SOON, "read", "replace it"),
    (
        "software",
        lambda f: faulty(f, "software", unchecked="Nobody has looked for 27 h."),
        Weight.UNSURE,
        "27 h",
        "systemctl start safepoint-software.service",
    ),
    ("thermal", lambda f: faulty(f, "thermal", hot="The board is at 83 degrees C."), Weight.SOON, "83", "vents"),
    ("thermal", lambda f: spoilt(f, "machine", throttled=0x40000), Weight.UNSURE, "slowed down", "vents"),
    (
        "footage",
        lambda f: replace(f, footage=Footage(mount_trouble="nothing is mounted on /srv/safepoint")),
        Weight.PART_LOST,
        "nothing is mounted on /srv/safepoint",
        "lsblk",
    ),
    (
        "footage",
        lambda f: replace(f, footage=Footage(refused="there is no footage in /srv")),
        Weight.PART_LOST,
        "there is no footage in /srv.",
        "dmesg",
    ),
    (
        "footage",
        lambda f: _footage(f, recording=False, newest_frame_age_s=93.4),
        Weight.PART_LOST,
        "Nothing has been recorded for 93 s",
        "helper_lost",
    ),
    (
        "footage",
        lambda f: _footage(f, recording=False, newest_frame_age_s=None),
        Weight.PART_LOST,
        "since the unit was started",
        "helper_lost",
    ),
    ("footage", lambda f: _footage(f, holds_damaged="x.json"), Weight.SOON, "nothing is deleted: x.json", "Restore"),
    (
        "footage",
        lambda f: _footage(f, days_kept=9.4, kept_by="disk"),
        Weight.UNSURE,
        "for 9.4 days, not for the 31",
        "larger disk",
    ),
    (
        "voice_model",
        lambda f: replace(f, broken_models=(Problem("u", None, "voice.model", "final.mdl is not as it was made"),)),
        Weight.PART_LOST,
        "voice.model: final.mdl is not as it was made",
        "Install the agent again",
    ),
    (
        "backlog",
        lambda f: replace(f, backlog=Backlog(calls=1, others=4, oldest_s=7300.0)),
        Weight.NO_CALL,
        "5 alerts, 1 of them calls for help, wait for the control room, the oldest for 2 hours",
        "receiver does not acknowledge",
    ),
    (
        "backlog",
        lambda f: replace(f, backlog=Backlog(others=4, oldest_s=600.0)),
        Weight.SOON,
        "4 alerts wait for the control room, the oldest for 10 minutes",
        "Nothing is lost",
    ),
    (
        "backlog",
        lambda f: replace(f, backlog=Backlog(others=9000, oldest_s=5.0)),
        Weight.SOON,
        "nearly full: 9000 of 10000",
        "dropped",
    ),
    (
        "units",
        lambda f: _service(f, "safepoint-reboot.path", load="not-found"),
        Weight.SOON,
        "Not installed in systemd: safepoint-reboot.path",
        "provision.sh",
    ),
    (
        "units",
        lambda f: _service(f, "safepoint-reboot.path", enabled="disabled"),
        Weight.SOON,
        "not started at each boot: safepoint-reboot.path",
        "systemctl enable --now safepoint-reboot.path",
    ),
    ("units", lambda f: _service(f, needs_reload=True), Weight.UNSURE, "not read by systemd", "daemon-reload"),
    ("units", lambda f: spoilt(f, "machine", watchdog_s=None), Weight.SOON, "watchdog is off", "RuntimeWatchdogSec"),
    (
        "logins",
        lambda f: replace(f, logins=Logins(ssh_passwords=True)),
        Weight.EXPOSED,
        "SSH server takes passwords",
        "PasswordAuthentication no",
    ),
    (
        "logins",
        lambda f: replace(f, logins=Logins(("pi",), ssh_passwords=False)),
        Weight.EXPOSED,
        "default user pi is enabled",
        "deluser",
    ),
    ("support", lambda f: _on(f, date(2031, 12, 1)), Weight.EXPOSED, "no security updates since 2031-11-30", "Install"),
    ("support", lambda f: _on(f, date(2031, 9, 1)), Weight.SOON, "end on 2031-11-30", "Plan"),
    ("signage", _without_contact, Weight.UNSURE, "signage.contact must say", "safepoint sign"),
    (
        "unanswered",
        lambda f: replace(f, backlog=None, unanswered={"backlog": HANGS, "ways": HANGS}),
        Weight.PART_LOST,
        "No answer in time about the outbox and the ways to the control room. A disk hangs.",
        "dmesg",
    ),
    (
        "unanswered",
        lambda f: replace(f, services=None, unanswered={"services": "Failed to connect to bus"}),
        Weight.UNSURE,
        "Could not look at systemd: Failed to connect to bus.",
        "sudo safepoint doctor",
    ),
]


def _footage(facts: Facts, **status: object) -> Facts:
    assert facts.footage is not None
    return replace(facts, footage=Footage(status={**(facts.footage.status or {}), **status}))


@pytest.mark.parametrize(("kind", "spoil", "weight", "what", "fix"), ONE_THING)
def test_one_thing_that_is_wrong_is_one_finding(  # noqa: PLR0913, PLR0917 - a row of the table
    tmp_path: Path, kind: str, spoil: Callable[[Facts], Facts], weight: Weight, what: str, fix: str
) -> None:
    found = only(spoil(healthy(tmp_path)))
    assert (found.kind, found.weight) == (kind, weight)
    assert what in found.what
    assert fix in found.fix
    assert found.what.endswith(".")


def test_every_kind_of_finding_is_shown_by_a_test() -> None:
    apart = {"configuration", "commissioning"}
    assert {kind for kind, *_ in ONE_THING} | apart == {*kind_names()}


def test_a_problem_of_the_configuration_is_what_check_says_with_where_to_put_it_right(tmp_path: Path) -> None:
    unit = healthy(tmp_path)
    problem = Problem("/etc/safepoint/unit.yaml", 4, "lamp.pin", "needs a whole number from 0 to 27, got no (text)")
    starts = spoilt(unit, "configuration", problems=(problem,))
    assert (only(starts).kind, only(starts).weight) == ("configuration", Weight.PART_LOST)
    assert only(starts).what == "lamp.pin: needs a whole number from 0 to 27, got no (text)"
    assert "Put right line 4 of /etc/safepoint/unit.yaml" in only(starts).fix
    down = replace(unit, configuration=Configuration(tmp_path / "unit.yaml", None, (problem,)))
    assert findings(down)[0].weight == Weight.DOWN


def test_a_unit_whose_configuration_makes_all_a_test_is_told_because_nobody_comes_for_a_test(tmp_path: Path) -> None:
    unit = healthy(tmp_path)
    assert unit.config is not None
    test = unit.config.model_copy(update={"unit": unit.config.unit.model_copy(update={"test": True})})
    found = only(spoilt(unit, "configuration", config=test))
    assert (found.kind, found.weight) == ("commissioning", Weight.NO_CALL)
    assert "unit.test" in found.fix


@pytest.mark.parametrize(("all_tests", "weight"), [(True, Weight.NO_CALL), (False, Weight.PART_LOST)])
def test_what_is_not_commissioned_is_told_with_the_walk_test_as_its_fix(
    tmp_path: Path, *, all_tests: bool, weight: Weight
) -> None:
    words = "This unit was not commissioned here: every alert is a test."
    found = only(spoilt(healthy(tmp_path), "commissioning", state="none", text=words, all_tests=all_tests))
    assert (found.kind, found.weight, found.what) == ("commissioning", weight, words)
    assert "safepoint commission" in found.fix


def test_a_paper_that_runs_out_is_told_two_months_before(tmp_path: Path) -> None:
    today = NOW.date()
    papers = {
        "dpia": today - timedelta(days=1),
        "pspo": today + timedelta(days=90),
        "signage": today + timedelta(days=30),
    }
    found = findings(spoilt(healthy(tmp_path), "commissioning", papers=papers))
    assert [(finding.kind, finding.weight) for finding in found] == [("commissioning", Weight.SOON)] * 2
    assert "dpia, which allows this unit, ended on" in found[0].what
    assert "signage, which allows this unit, ends on" in found[1].what


def test_of_two_ways_one_that_fails_is_no_lost_call(tmp_path: Path) -> None:
    second = Way("uplink.alternate.broker", "mqtts://b.example.org", "reach", "timed out")
    unit = healthy(tmp_path)
    found = only(replace(unit, ways=(*(unit.ways or ()), second)))
    assert found.weight == Weight.SOON
    assert "The other way to the control room works." in found.what


def test_a_link_that_came_back_is_not_told(tmp_path: Path) -> None:
    unit = _said(_said(healthy(tmp_path), "event=link_lost reason=x"), "event=link_up broker=b")
    assert findings(unit) == []


def test_what_is_worst_for_somebody_in_danger_comes_first(tmp_path: Path) -> None:
    unit = spoilt(healthy(tmp_path), "machine", throttled=0x40000, synced=False)
    unit = replace(unit, logins=Logins(ssh_passwords=True))
    unit = _gone(_way(unit, "reach", "timed out"), "cameras")
    unit = _service(unit, active="failed")
    weights = [finding.weight for finding in findings(unit)]
    assert weights == sorted(weights)
    assert {*weights} == {*Weight}


def test_a_certificate_that_was_renewed_is_judged_and_not_the_one_before_it(tmp_path: Path) -> None:
    old = Problem(str(tmp_path / "unit.yaml"), 3, "uplink.cert_file", "cert.pem cannot be read")
    assert findings(spoilt(healthy(tmp_path), "configuration", problems=(old,))) == []


def test_a_voice_model_that_check_finds_damaged_too_is_told_once(tmp_path: Path) -> None:
    damage = Problem(str(tmp_path / "unit.yaml"), 3, "voice.model", "it is damaged")
    unit = spoilt(healthy(tmp_path), "configuration", problems=(damage,))
    assert only(replace(unit, broken_models=(damage,))).kind == "voice_model"


@pytest.mark.parametrize(("kit", "told"), [("pi", True), ("street", False)])
def test_the_hardwares_watchdog_is_asked_of_a_pi_only(tmp_path: Path, kit: str, told: bool) -> None:  # noqa: FBT001
    unit = spoilt(healthy(tmp_path, f"hardware: {{kit: {kit}}}\n"), "machine", watchdog_s=None)
    assert bool(findings(unit)) is told
