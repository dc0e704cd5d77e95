"""The second engine of a unit's voice, which it gets when its answers say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.provisioning.provisioner import PROVISIONING, call

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = 2
ANSWERS = """
ANSWER=([profile]=safe-point [unit_id]=u-1 [org]=o [name]=n [location]=l [broker]=mqtts://b [footage]=card)
python_version() { echo 3.11; }
"""
WANTED = "ANSWER[second_engine]=yes\n"


@pytest.mark.parametrize("said", ["", "ANSWER[second_engine]=no\n"])
def test_who_does_not_ask_for_it_gets_neither_its_packages_nor_its_key(tmp_path: Path, said: str) -> None:
    told = call(tmp_path, ANSWERS + said + "constraints; configuration_text")
    listed, *text = told.stdout.splitlines()
    assert listed == f"{PROVISIONING}/constraints-cp311.txt"
    assert "voice" not in yaml.safe_load("\n".join(text))


def test_who_asks_for_it_gets_both(tmp_path: Path) -> None:
    told = call(tmp_path, ANSWERS + WANTED + "constraints; configuration_text")
    alone, besides, *text = told.stdout.splitlines()
    assert [alone, besides] == [f"{PROVISIONING}/constraints-{name}cp311.txt" for name in ("", "verifier-")]
    assert yaml.safe_load("\n".join(text))["voice"] == {"verifier": True}


def test_it_stands_beside_a_model_of_the_answers(tmp_path: Path) -> None:
    (tmp_path / "opt/models/000000000000/small").mkdir(parents=True)
    model = f"ANSWER[voice_model_sha256]={'0' * 64}\n"
    told = call(tmp_path, ANSWERS + WANTED + model + "configuration_text")
    assert yaml.safe_load(told.stdout)["voice"] == {
        "model": str(tmp_path / "opt/models/000000000000/small"),
        "verifier": True,
    }


def test_an_agent_with_it_is_another_agent(tmp_path: Path) -> None:
    told = call(tmp_path, ANSWERS + "agent_fingerprint\n" + WANTED + "agent_fingerprint")
    first, second = told.stdout.split()
    assert first != second


def test_a_bundle_without_it_is_refused_before_anything_is_removed(tmp_path: Path) -> None:
    (tmp_path / "bundle/wheels").mkdir(parents=True)
    (tmp_path / "slot").mkdir()
    here = ANSWERS + WANTED + 'OFFLINE=unit.tar BUNDLE="$WORK/bundle"\n'
    told = call(tmp_path, here + 'fill_slot "$WORK/slot" wanted')
    assert (told.returncode, "make a bundle with make-bundle --second-engine" in told.stderr) == (REFUSED, True)
    assert (tmp_path / "slot").is_dir()
    (tmp_path / "bundle/wheels/moonshine_voice-0.0.45-py3-none-any.whl").touch()
    assert call(tmp_path, here + "second_engine_is_there").returncode == 0


@pytest.mark.parametrize(("there", "code"), [(True, 0), (False, REFUSED)])
def test_a_slot_of_an_update_without_it_is_refused_before_anything_is_written(
    tmp_path: Path, *, there: bool, code: int
) -> None:
    slot = tmp_path / "opt/slots/a"
    (slot / "bin").mkdir(parents=True)
    (slot.parent / "current").symlink_to("a")
    (slot / "bin/python").write_text(f"#!/bin/sh\nexit {int(not there)}\n")
    (slot / "bin/python").chmod(0o755)
    kept = "put_checker() { :; }; put_ways_in() { :; }\n"
    told = call(tmp_path, ANSWERS + WANTED + kept + "agent_step")
    assert told.returncode == code, told.stderr
    assert ("say second_engine = no in an --answers file" in told.stderr) is not there
