"""From a YAML file to values with origins: no tags, no duplicate keys, bounded in every way."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import yaml
from yaml.reader import Reader, ReaderError

from agent.config.problems import ConfigInvalid, Problem
from agent.config.scalars import core_scalar
from agent.config.tree import KeyPath, Origin, Scalar, Value, dotted

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 256 * 1024
"""A unit's file is 2 to 10 kB; a hundred times that is a mistake or an attack."""
MAX_VALUES = 10_000
"""Counted with every alias written out, so that anchors cannot blow a small file up."""
MAX_DEPTH = 16
"""The deepest real key has four levels."""


def read_yaml(path: Path, profile: str | None = None) -> tuple[Value, list[Problem]]:
    """Read a file of one mapping.

    Args:
        path: the file, as the user named it.
        profile: the profile's name when the file is one.

    Returns:
        The mapping, and the problems that leave the rest of it readable (duplicate keys).

    Raises:
        ConfigInvalid: nothing can be read from it.
    """
    file, root = str(path), _root(path)
    if root is None:
        raise _invalid(file, None, "is empty; it begins with a line such as: profile: safe-point")
    if not isinstance(root, yaml.MappingNode):
        raise _invalid(file, root.start_mark.line + 1, "needs sections such as `unit:` here, got something else")
    builder = _Builder(file, profile)
    return builder.value(root, (), root.start_mark.line + 1), builder.problems


def read_texts(path: Path) -> dict[str, str]:
    """Read a file of one mapping of keys to texts, each to the character as it was typed.

    To YAML `0123456`, `2026.10`, `51:30:20` and `off` are numbers and a no. Here they are what a person copied from a
    paper, and what stands on that paper is not 42798.

    Raises:
        ConfigInvalid: it is something else, or a key is given twice or says nothing.
    """
    file, root = str(path), _root(path)
    if not isinstance(root, yaml.MappingNode):
        raise _invalid(file, root.start_mark.line + 1 if root else None, "needs lines such as `key: text`")
    builder = _Builder(file, None, as_typed=True)
    texts = {}
    for key, said in cast("dict[str, Value]", builder.value(root, (), root.start_mark.line + 1).content).items():
        if isinstance(said.content, str) and said.content:
            texts[key] = said.content
        else:
            builder.problems.append(Problem(file, said.origin.line, key, "needs one plain text behind it"))
    if builder.problems:
        raise ConfigInvalid(builder.problems)
    return texts


def _root(path: Path) -> yaml.Node | None:
    """The only document's root; None for an empty file.

    Raises:
        ConfigInvalid: it cannot be read, or is no YAML.
    """
    file, text = str(path), _text(path)
    try:
        return _Composer(text).root()
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _invalid(file, line, f"holds a character that cannot be printed (U+{error.character:04X})") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _invalid(file, mark.line + 1 if mark else None, _plain_syntax_error(error)) from error


def _text(path: Path) -> str:
    """The file's text.

    Raises:
        ConfigInvalid: it cannot be opened, is far too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else "its name holds a NUL"
        raise _invalid(str(path), None, f"cannot be read: {reason}") from error
    if len(raw) > MAX_BYTES:
        raise _invalid(str(path), None, f"is larger than {MAX_BYTES // 1024} KiB: this cannot be a unit's file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _invalid(str(path), line, "is not UTF-8 text from here on; save it as UTF-8") from error


def _invalid(file: str, line: int | None, message: str) -> ConfigInvalid:
    return ConfigInvalid([Problem(file, line, "", message)])


def _plain_syntax_error(error: yaml.MarkedYAMLError) -> str:
    said = error.problem or error.context or "it cannot be read"
    if "'\\t'" in said:
        return "not valid YAML: indent with spaces, a tab does not count"
    if said == "mapping values are not allowed here":
        return "not valid YAML: a second `key:` where a value should be (wrong indentation, or text to put in quotes)"
    return f"not valid YAML: {said}"


class _Composer(yaml.SafeLoader):
    """PyYAML as far as nodes: nothing is constructed, tags are refused, depth is bounded."""

    depth = 0

    def root(self) -> yaml.Node | None:
        """The only document's root; None for an empty file.

        Raises:
            yaml.YAMLError: the text is not YAML, or not one document.
        """
        try:
            return self.get_single_node()
        except (ValueError, OverflowError) as error:
            # PyYAML leaves these to chr() and int(): an escape beyond Unicode, a version of thousands of digits.
            raise yaml.MarkedYAMLError(
                problem="an escape or a version number that does not exist", problem_mark=self.get_mark()
            ) from error

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call] # PyYAML's stubs leave it out
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(
                problem=f"tags such as {event.tag} mean nothing here", problem_mark=event.start_mark
            )
        if self.depth == MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Builder:
    """Turns nodes into values, counting them with every alias written out."""

    def __init__(self, file: str, profile: str | None, *, as_typed: bool = False) -> None:
        self.problems: list[Problem] = []
        self._as_typed = as_typed
        self._file = file
        self._profile = profile
        self._count = 0

    def value(self, node: yaml.Node, path: KeyPath, line: int) -> Value:
        """Build the value of a node.

        Raises:
            ConfigInvalid: there are too many values, or an anchor holds itself.
        """
        self._count += 1
        if self._count > MAX_VALUES:
            raise _invalid(self._file, line, f"more than {MAX_VALUES} values, counting every use of an anchor")
        if len(path) > MAX_DEPTH:
            raise _invalid(self._file, line, "nested too deeply: an anchor that holds itself?")
        origin = Origin(self._file, line, self._profile)
        if isinstance(node, yaml.MappingNode):
            return Value(self._mapping(node, path), origin)
        if isinstance(node, yaml.SequenceNode):
            entries = [self.value(each, (*path, i), each.start_mark.line + 1) for i, each in enumerate(node.value)]
            return Value(entries, origin)
        return Value(self._scalar(cast("yaml.ScalarNode", node), path, line), origin)  # there is no fourth kind

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or not key_node.value.isprintable():
                self._complain(line, path, "has a key that is not plain text")
                continue
            key = key_node.value
            here = (*path, key)
            if key in values:
                self._complain(line, here, f"is given twice, first in line {values[key].origin.line}; remove one")
                continue
            values[key] = self.value(value_node, here, line)
        return values

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath, line: int) -> Scalar:
        text: str = node.value
        if unprintable := Reader.NON_PRINTABLE.search(text):
            character = ord(unprintable.group())
            self._complain(line, path, f"holds a character that cannot be printed (U+{character:04X})")
            return Reader.NON_PRINTABLE.sub("", text)
        if node.style is not None:
            return text
        if not self._as_typed:
            return core_scalar(text)
        after = str(node.end_mark.buffer)[node.end_mark.pointer :].partition("\n")[0]
        if after.strip().startswith("#"):
            self._complain(line, path, "a # after a space begins a comment: quote the text, or remove the comment")
        return text

    def _complain(self, line: int, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(self._file, line, dotted(path), message))
