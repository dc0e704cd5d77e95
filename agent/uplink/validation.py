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


def _where(error: ValidationError) -> str:
    return ".".join(str(step) for step in error.absolute_path) or "the top"


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not a JSON number"
    raise ValueError(msg)
