from __future__ import annotations

from pathlib import Path

from agent.doctor.own_units import OWN_UNITS

SYSTEMD = Path(__file__).parents[2] / "systemd"


def test_the_doctor_asks_after_each_unit_that_provisioning_installs_and_knows_which_start_by_themselves() -> None:
    files = {
        path.name: path.read_text(encoding="utf-8")
        for kind in ("service", "path", "timer")
        for path in SYSTEMD.glob(f"*.{kind}")
    }
    assert {name: "[Install]" in text for name, text in files.items()} == OWN_UNITS
