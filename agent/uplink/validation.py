"""Checks messages against the published schemas, at run time, so that the contract cannot rot."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource

from agent.uplink.messages import Document, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.exceptions import ValidationError

MAX_COMPLAINT = 200
"""Characters of a schema's complaint that are repeated: it may quote what a stranger sent."""
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
        msg = f"the {kind} is no JSON: {str(error)[:MAX_COMPLAINT]}"
        raise MessageInvalid(msg) from error
    if not isinstance(document, dict):
        msg = f"the {kind} is no JSON object"
        raise MessageInvalid(msg)
    if _is_deeper(document, MAX_DEPTH):
        msg = f"the {kind} is nested more than {MAX_DEPTH} deep"
        raise MessageInvalid(msg)
    check(kind, document)
    return document


def check(kind: Kind, document: Document) -> None:
    """Hold a document against its schema.

    Raises:
        MessageInvalid: it breaks it.
    """
    error = best_match(_validator(kind).iter_errors(document))
    if error is not None:
        msg = f"the {kind} is invalid at {_where(error)}: {error.message[:MAX_COMPLAINT]}"
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
    return Draft202012Validator(schemas[f"{kind}.json"], registry=registry)


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


def _where(error: ValidationError) -> str:
    return ".".join(str(step) for step in error.absolute_path) or "the top"


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not a JSON number"
    raise ValueError(msg)
