"""What an operator types to have a unit do something: `UNIT COMMAND name=value ... [-- why]`."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.control_room.happenings import UnitKey
from agent.signals import CommandName

if TYPE_CHECKING:
    from collections.abc import Collection

HELP = "UNIT COMMAND name=value ... -- why (hk-001 light forS=60 -- a fall)"


class CommandUnclear(ValueError):
    """It cannot be understood; the text says what to type instead."""


@dataclass(frozen=True)
class Typed:
    """A command as somebody typed it."""

    unit: UnitKey
    name: CommandName
    args: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None

    def __str__(self) -> str:
        return f"{self.unit} {self.name}"


def understood(line: str, known: Collection[UnitKey]) -> Typed:
    """What a line means. Whether the unit takes it is for the unit to say.

    Args:
        line: What was typed.
        known: The units that were heard of: for these the organisation need not be typed.

    Raises:
        CommandUnclear: it means nothing.
    """
    command, dashes, why = line.partition(" -- ")
    try:
        words = shlex.split(command)
    except ValueError as error:
        msg = f"{error}: a quotation mark is missing its other one"
        raise CommandUnclear(msg) from error
    if len(words) < 2:  # noqa: PLR2004 - a unit and a command
        msg = f"type {HELP}"
        raise CommandUnclear(msg)
    names = [str(name) for name in CommandName]
    if words[1] not in names:
        msg = f"there is no command {words[1]}; there are: {', '.join(names)}"
        raise CommandUnclear(msg)
    reason = why.strip() if dashes else None
    return Typed(_unit(words[0], known), CommandName(words[1]), dict(map(_argument, words[2:])), reason or None)


def _unit(word: str, known: Collection[UnitKey]) -> UnitKey:
    org, slash, unit = word.partition("/")
    if slash and org and unit:
        return UnitKey(org, unit)
    meant = [key for key in known if key.unit == word]
    if len(meant) == 1:
        return meant[0]
    problem = "is in several organisations" if meant else "was never heard of"
    msg = f"the unit {word} {problem}: say ORGANISATION/UNIT"
    raise CommandUnclear(msg)


def _argument(word: str) -> tuple[str, Any]:
    name, equals, text = word.partition("=")
    if not (equals and name):
        msg = f"{word} is no argument: say name=value"
        raise CommandUnclear(msg)
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text  # not a number, true, false or a section of JSON: a word
