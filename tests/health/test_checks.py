from __future__ import annotations

from pathlib import Path

import agent.health
from agent.config.settings import Config, UnitSettings, UplinkSettings
from agent.health import check_all, check_names


def config(state_folder: Path) -> Config:
    unit = UnitSettings(id="u", org="o", name="n", location="l")
    return Config(
        profile="p",
        unit=unit,
        uplink=UplinkSettings(broker="mqtt://localhost:1883", insecure_lab=True),
        state_folder=state_folder,
    )


def test_a_check_is_found_by_lying_in_the_folder() -> None:
    files = {path.stem for path in Path(agent.health.__path__[0]).glob("*.py")}
    assert set(check_names()) == files - {"__init__", "proofs", "reading", "watch"}


def test_every_check_reads_this_machine(tmp_path: Path) -> None:
    readings = check_all(config(tmp_path))
    assert readings.keys() == set(check_names())
    free_mb = readings["storage"].facts["freeMb"]
    assert isinstance(free_mb, int)
    assert free_mb > 0


def test_a_source_that_cannot_be_read_is_a_fault_and_not_the_end(tmp_path: Path) -> None:
    reading = check_all(config(tmp_path / "unplugged"))["storage"]
    assert "unreadable" in reading.faults
    assert "storage" in reading.faults["unreadable"]
