"""`safepoint config` shows what applies, and its output is a unit file again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.load import load_config, profile_names
from agent.config.scalars import core_scalar
from agent.config.show import _scalar, shown
from tests.config.desk import LAB

if TYPE_CHECKING:
    from tests.config.desk import Desk


@pytest.mark.parametrize("profile", profile_names())
def test_what_is_shown_loads_again_as_the_same_configuration(desk: Desk, profile: str) -> None:
    odd = LAB.replace("Central Walk", '"#1: the \\"Walk\\" \\u2028é\\nline two, no"').replace("safe-point", profile)
    loaded = desk.load(odd + "hardware: {options: {'on': 'true', '7': ''}}\nstate_folder: state\n")
    again = load_config(desk.write(shown(loaded), "again.yaml"))
    assert again.config == loaded.config


def test_each_value_stands_beside_its_origin_in_one_column(desk: Desk) -> None:
    text = shown(desk.load(LAB + "lamp:\n  pin: 5\ninputs:\n  - {name: a, kind: pir, pin: 4}\n"))
    lines = text.splitlines()
    column = lines[0].index("#")
    assert lines[0] == "profile: safe-point".ljust(column) + "# unit.yaml:1"
    assert "  pin: 5".ljust(column) + "# unit.yaml:5" in lines
    assert "  - name: a".ljust(column) + "# unit.yaml:7" in lines
    assert "    pin: 4".ljust(column) + "# unit.yaml:7" in lines
    assert "  on_motion: dark".ljust(column) + "# profile safe-point" in lines
    assert "  resend_s: [2.0, 5.0, 15.0, 60.0]".ljust(column) + "# default" in lines


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_written_so_that_every_yaml_reader_gets_it_back(text: str) -> None:
    written = _scalar(text)
    assert "\n" not in written
    assert yaml.safe_load(f"[{written}]") == [text], "a reader of YAML 1.1"
    assert written.startswith('"') or core_scalar(written) == text, "and ours, of YAML 1.2"
