"""Commands that are wrong in one way or in several, by chance but the same each time: none may be followed.

Every part of a command is changed: its text, its topic, the flag that has a broker keep it, its age, and its id, which
another one had. No command larger than the unit has the broker let through is among them: the broker keeps that from
the unit, so nobody answers it and no audit has it (`./dev chaos commands` sends one).
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from agent.signals import CommandName, Why
from agent.uplink import messages

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from agent.uplink.topics import UnitTopics

Document = dict[str, Any]

CODES: Final = {
    Why.INVALID,
    Why.OVERSIZED,
    Why.FORBIDDEN,
    Why.ANOTHER_NAME,
    Why.RETAINED,
    Why.EXPIRED,
    Why.REPLAYED,
    Why.UNKNOWN,
}
"""Each of these is the answer to some of them; those from a time to come get `clock`."""
FROM, TO = "2026-11-22T02:14:07.000Z", "2026-11-22T02:15:07.000Z"
ARGS: Final[dict[CommandName, Document]] = {name: {} for name in CommandName} | {
    CommandName.STILL: {"at": FROM},
    CommandName.CLIP: {"from": FROM, "to": TO},
    CommandName.FOOTAGE_HOLD: {"from": FROM, "to": TO, "ref": "case-1", "reason": "asked for"},
    CommandName.FOOTAGE_RELEASE: {"ref": "case-1", "reason": "over"},
    CommandName.LIGHT: {"forS": 5},
    CommandName.ANNOUNCE: {"message": "welcome"},
    CommandName.QUIET_CAUSE: {"cause": "panic-1", "forS": 60},
    CommandName.UPLOAD: {"file": "incidents/inc-1/clip.mp4", "url": "https://example.org/a"},
    CommandName.RESTART_PART: {"part": "recorder"},
}
"""What a good one of each has."""
NOT_FOR_ALL: Final = {CommandName.FOOTAGE_RELEASE, CommandName.RESTART_PART}
"""Unless somebody is named for them, nobody has the right to these."""
UNKNOWN: Final = ("format-disk", "sets", "reboot", "a" * 63)
"""No unit knows such a command."""

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
NO_ARGUMENTS: tuple[Any, ...] = (None, -1, 3.5e300, "", "x" * 5000, [], [[]], {}, {"a": {"b": []}})
"""No argument of any command takes any of these."""
NO_TIMES = ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2200-01-01T00:00:00.000Z")


@dataclass(frozen=True)
class Volley:
    """Some wrong commands to one topic."""

    topic: str
    retain: bool
    payloads: list[bytes]
    """Each in one line."""


def mutated(  # noqa: PLR0913 - what a command is made of
    chance: random.Random,
    topics: UnitTopics,
    now: Callable[[], datetime],
    each: int,
    *,
    console: str = "foreign",
    used_id: str,
) -> Iterator[Volley]:
    """Yield wrong commands of this console for ever, so many to a topic; of all names, each with an id of its own.

    Args:
        chance: Where chance comes from.
        topics: The unit's.
        now: What time it is.
        each: How many there are in a volley.
        console: Who sends them.
        used_id: The id of a good one of this console, which the unit carried out.
    """
    names: list[CommandName] = []
    for way in cycle(("text", "retained", "text", "unknown", "text", "elsewhere", "text", "text")):
        if not names:
            names = chance.sample([*CommandName], k=len(CommandName))
        name = names.pop()
        topic = topics.command(console, name)
        if way == "unknown":
            topic = topics.command(console, chance.choice(UNKNOWN))
        elif way == "elsewhere":
            topic = topics.command(console, chance.choice([other for other in CommandName if other is not name]))

        def good(name: CommandName = name) -> Document:
            args = dict(ARGS[name])
            message = messages.command(topics, console, now(), name, operator_ref="op-1", args=args)
            document: Document = json.loads(message.publication().payload)
            return document

        payloads: list[bytes] = []
        while len(payloads) < each:
            # Where the topic or the flag is wrong already, all else is right.
            payload = _dump(good()) if way != "text" else _wrong(chance, good(), used_id)
            if payload and b"\n" not in payload:
                payloads.append(payload)
        yield Volley(topic, way == "retained", payloads)


def _wrong(chance: random.Random, document: Document, used_id: str) -> bytes:
    way = chance.choice((*_WAYS, "replay", "no right"))
    if way == "replay":
        return _dump(document | {"id": used_id})
    if way == "no right":
        if document["data"]["command"] in NOT_FOR_ALL:
            return _dump(document)
        way = _stranger
    assert callable(way)
    return way(chance, document)


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
    member = chance.choice(("command", "args"))
    document["data"][member] = chance.choice([each for each in ODDITIES if member != "args" or each != {}])
    return _dump(document)  # no arguments at all are right for some


def _odd_args(chance: random.Random, document: Document) -> bytes:
    args = document["data"]["args"]
    name = chance.choice([*args, "more", "".join(chance.choices(string.printable[:90], k=5))])
    args[name] = chance.choice(NO_ARGUMENTS)
    return _dump(document)


def _stranger(chance: random.Random, document: Document) -> bytes:
    another = f"{document['source']}-2"
    document["source"] = chance.choice(
        ("/safepoint/ashfield/units/hk-demo-001", "/safepoint/elsewhere/control-room/desk", another, "urn:x", "/")
    )
    return _dump(document)


def _other_type(chance: random.Random, document: Document) -> bytes:
    document["type"] = f"org.safepoint.{chance.choice(('cmd.other', 'alert.ack', 'cmd', 'unit.status'))}.v1"
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


def _too_old(chance: random.Random, document: Document) -> bytes:
    """It was right once: a command counts for 30 s."""
    return _moved(document, -chance.choice((31.0, 45.0, 3600.0, 86_400.0 * 400)), expires=chance.random() < 0.5)


def _to_come(chance: random.Random, document: Document) -> bytes:
    """A console's clock may be ahead by 30 s."""
    return _moved(document, chance.choice((60.0, 3600.0, 86_400.0)), expires=chance.random() < 0.5)


def _moved(document: Document, by_s: float, *, expires: bool) -> bytes:
    made = datetime.fromisoformat(document["time"]) + timedelta(seconds=by_s)
    document.pop("expirytime", None)
    document["time"] = _text(made)
    if expires:
        document["expirytime"] = _text(made + timedelta(seconds=30))
    return _dump(document)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_WAYS: Final = (
    *(_without, _odd, _odd_data, _odd_args, _stranger, _other_type, _cut, _noise, _huge, _deep, _spliced),
    *(_end_of_time, _half_a_character, _too_old, _to_come),
)
