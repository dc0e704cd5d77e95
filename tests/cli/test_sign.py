from __future__ import annotations

from typing import TYPE_CHECKING

from agent.cli.main import main
from tests.config.desk import LAB

if TYPE_CHECKING:
    import pytest

    from tests.config.desk import Desk

WHO = "signage: {operator: Ashfield District Council, contact: 01623 450000}\n"


def test_a_sign_is_one_file_with_what_was_put_on_it_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.write(LAB + WHO)
    assert main(["sign", "unit.yaml", "--out", "sign.html"]) == 0
    told = (
        'sign.html: open it in a browser and print it on A4; phrases on it: "Help me", "I need help", "Call the police"'
    )
    assert capsys.readouterr() == (told + "\n", "")
    assert "Ashfield District Council" in (desk.folder / "sign.html").read_text(encoding="utf-8")


def test_who_runs_the_camera_and_whom_to_ask_is_asked_for_in_one_sentence(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.write(LAB)
    assert main(["sign", "unit.yaml", "--out", "sign.html"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(
        "safepoint: unit.yaml: signage.operator and signage.contact must be in the configuration"
    )
    assert printed.err.count("\n") == 1
    assert not (desk.folder / "sign.html").exists()


def test_a_file_that_is_there_is_replaced_only_by_force(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.write(LAB + WHO)
    (desk.folder / "sign.html").write_text("mine")
    assert main(["sign", "unit.yaml", "--out", "sign.html"]) == 2
    assert capsys.readouterr().err.startswith("safepoint: --out: sign.html is there already: give another name")
    assert (desk.folder / "sign.html").read_text() == "mine"
    assert main(["sign", "unit.yaml", "--out", "sign.html", "--force"]) == 0
    assert main(["sign", "unit.yaml", "--out", "nowhere/sign.html"]) == 2
    assert (
        capsys.readouterr().err == "safepoint: --out: nowhere/sign.html cannot be written: No such file or directory\n"
    )


def test_a_sign_needs_no_certificates(desk: Desk) -> None:
    tls = LAB.replace("mqtt://localhost", "mqtts://localhost").replace(
        "insecure_lab: true", "ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem"
    )
    desk.write(tls + WHO)
    assert main(["sign", "unit.yaml", "--out", "sign.html"]) == 0
