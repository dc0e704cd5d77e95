"""The published contract as a stranger reads it: asyncapi.yaml and the schema files that it names, nothing of ours."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

if TYPE_CHECKING:
    from agent.uplink.publication import Received

FOLDER = resources.files("agent.uplink")


@dataclass(frozen=True)
class Channel:
    """One channel of the description."""

    name: str
    address: re.Pattern[str]
    action: str
    """`send` or `receive`, from the unit's end."""
    binding: dict[str, Any]
    content_type: str
    part: str
    """What the schema is of: the `payload`, or the `headers` of one that is no JSON."""
    validator: Draft202012Validator


class Contract:
    """Judges messages by what asyncapi.yaml says of their topics."""

    def __init__(self) -> None:
        document = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text(encoding="utf-8"))
        operations = {
            operation["channel"]["$ref"].removeprefix("#/channels/"): operation
            for operation in document["operations"].values()
        }
        self.channels = {
            name: _channel(document, name, channel, operations[name]) for name, channel in document["channels"].items()
        }

    def channel(self, topic: str) -> Channel:
        """The channel of a topic.

        Raises:
            AssertionError: no channel, or more than one, has such topics.
        """
        found = [channel for channel in self.channels.values() if channel.address.fullmatch(topic)]
        assert len(found) == 1, f"{topic} is of {len(found)} channels"
        return found[0]

    def judge(self, received: Received) -> Channel:
        """Hold a message against its channel, and return that.

        Raises:
            AssertionError: it is not as the description says.
        """
        channel = self.channel(received.topic)
        if not received.payload:
            assert channel.binding["retain"], f"{received.topic} is deleted though nothing is kept there"
            return channel
        document = json.loads(received.payload) if channel.part == "payload" else dict(received.user_properties)
        wrong = sorted(f"{error.json_path}: {error.message}" for error in channel.validator.iter_errors(document))
        assert not wrong, f"{received.topic}: {wrong}"
        assert received.content_type == channel.content_type
        assert received.retain == channel.binding["retain"], received.topic
        if "/alert/help" in received.topic:
            assert received.expiry_s is None
        else:
            most = channel.binding.get("messageExpiryInterval")
            assert (received.expiry_s is None) == (most is None)
            assert received.expiry_s is None or most is None or received.expiry_s <= most
        return channel


def _address(channel: dict[str, Any]) -> re.Pattern[str]:
    """The topics of a channel: a parameter with an enum is one of its words, any other is one level."""
    pattern = channel["address"]
    for name, parameter in channel["parameters"].items():
        words = "|".join(map(re.escape, parameter.get("enum", ()))) or "[^/]+"
        pattern = pattern.replace(f"{{{name}}}", f"({words})")
    return re.compile(pattern)


def _channel(document: dict[str, Any], name: str, channel: dict[str, Any], operation: dict[str, Any]) -> Channel:
    """A channel with its one message, which the schema in the file that the description names is of."""
    (reference,) = channel["messages"].values()
    message = document["components"]["messages"][reference["$ref"].rpartition("/")[2]]
    part = "payload" if "$ref" in message["payload"] else "headers"
    schema = json.loads((FOLDER / message[part]["$ref"].removeprefix("./")).read_text(encoding="utf-8"))
    return Channel(
        name,
        _address(channel),
        operation["action"],
        operation["bindings"]["mqtt"],
        message["contentType"],
        part,
        Draft202012Validator(schema, registry=_registry()),
    )


def _registry() -> Registry[Any]:
    files = (FOLDER / "schemas").iterdir()
    schemas = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.name.endswith(".json")]
    return Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in schemas)
