"""Writes a configuration out as YAML, each value with where it comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from agent.config.tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.load import Loaded
    from agent.config.tree import KeyPath

Line = tuple[str, str]
"""What YAML reads, and the origin that stands behind it ("" for a line that only opens a section)."""

FARTHEST_COLUMN = 60
"""Origins stand in one column; a longer line pushes only its own to the right."""
_PLAIN = re.compile(r"[A-Za-z/]([A-Za-z0-9 _./-]*[A-Za-z0-9])?")


def shown(loaded: Loaded) -> str:
    """The effective configuration: a file that, loaded again, gives the same `Config`."""
    lines = list(_mapping(loaded.config.model_dump(mode="json"), (), "", loaded))
    lengths = [len(text) for text, _ in lines]
    column = max((length for length in lengths if length <= FARTHEST_COLUMN), default=0)
    return "".join(f"{text:<{column}}  # {origin}\n" if origin else f"{text}\n" for text, origin in lines)


def _mapping(values: dict[str, object], path: KeyPath, indent: str, loaded: Loaded) -> Iterator[Line]:
    for key, value in values.items():
        here = (*path, key)
        head = f"{indent}{_scalar(key)}:"
        if isinstance(value, dict) and value:
            yield head, ""
            yield from _mapping(value, here, f"{indent}  ", loaded)
        elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
            yield head, ""
            for i, entry in enumerate(value):
                yield from _entry(_mapping(entry, (*here, i), f"{indent}    ", loaded), f"{indent}  - ")
        else:
            yield f"{head} {_leaf(value)}", loaded.origins[dotted(here)]


def _entry(lines: Iterator[Line], head: str) -> Iterator[Line]:
    """The lines of a mapping as one entry of a list."""
    for i, (text, origin) in enumerate(lines):
        yield (text if i else head + text[len(head) :]), origin


def _leaf(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    return "{}" if isinstance(value, dict) else _scalar(value)


def _scalar(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return str(value)
    return value if _is_plain(value) else _quoted(value)


def _is_plain(text: str) -> bool:
    """Whether any YAML reader, also one of YAML 1.1, takes it for just this text."""
    return bool(_PLAIN.fullmatch(text)) and yaml.safe_load(text) == text


def _quoted(text: str) -> str:
    dumped: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf"))
    return dumped.rstrip("\n")
