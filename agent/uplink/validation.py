"""Checks messages against the published schemas, at run time, so that the contract cannot rot."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NoReturn

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry, Resource

from agent.uplink.messages import Document, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.exceptions import ValidationError

YEARS = range(1970, 2200)
"""What a message may call a year: from the epoch, where a unit begins that was never told the time, to the last year
that a clock chip holds (two digits and a century). Far from the ends of Python's own calendar, so that whoever adds a
minute to a time or shows it in a zone of his own never falls off."""
MAX_DEPTH = 32
"""How deep objects and arrays of a message may lie in each other. Ours are a fourth as deep; what is near Python's own
limit of about 1,000 is still JSON, but no schema could complain of it, because the complaint quotes it."""


class MessageInvalid(ValueError):
    """A message breaks the contract; the text says where, in one sentence."""


def parse(kind: Kind, payload: bytes) -> Document:
    """The document of a payload from outside.

    Raises:
        MessageInvalid: it is no JSON object, or not one of this kind.
    """
    try:
        document = json.loads(payload.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # undecodable bytes are a ValueError too
        msg = f"the {kind} is no JSON: {error}"
        raise MessageInvalid(msg) from error
    if not isinstance(document, dict):
        msg = f"the {kind} is no JSON object"
        raise MessageInvalid(msg)
    if _is_deeper(document, MAX_DEPTH):
        msg = f"the {kind} is nested more than {MAX_DEPTH} deep"
        raise MessageInvalid(msg)
    if not _is_text(document):
        msg = f"the {kind} holds half a character (a lone surrogate), which no UTF-8 can tell"
        raise MessageInvalid(msg)
    check(kind, document)
    return document


def check(kind: Kind, document: Document) -> None:
    """Hold a document against its schema.

    Raises:
        MessageInvalid: it breaks it. The text names the place and the rule, and nothing that the message says: that may
            be a key, such as an address signed beforehand, and the text goes into journals, audits and answers.
    """
    error = best_match(_validator(kind).iter_errors(document))
    if error is not None:
        msg = f"the {kind} is invalid: {_where(error)} {_rule(error)}"
        raise MessageInvalid(msg)


def load_schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema by its file's name."""
    for file in sorted((resources.files("agent.uplink") / "schemas").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json"):
            yield file.name, json.loads(file.read_text(encoding="utf-8"))


def compile_all() -> None:
    """Compile every schema now: at start, not in the first alarm."""
    for kind in Kind:
        _validator(kind)


@cache
def _validator(kind: Kind) -> Draft202012Validator:
    schemas = dict(load_schemas())
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()
    )
    return Draft202012Validator(schemas[f"{kind}.json"], registry=registry, format_checker=_FORMATS)


def _is_deeper(value: Any, depth: int) -> bool:  # noqa: ANN401 - JSON
    """Whether this JSON lies deeper than that. Level by level, because recursion is what must not happen."""
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return any(isinstance(each, dict | list) for each in level)


def _is_text(document: Document) -> bool:
    """Whether all its names and words can be written down: JSON lets half a surrogate pair pass as an escape."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _where(error: ValidationError) -> str:
    """The place, by the names that our schemas have; a name that the sender made up is his own."""
    names = _names()
    steps = (str(step) if isinstance(step, int) or step in names else "..." for step in error.absolute_path)
    return ".".join(steps) or "the top"


def _rule(error: ValidationError) -> str:
    """The broken rule, as the schema has it."""
    rule = error.validator
    limit: Any = error.validator_value
    instance: Any = error.instance
    if rule == "required":
        return f"lacks {', '.join(name for name in limit if name not in instance)}"
    if rule == "type":
        return f"is not of type {' or '.join([limit] if isinstance(limit, str) else limit)}"
    if isinstance(limit, str | int | float) and not isinstance(limit, bool):
        return f"breaks {rule} {limit}"
    return f"breaks {rule}"


@cache
def _names() -> frozenset[str]:
    """Every name that a schema gives to a member."""

    def named(schema: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
        for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
            yield from named(inner)
        if isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
            yield from schema["properties"]

    return frozenset(name for _, schema in load_schemas() for name in named(schema))


_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    """Whether this is a moment of the calendar, in the years that count; what its pattern says is said there."""
    return not isinstance(value, str) or datetime.fromisoformat(value).year in YEARS


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not a JSON number"
    raise ValueError(msg)
