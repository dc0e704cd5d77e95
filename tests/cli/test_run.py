from __future__ import annotations

from typing import TYPE_CHECKING

from agent.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

UNIT = """\
profile: public-space
unit: {id: u, org: o, name: n, location: l}
uplink: {broker: "mqtt://localhost:1883", insecure_lab: true}
hardware: {kit: street}
"""


def test_a_configuration_with_errors_ends_in_two_and_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unit.yaml"
    file.write_text("profile: safe-pont\n")
    assert main(["run", "--config", str(file)]) == 2
    assert "did you mean safe-point?" in capsys.readouterr().err


def test_a_kit_without_what_it_needs_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "unit.yaml"
    file.write_text(UNIT)
    assert main(["run", "--config", str(file)]) == 2
    assert capsys.readouterr().err == (
        "safepoint: hardware.options.street is missing: give it the path of the simulated street's socket\n"
    )


def test_a_demo_of_an_unknown_profile_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--profile", "safe-spce", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "safepoint: there is no profile safe-spce; did you mean safe-space?\n"
