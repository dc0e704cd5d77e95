"""The kit of a Raspberry Pi, on a machine that is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from agent.hw.kit import HardwareLost, KitUnusable
from agent.hw.pi import PiKit


def test_options_that_nobody_would_read_are_refused() -> None:
    with pytest.raises(KitUnusable, match=r"hardware\.options sets: chip, street"):
        PiKit({"street": "x", "chip": "4"})


def test_without_pins_one_sentence_says_why_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/sys/firmware/devicetree/base/system/linux,revision").exists():
        pytest.skip("this is a Raspberry Pi: it has pins")
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    with (
        pytest.raises(HardwareLost, match=r"^no GPIO pins here \(lgpio: .*apt install python3-lgpio"),
        PiKit({}).pin_factory(),
    ):
        pass
    assert Device.pin_factory is None


def test_the_pin_library_is_gpiozeros_choice_and_closed_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # the panel opens the pins again after they were lost
        with PiKit({}).pin_factory() as factory:
            assert isinstance(factory, MockFactory)
        assert Device.pin_factory is None


def test_opening_the_pins_moves_neither_the_daemon_nor_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class MovesAway(MockFactory):  # type: ignore[misc]  # gpiozero ships no types
        """Does on opening what lgpio does on import."""

        def __init__(self) -> None:
            os.chdir(os.environ["LG_WD"])
            super().__init__()

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LG_WD", raising=False)
    monkeypatch.setattr(Device, "_default_pin_factory", staticmethod(MovesAway))
    with PiKit({}).pin_factory():
        assert Path.cwd() == tmp_path
        assert "LG_WD" not in os.environ
