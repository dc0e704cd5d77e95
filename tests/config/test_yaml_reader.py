"""YAML as unit files speak it, and what a hostile or broken file can do: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.config.scalars import core_scalar
from agent.config.yaml_reader import read_yaml
from tests.config.desk import LAB

if TYPE_CHECKING:
    from tests.config.desk import Desk


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("22:00", "22:00"),
        ("1:30:00", "1:30:00"),
        ("2026-11-22", "2026-11-22"),
        ("17", 17),
        ("-3", -3),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("2.5", 2.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("1.2.3", "1.2.3"),
        ("4471234567890123456789", "4471234567890123456789"),
        ("1" * 10_000, "1" * 10_000),
    ],
)
def test_an_unquoted_scalar_means_what_yaml_1_2_says(written: str, meant: object) -> None:
    assert core_scalar(written) == meant
    assert type(core_scalar(written)) is type(meant)


def test_quotes_make_text_of_everything(desk: Desk) -> None:
    value, _ = read_yaml(desk.write("a: '17'\nb: \"true\"\nc: |\n  no\n"))
    assert value.plain() == {"a": "17", "b": "true", "c": "no\n"}


def test_keys_are_text_whatever_they_look_like(desk: Desk) -> None:
    value, _ = read_yaml(desk.write("17: a\ntrue: b\n"))
    assert value.plain() == {"17": "a", "true": "b"}


def test_a_byte_order_mark_is_no_part_of_the_first_key(desk: Desk) -> None:
    assert desk.problems(b"\xef\xbb\xbf" + LAB.encode()) == []


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]\n" for i in range(9)
)
NO_SUCH = "not valid YAML: an escape or a version number that does not exist"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", ": is empty; it begins with a line such as: profile: safe-point", id="nothing"),
        pytest.param("# later\n", ": is empty; it begins with a line such as: profile: safe-point", id="a comment"),
        pytest.param("a:\n\tb: 4", ":2: not valid YAML: indent with spaces, a tab does not count", id="a tab"),
        pytest.param('a: 1\nb: "\\UFFFFFFFF"', f":2: {NO_SUCH}", id="an escape beyond Unicode"),
        pytest.param("# x\n%YAML " + "9" * 5000 + ".1\n---\na: 1", f":2: {NO_SUCH}", id="a version of 5000 digits"),
        pytest.param("a: 1\nb: \x07", ":2: holds a character that cannot be printed (U+0007)", id="a bell"),
        pytest.param(b"a: 1\nb: caf\xe9", ":2: is not UTF-8 text from here on; save it as UTF-8", id="Latin-1"),
        pytest.param("#" * 2**20, ": is larger than 256 KiB: this cannot be a unit's file", id="a megabyte"),
        pytest.param(LAUGHS, ":1: more than 10000 values, counting every use of an anchor", id="a billion laughs"),
        pytest.param("a: &a {b: *a}", ":1: nested too deeply: an anchor that holds itself?", id="a snake"),
        pytest.param("a: " + "[" * 5000, ":1: not valid YAML: nested too deeply", id="a tower"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(desk: Desk, text: str | bytes, told: str) -> None:
    assert desk.problems(text) == [f"unit.yaml{told}"]
