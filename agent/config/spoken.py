"""Where in a unit's file stands what it listens for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.config.tree import KeyPath, Value


def languages(tree: Value) -> list[KeyPath]:
    """The sections of the main language and of the further ones, each with its `model` and `phrases`."""
    return [("voice",), *(("voice", "languages", i) for i in range(len(tree.items("voice", "languages"))))]


def phrases(tree: Value, language: KeyPath) -> list[KeyPath]:
    """The phrases of one language."""
    return [(*language, "phrases", i) for i in range(len(tree.items(*language, "phrases")))]
