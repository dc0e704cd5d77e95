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


def test_a_certificate_that_is_none_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("ca.pem", "unit.pem", "unit.key"):
        (tmp_path / name).write_text("not a certificate\n")
        (tmp_path / name).chmod(0o600)
    file = tmp_path / "unit.yaml"
    uplink = 'uplink: {broker: "mqtts://localhost:8883", ca_file: ca.pem, cert_file: unit.pem, key_file: unit.key}'
    lines = [uplink if line.startswith("uplink") else line for line in UNIT.splitlines()]
    file.write_text("\n".join(lines).replace("{kit: street}", "{kit: street, options: {street: nowhere}}"))
    assert main(["run", "--config", str(file)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("safepoint: ")
    assert str(tmp_path / "ca.pem") in told
    assert told.count("\n") == 1


def test_a_demo_of_an_unknown_profile_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--profile", "safe-spce", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "safepoint: there is no profile safe-spce; did you mean safe-space?\n"
