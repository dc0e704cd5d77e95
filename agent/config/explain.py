"""Says in plain English what pydantic found wrong.

What a key needs is read from the settings' own JSON Schema, so it cannot differ from what is enforced.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from agent.config.base import NONSENSE
from agent.config.problems import one_line
from agent.config.settings import Config
from agent.config.suggest import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

    from agent.config.tree import Key

Schema = dict[str, Any]

KEY = "[key]"
"""What pydantic adds to the path when not a value is wrong but its key."""
SHOWN_CHARACTERS = 40
"""Enough of a wrong text to find it again."""


_SOUND = re.compile("audio|speech|transcript|dpia")
_KEPT = re.compile("sound|retain|retention|record|store|keep|save|archive")
"""In the section of the microphone, a wish to keep what it hears."""


def explained(error: ErrorDetails) -> str:
    """What is wrong and what to do, as the end of a sentence that begins with the key."""
    path, value = error["loc"], error["input"]
    if error["type"] == NONSENSE:
        return error["msg"]
    if error["type"] == "extra_forbidden":
        if _wants_sound_kept(path):
            return "cannot be had: sound and what was said are never stored or sent (design rule 4); remove it"
        known = _schema_at(path[:-1]).get("properties", {})
        return f"is not a known key; {did_you_mean(str(path[-1]), known)}"
    schema = _schema_at(path)
    if error["type"] == "missing":
        meaning = str(schema.get("description") or f"it needs {_wanted(schema)}").replace("\n", " ").rstrip(".")
        return f"is missing: {meaning[0].lower()}{meaning[1:]}"
    sentence = f"needs {_wanted(schema)}, got {_got(value)}"
    if isinstance(value, str) and (guesses := nearest(value, map(str, schema.get("enum", ())))):
        return f"{sentence}; did you mean {guesses[0]}?"
    return sentence


def _wants_sound_kept(path: Sequence[Key]) -> bool:
    """Whether an unknown key asks for what no unit does: a guess at a similar key would be no answer."""
    key = str(path[-1]).lower()
    return bool(_SOUND.search(key) or (path[0] == "voice" and _KEPT.search(key)))


@cache
def _root() -> Schema:
    return Config.model_json_schema()


def _schema_at(path: Sequence[Key]) -> Schema:
    """The schema of the key at this path; empty for a key that does not exist."""
    schema = _resolved(_root())
    for key in path:
        if key == KEY:
            return {"needs": "a name of lower-case letters, digits and hyphens for each entry"}
        if isinstance(key, int):
            each = schema.get("prefixItems", ())
            inner = each[key] if key < len(each) else schema.get("items", {})
        else:
            named = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties") or {})
            inner = schema.get("properties", {}).get(key, named)
        schema = _resolved(inner)
    return schema


def _resolved(schema: Schema) -> Schema:
    """Follow a reference and the one alternative that is not null; the words of the outer schema win."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if choices:
        return _resolved(choices[0]) | {key: schema[key] for key in ("description",) if key in schema}
    if "$ref" in schema:
        definitions: dict[str, Schema] = _root()["$defs"]
        return definitions[schema["$ref"].rpartition("/")[2]] | schema
    return schema


def _wanted(schema: Schema) -> str:
    if "enum" in schema:
        *others, last = map(str, schema["enum"])
        return f"{', '.join(others)} or {last}"
    step = f" divisible by {schema['multipleOf']}" if "multipleOf" in schema else ""
    by_type = {
        "integer": f"a whole number{_range(schema)}{step}",
        "number": f"a number{_range(schema)}",
        "boolean": "true or false",
        "array": f"a list{_length(schema)}",
        "object": "a section of keys, each with its value",
        "string": "some text" if schema.get("minLength") else "text",
    }
    return str(schema.get("needs") or by_type[schema["type"]])


def _length(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and most is not None:
        return f" of {least} entries" if least == most else f" of {least} to {most} entries"
    return " with at least one entry" if least else ""


def _range(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    if low is not None and below is not None:
        return f" from {low:g} to less than {below:g}"
    if low is not None:
        return f" of at least {low:g}"
    return "" if above is None else f" above {above:g}"


def _got(value: object) -> str:
    match value:
        case "":
            got = "an empty text"
        case str():
            got = f"{one_line(value, SHOWN_CHARACTERS)} (text)"
        case list():
            got = "a list"
        case dict():
            got = "a section"
        case None:
            got = "nothing"
        case _:
            got = str(value).lower()
    return got
