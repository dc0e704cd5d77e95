"""Every `safepoint ...` that people are told of can be typed: in the manuals, in a doctor's fix, in a hint."""

from __future__ import annotations

import argparse
import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.cli.errors import UsageError
from agent.cli.main import parser

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
COMMAND_LINE = parser()
UNIT_FILE = Path("/etc/safepoint/unit.yaml")
NAMED = re.compile(r"\b(sudo )?safepoint (?=[a-z])([^`;#>)\n]*)")
"""Up to where a sentence, a script or a comment goes on with something else."""
ALTERNATIVES = re.compile(r"((?:[a-z-]+ )?)((?:[a-z-]+ \| )+[a-z-]+)")
TOKEN = re.compile(r'"[^"]*"|[^\s"]+')
ARGUMENT = re.compile(r'[A-Z{/$%"][^ ]*.*|[^ ]*[./:][^ ]*')
TALKED_OF = {
    *("run", "check", "config", "fleet", "control-room", "relocate", "certificate install"),
    *(f"footage {verb}" for verb in ("clip", "still", "hold", "release", "export")),
}
"""Commands that need something to work on, and of which people are also told by the name alone."""


def manuals() -> Iterator[tuple[str, str]]:
    """The lines of all manuals, scripts and services, with where they stand."""
    files = [ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "provisioning").glob("make-*")]
    for folder in ("provisioning", "systemd"):
        files += [path for path in (ROOT / folder).rglob("*") if path.suffix in {".md", ".sh", ".service"}]
    for path in sorted(files):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def told_by_programs() -> Iterator[tuple[str, str]]:
    """All that a program of ours may say to somebody: its texts, without those that explain the code."""
    for path in sorted([*(ROOT / "agent").rglob("*.py"), *(ROOT / "provisioning").rglob("*.py")]):
        text = path.read_text(encoding="utf-8")
        if "safepoint " not in text:
            continue
        tree = list(ast.walk(ast.parse(text)))
        not_alone = {id(each.value) for each in tree if isinstance(each, ast.Expr)}
        not_alone |= {id(part) for each in tree if isinstance(each, ast.JoinedStr) for part in each.values}
        for each in tree:
            if isinstance(each, ast.JoinedStr):
                parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in each.values]
                yield f"{path.relative_to(ROOT)}:{each.lineno}", re.sub(r"(?<=[a-z])\{\}", "", "".join(parts))
            elif isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in not_alone:
                yield f"{path.relative_to(ROOT)}:{each.lineno}", each.value


@cache
def named() -> list[tuple[str, list[str], bool]]:
    """All commands: where each is named, its words, and whether it stands there to be typed as it is."""
    return [
        (where, words, bool(found[1]))
        for where, text in (*manuals(), *told_by_programs())
        for found in NAMED.finditer(text)
        for words in words_of(found[2])
    ]


def words_of(text: str) -> Iterator[list[str]]:
    """The words of the command that a text begins with, or of several: `footage status | list`."""
    if several := ALTERNATIVES.match(text):
        for verb in several[2].split(" | "):
            yield from words_of(several[1] + verb)
        return
    words: list[str] = []
    at, given = COMMAND_LINE, ""
    for token in TOKEN.findall(re.sub(r"[\[\]]|\.\.\.", "", text)):
        word = token.rstrip(".,:")
        if word in verbs(at):
            at = verbs(at)[word]
        elif words and not (word.startswith("--") or ARGUMENT.fullmatch(word)):
            break
        given = "3" if given == "--units" else word.strip('"')
        words.append(given)
        if token.endswith((",", ".", ":")):
            break
    yield words


def verbs(at: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """What may follow a command."""
    inner = [each for each in at._actions if isinstance(each, argparse._SubParsersAction)]
    return dict(inner[0].choices) if inner else {}


def test_every_command_that_people_are_told_of_can_be_typed() -> None:
    refused = []
    for where, words, as_it_is in named():
        try:
            COMMAND_LINE.parse_args(words)
        except UsageError as error:
            if as_it_is or " ".join(words) not in TALKED_OF or "arguments are required" not in str(error):
                refused.append(f"{where}: safepoint {' '.join(words)}: {error}")
    assert refused == []


def test_the_manuals_the_fixes_and_the_hints_are_really_searched() -> None:
    searched = {where for where, _, _ in named()}
    for source in ("README.md", "provisioning/living", "agent/doctor/", "agent/cli/relocate", "agent/health/"):
        assert any(where.startswith(source) for where in searched), source


@pytest.mark.parametrize(
    "command",
    [
        *("commission", "commission status", "commission withdraw", "drill", "doctor", "relocate --by YOU"),
        *("certificate status", "certificate request", "certificate install FILE", "footage status"),
    ],
)
def test_on_a_unit_nobody_types_where_its_file_is(command: str) -> None:
    assert COMMAND_LINE.parse_args(command.split()).config == UNIT_FILE


@pytest.mark.parametrize("command", ["commission --config mine.yaml status", "footage --config mine.yaml status"])
def test_a_file_that_was_named_before_the_verb_is_meant(command: str) -> None:
    assert COMMAND_LINE.parse_args(command.split()).config == Path("mine.yaml")
