"""provision.sh with a slip: both requests carry the token, the office signs them, and the token stays nowhere."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.provisioning.authority.pilot import UNIT
from tests.provisioning.provisioner import PROVISIONING, call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provisioning.authority.pilot import Pilot

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="provision.sh WRITES FILES OF root: run this as root")

STEP = """
TLS=$folder/state/tls NEXT=() CHANGES=0
ANSWER[unit_id]=hk-001 ANSWER[broker]=mqtts://localhost ANSWER[token_file]=$folder/slip
enrolment_step
printf '%s changes\n' "$CHANGES"
"""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """A unit that has the agent and its configuration, and neither key nor certificate."""
    folder = tmp_path / "unit"
    (folder / "opt/bin").mkdir(parents=True)
    (folder / "state").mkdir()
    program = folder / "opt/bin/safepoint"
    here = PROVISIONING.parent
    program.write_text(f'#!/bin/sh\nPYTHONPATH={here} exec {sys.executable} -m agent.cli.main "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (folder / "unit.yaml").write_text(UNIT.format(name="hk-001"), encoding="utf-8")
    return folder


def test_both_requests_prove_whose_they_are_by_a_token_that_stays_nowhere(pilot: Pilot, unit: Path) -> None:
    token = pilot.token("hk-001")
    slip = unit / "slip"
    slip.write_text(f"{token}\n", encoding="utf-8")
    first = call(unit, STEP)
    assert first.returncode == 0, first.stderr
    slip.unlink()
    for name in ("request.csr", "request-media.csr"):
        assert pilot.sign(unit / "state" / name).exists()
    holding = [path for path in unit.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    assert (holding, token in first.stdout + first.stderr) == ([], False)
    again = call(unit, STEP)
    assert (again.returncode, again.stdout) == (0, "0 changes\n"), "requests that are there are not made anew"


def test_without_a_slip_the_office_signs_nothing_by_a_word_alone(pilot: Pilot, unit: Path) -> None:
    pilot.token("hk-001")
    assert call(unit, STEP.replace("ANSWER[token_file]=$folder/slip", "ANSWERS=$folder/none")).returncode == 0
    assert pilot.refusal("sign", unit / "state/request.csr")


def test_a_slip_that_cannot_be_read_is_said(unit: Path) -> None:
    told = call(unit, STEP)
    assert (told.returncode, "slip cannot be read" in told.stderr) == (2, True)
