"""What a family of commands is given to do, and how it says what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from agent.signals import AnswerCommand, Command, CommandName

if TYPE_CHECKING:
    from agent.signals import Why

Handler = Callable[[Command], None]
"""Begins to carry out a command; raises `NotTaken` for one that it does not take. It must not wait for anything."""
Handlers = Mapping[CommandName, Handler]
Answering = Callable[[AnswerCommand], None]
"""Takes how a command stands, at any time after it was begun."""


class NotTaken(Exception):
    """The command is not carried out; nothing was done."""

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why = why
        self.text = text
