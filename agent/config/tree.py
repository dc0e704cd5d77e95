"""A configuration as it was written: values that know where they come from, before anybody judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Key = str | int
KeyPath = tuple[Key, ...]
Scalar = None | bool | int | float | str
Finding = tuple[KeyPath, str]
"""Which key, and what is wrong with it."""


def dotted(path: Sequence[Key]) -> str:
    """Write a key's path as people do: `inputs[1].pin`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


@dataclass(frozen=True)
class Origin:
    """Where a value was written."""

    file: str
    line: int
    profile: str | None = None
    """The profile's name when the file is one."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.profile is None else f"profile {self.profile}"


@dataclass(frozen=True)
class Value:
    """One value with its origin, and those of everything in it."""

    content: Scalar | list[Value] | dict[str, Value]
    origin: Origin

    def plain(self) -> object:
        """The value without its origins."""
        if isinstance(self.content, dict):
            return {key: value.plain() for key, value in self.content.items()}
        if isinstance(self.content, list):
            return [value.plain() for value in self.content]
        return self.content

    def inside(self, key: Key) -> Value | None:
        """The value of a key or at an index, if there is one."""
        if isinstance(self.content, dict) and isinstance(key, str):
            return self.content.get(key)
        if isinstance(self.content, list) and isinstance(key, int) and 0 <= key < len(self.content):
            return self.content[key]
        return None

    def at(self, *path: Key) -> Value | None:
        """The value at this path, if it was written."""
        value: Value | None = self
        for key in path:
            if value is None:
                return None
            value = value.inside(key)
        return value

    def items(self, *path: Key) -> list[Value]:
        """The entries of the list at this path; empty when there is none."""
        value = self.at(*path)
        return value.content if value is not None and isinstance(value.content, list) else []

    def text(self, *path: Key) -> str | None:
        """The text at this path, if there is one and it is text."""
        value = self.at(*path)
        return value.content if value is not None and isinstance(value.content, str) else None

    def nearest(self, path: Sequence[Key]) -> Value:
        """The innermost value on the way to this path: where to point at when the path itself was not written."""
        value = self
        for key in path:
            inner = value.inside(key)
            if inner is None:
                break
            value = inner
        return value


def overlaid(base: Value, over: Value) -> Value:
    """Lay one configuration over another: mappings merge key by key, everything else (lists too) replaces."""
    if not isinstance(base.content, dict) or not isinstance(over.content, dict):
        return over
    merged = dict(base.content)
    for key, value in over.content.items():
        merged[key] = overlaid(merged[key], value) if key in merged else value
    return Value(merged, over.origin)
