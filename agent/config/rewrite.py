"""Changes single values in a unit's file and leaves everything else as a person wrote it, comments and all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping


class NotRewritable(ValueError):
    """The text has not the shape of a unit's file; the text says what is missing."""


def with_values(text: str, section: str, values: Mapping[str, str | float]) -> str:
    """The text with these values in one of its top sections; what is not there yet is added.

    Raises:
        NotRewritable: it is no mapping of sections, or the section is none of keys.
    """
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(top, yaml.MappingNode) or top.flow_style:
        msg = "the file is not made of sections"
        raise NotRewritable(msg)
    part = next((value for key, value in top.value if key.value == section), None)
    if part is None:
        lines = (f"  {name}: {_scalar(value)}\n" for name, value in values.items())
        return f"{text.rstrip()}\n\n{section}:\n{''.join(lines)}"
    if not isinstance(part, yaml.MappingNode) or not part.value:
        msg = f"its section {section} has no keys"
        raise NotRewritable(msg)
    there = {key.value: value for key, value in part.value}
    first = part.value[0][0].start_mark
    between = ", " if part.flow_style else "\n" + " " * first.column
    edits = [(there[n].start_mark.index, _end(there[n], text), _scalar(v)) for n, v in values.items() if n in there]
    edits += [(first.index, first.index, f"{n}: {_scalar(v)}{between}") for n, v in values.items() if n not in there]
    # From the end to the beginning, so that the places before stay where they are.
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _scalar(value: str | float) -> str:
    """As JSON has it, which is YAML too."""
    return json.dumps(value, ensure_ascii=False)


def _end(node: yaml.Node, text: str) -> int:
    """Where a value ends; a block text ("|", ">") would take the line's end with it."""
    end: int = node.end_mark.index
    while end > node.start_mark.index and text[end - 1] in "\r\n":
        end -= 1
    return end
