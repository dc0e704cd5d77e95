"""Which bundles a unit takes: a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.update.manifest import Manifest, WheelFile
from agent.update.versions import Here, number, refusal

HERE = Here("0.9.2", "aarch64", "3.13", "0.9.2", {}, {})
FILES = (WheelFile(name="a-1.whl", bytes=1, sha256="0" * 64),)


def bundle(version: str = "0.10.0", minimum: str = "0.0.0", machine: str = "aarch64", python: str = "3.13") -> Manifest:
    return Manifest(version=version, minimum=minimum, machine=machine, python=python, files=FILES)


@pytest.mark.parametrize("version", ["0.9.3", "0.10.0", "1.0.0"])
def test_a_later_version_is_taken(version: str) -> None:
    assert refusal(bundle(version), HERE) is None


@pytest.mark.parametrize(
    ("manifest", "here", "why"),
    [
        (bundle(machine="x86_64"), HERE, "it is for machines of type x86_64, and this one is aarch64: take the other"),
        (bundle(python="3.11"), HERE, "it is for Python 3.11, and this unit has 3.13: take the other bundle"),
        (bundle("0.9.2"), HERE, "version 0.9.2 is in use already"),
        (bundle("0.9.1"), HERE, "version 0.9.1 is older than 0.9.2, which this unit has had: there is no way back"),
        (
            bundle("0.9.9"),
            replace(HERE, proven="0.10.0"),
            "version 0.9.9 is older than 0.10.0, which this unit has had",
        ),
        (
            bundle(minimum="0.10.0", version="1.0.0"),
            HERE,
            "version 1.0.0 starts from 0.10.0 or later, and 0.9.2 is in use: bring 0.10.0 first",
        ),
        (
            bundle(),
            replace(HERE, failed={bundle().identity: "it hung"}),
            "version 0.10.0 was tried here and taken back, because it hung: build a new bundle",
        ),
        (
            bundle(),
            replace(HERE, attempts={bundle().identity: 2}),
            "version 0.10.0 was tried 2 times here and never came to an end: build a new bundle",
        ),
    ],
)
def test_what_is_not_for_this_unit_is_refused_in_one_sentence(manifest: Manifest, here: Here, why: str) -> None:
    said = refusal(manifest, here)
    assert said is not None
    assert said.startswith(why)
    assert "\n" not in said


def test_one_trial_that_was_broken_off_is_no_reason() -> None:
    assert refusal(bundle(), replace(HERE, attempts={bundle().identity: 1})) is None


def test_another_build_of_a_version_that_failed_is_another_bundle() -> None:
    failed = replace(HERE, failed={bundle().identity: "it hung"})
    other = bundle().model_copy(update={"files": (FILES[0].model_copy(update={"sha256": "1" * 64}),)})
    assert refusal(other, failed) is None


def test_versions_are_numbers_not_text() -> None:
    assert number("0.10.0") > number("0.9.9")
