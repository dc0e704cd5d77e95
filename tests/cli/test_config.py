from __future__ import annotations

from typing import TYPE_CHECKING

from agent.cli.main import main
from agent.config.load import load_config
from tests.config.desk import LAB

if TYPE_CHECKING:
    import pytest

    from tests.config.desk import Desk


def test_the_effective_configuration_is_printed_and_loads_again(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    file = desk.write(LAB)
    assert main(["config", "unit.yaml"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "# profile safe-point" in printed.out
    assert load_config(desk.write(printed.out, "printed.yaml")).config == load_config(file).config


def test_nothing_is_printed_of_a_bad_file(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.write(LAB + "lamp: {pin: no}")
    assert main(["config", "unit.yaml"]) == 2
    assert capsys.readouterr() == (
        "",
        "unit.yaml:4: lamp.pin: needs a whole number from 0 to 27, got no (text)\n",
    )
