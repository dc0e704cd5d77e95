"""Commands that are wrong in one way or in several, by chance but the same each time: none may be followed."""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, Any

from agent.uplink import messages

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from agent.signals import CommandName
    from agent.uplink.topics import UnitTopics

Document = dict[str, Any]

REQUIRED = ("specversion", "id", "source", "type", "time", "datacontenttype", "data")
ODDITIES: tuple[Any, ...] = (
    None,
    True,
    -1,
    3.5e300,
    "",
    "\x00",
    "x" * 400,
    [],
    [[]],
    {},
    {"a": {"b": []}},
    "2026-13-45",
)
"""No member of a command takes any of these."""
NO_TIMES = ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2200-01-01T00:00:00.000Z")


def mutated(  # noqa: PLR0913 - what a command is made of
    chance: random.Random,
    topics: UnitTopics,
    now: Callable[[], Any],
    name: CommandName,
    args: Document,
    *,
    console: str = "foreign",
) -> Iterator[bytes]:
    """Yield wrong commands of this console for ever, each in one line, each with an id of its own where it has one."""
    ways = (
        *(_without, _odd, _odd_data, _odd_args, _stranger, _other_type, _cut, _noise, _huge, _deep, _spliced),
        *(_end_of_time, _half_a_character),
    )
    while True:
        message = messages.command(topics, console, now(), name, operator_ref="op-1", args=args)
        payload = chance.choice(ways)(chance, json.loads(message.publication().payload))
        if b"\n" not in payload and payload:
            yield payload


def _dump(document: object) -> bytes:
    return json.dumps(document).encode()


def _without(chance: random.Random, document: Document) -> bytes:
    del document[chance.choice(REQUIRED)]
    return _dump(document)


def _odd(chance: random.Random, document: Document) -> bytes:
    member = chance.choice(REQUIRED)
    oddities = [each for each in ODDITIES if not isinstance(each, str)] if member == "id" else ODDITIES
    document[member] = chance.choice(oddities)  # any text is an id
    return _dump(document)


def _odd_data(chance: random.Random, document: Document) -> bytes:
    document["data"][chance.choice(("command", "args"))] = chance.choice(ODDITIES)
    return _dump(document)


def _odd_args(chance: random.Random, document: Document) -> bytes:
    args = document["data"]["args"]
    name = chance.choice([*args, "more", "".join(chance.choices(string.printable[:90], k=5))])
    args[name] = chance.choice([each for each in ODDITIES if not isinstance(each, bool)])
    return _dump(document)


def _stranger(chance: random.Random, document: Document) -> bytes:
    another = f"{document['source']}-2"
    document["source"] = chance.choice(
        ("/safepoint/ashfield/units/hk-demo-001", "/safepoint/elsewhere/control-room/desk", another, "urn:x", "/")
    )
    return _dump(document)


def _other_type(chance: random.Random, document: Document) -> bytes:
    document["type"] = f"org.safepoint.{chance.choice(('cmd.unset', 'alert.ack', 'cmd', 'unit.status'))}.v1"
    return _dump(document)


def _cut(chance: random.Random, document: Document) -> bytes:
    whole = _dump(document)
    return whole[: chance.randrange(1, len(whole) - 1)]


def _noise(chance: random.Random, _document: Document) -> bytes:
    return chance.randbytes(chance.randrange(1, 300)).replace(b"\n", b"").replace(b"\0", b"")


def _huge(chance: random.Random, document: Document) -> bytes:
    document["data"]["reason"] = "x" * chance.randrange(16_384, 120_000)  # nearly all that the broker lets through
    return _dump(document)


def _deep(chance: random.Random, document: Document) -> bytes:
    if chance.random() < 0.5:
        return b'{"data":' + b"[" * chance.randrange(100, 8000)
    depth = chance.randrange(40, 2000)  # proper JSON, about as deep as Python reads at all
    document["data"]["args"]["deep"] = "@"
    return _dump(document).replace(b'"@"', b"[" * depth + b"]" * depth)


def _spliced(chance: random.Random, document: Document) -> bytes:
    whole = bytearray(_dump(document))
    at = chance.randrange(len(whole))
    whole[at:at] = chance.choice((b"\xff\xfe", b"}{", b'"', b"\\u0000,", b"NaN"))
    text = bytes(whole)
    try:
        json.loads(text.decode())
    except ValueError:
        return text
    return text[:-1]  # it was spliced into words, where it may be harmless


def _end_of_time(chance: random.Random, document: Document) -> bytes:
    """A time that keeps the pattern, and that nobody can reckon with."""
    document[chance.choice(("time", "expirytime"))] = chance.choice(NO_TIMES)
    return _dump(document)


def _half_a_character(chance: random.Random, document: Document) -> bytes:
    """JSON may escape half a surrogate pair, which cannot be written down."""
    member = chance.choice(("id", "operatorRef", "reason"))
    (document if member == "id" else document["data"])[member] = "op-" + chr(chance.randrange(0xD800, 0xE000))
    return _dump(document)
