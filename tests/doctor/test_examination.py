"""The doctor looks at a real machine, through real processes, and hangs with none of them."""

from __future__ import annotations

import json
import os
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.cli.main import main
from agent.doctor.examination import examine
from agent.doctor.facts import AGENT, HANGS
from agent.doctor.look import FIRST, part_names
from tests.config.desk import LAB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BENCH = LAB + "hardware: {kit: street}\nstate_folder: state\ncamera: {enabled: false}\n"
SHOWN = f"""\
Id={AGENT}
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
NRestarts=2
Result=success
ActiveEnterTimestampMonotonic=1000000
StatusText=set; link up
User=root
SupplementaryGroups=gpio audio
NeedDaemonReload=no

Id=safepoint-reboot.path
LoadState=not-found
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir(mode=0o700)
    unit = tmp_path / "unit.yaml"
    unit.write_text(BENCH, encoding="utf-8")
    return unit


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a program of this name before the machine's own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)

    return put


@pytest.fixture
def well(program: Callable[[str, str], None]) -> Callable[[str, str], None]:
    """A machine whose systemd answers."""
    program("systemctl", f"cat <<'END'\n{SHOWN}END")
    program("journalctl", "echo 'newest: event=link_up'; echo 'older: event=unit_started'")
    return program


def _left_behind(file: Path) -> Iterator[int]:
    """Processes that still look at this unit."""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes().split(b"\0")
        except OSError:
            continue  # it ended while we looked
        if str(file).encode() in words:
            yield int(line.parent.name)


def _wait_until_gone(file: Path) -> None:
    until_s = time.monotonic() + 60
    while left := [*_left_behind(file)]:
        assert time.monotonic() < until_s, left
        time.sleep(0.02)


@pytest.mark.usefixtures("well")
def test_every_part_of_a_machine_is_looked_at(file: Path) -> None:
    facts = examine(file)
    # A machine may lack what these ask; whatever they say of that is told.
    assert {*facts.unanswered} <= {"logins"}
    assert facts.config is not None
    assert facts.config.unit.id == "hk-001"
    assert facts.agent is not None
    assert (facts.agent.restarts, facts.agent.status, facts.agent.groups) == (2, "set; link up", ("gpio", "audio"))
    assert facts.services is not None
    assert facts.services["safepoint-reboot.path"].load == "not-found"
    assert facts.journal == ("older: event=unit_started", "newest: event=link_up")
    assert facts.health is not None
    assert {*facts.health} >= {"storage", "memory", "power", "thermal"}
    assert facts.broken_models == ()
    assert facts.access is not None
    assert (facts.access.user, facts.access.state_mode) == ("root", 0o700)
    assert facts.machine is not None
    assert facts.machine.versions["agent"]
    _wait_until_gone(file)


def test_a_systemd_that_hangs_hides_nothing_else_and_holds_nobody(file: Path, well: Callable[[str, str], None]) -> None:
    well("systemctl", "trap '' TERM\nexec sleep 1000")
    facts = examine(file)
    assert facts.unanswered["services"] == HANGS
    assert {*facts.unanswered} <= {"services", "access", "logins"}
    _wait_until_gone(file)


@pytest.mark.usefixtures("well")
def test_a_configuration_on_a_disk_that_hangs_hides_nothing_else(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)  # whoever opens it waits for ever
    facts = examine(file)
    assert facts.unanswered[FIRST] == HANGS
    assert {*facts.unanswered} <= {FIRST, "logins"}
    assert facts.agent is not None
    assert facts.agent.active == "active"
    _wait_until_gone(file)


@pytest.mark.usefixtures("well")
def test_who_looks_and_dies_of_it_is_told_as_no_answer(file: Path) -> None:
    facts = examine(file, 0.0)
    assert facts.unanswered == dict.fromkeys(part_names(), HANGS)
    _wait_until_gone(file)


def test_an_agent_that_does_not_load_is_no_disk_that_hangs(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "broken").mkdir()
    (file.parent / "broken/pydantic.py").write_text("raise ImportError('half installed')\n")
    monkeypatch.setenv("PYTHONPATH", f"{file.parent}/broken:{os.environ.get('PYTHONPATH', '')}")
    facts = examine(file)
    assert set(facts.unanswered.values()) == {"the process that looks ended with code 1"}


@pytest.mark.usefixtures("well")
def test_findings_are_exit_code_1_with_the_page_on_stdout_and_a_bundle_beside(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "b.tar.gz"
    assert main(["doctor", "--config", str(file), "--bundle", str(bundle)]) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("hk-001 (Central Walk): ")
    assert "\nCALLS FOR HELP DO NOT GET THROUGH\n1. This unit was not commissioned here" in printed.out
    assert "\n2. mqtt://localhost: it cannot be reached" in printed.out
    assert "Fix: " in printed.out
    assert printed.err.startswith(f"{bundle}: ")
    with tarfile.open(bundle) as packed:
        assert "safepoint-diagnosis/findings.txt" in packed.getnames()


@pytest.mark.usefixtures("well")
def test_a_machine_gets_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--config", str(file), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["findings"]
    assert {"link", "units"} <= {finding["kind"] for finding in told}
    assert told[0]["weight"] == "no_call"


@pytest.mark.usefixtures("well")
def test_a_configuration_that_cannot_be_used_is_the_first_finding_as_check_says_it(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(BENCH + "lamp: {pin: no}\n", encoding="utf-8")
    assert main(["doctor", "--config", str(file)]) == 1
    printed = capsys.readouterr().out
    assert "\nTHE UNIT DOES NOT RUN\n1. lamp.pin: needs a whole number from 0 to 27, got no (text)\n" in printed


@pytest.mark.usefixtures("well")
def test_a_configuration_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--config", str(tmp_path / "none.yaml"), "--json"]) == 1
    first = json.loads(capsys.readouterr().out)["findings"][0]
    assert first["what"] == f"{tmp_path}/none.yaml: cannot be read: No such file or directory"


def test_a_bundle_never_replaces_a_file(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("mine")
    assert main(["doctor", "--config", str(file), "--bundle", str(tmp_path / "mine")]) == 2
    assert capsys.readouterr() == ("", f"safepoint: --bundle: {tmp_path}/mine is there already: give another name\n")
    assert (tmp_path / "mine").read_text() == "mine"
