"""What goes over a link and what comes from it: MQTT 5 messages as plain values."""

from __future__ import annotations

from dataclasses import dataclass

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
"""Structured mode of the CloudEvents MQTT binding."""


@dataclass(frozen=True)
class Publication:
    """A message to publish with QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None
    """The broker drops it after this many seconds; None keeps it for as long as the broker does."""
    response_topic: str | None = None
    correlation_data: bytes | None = None
    content_type: str = CONTENT_TYPE
    """Anything but the usual one is bytes, not text."""
    user_properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Subscription:
    """A topic filter to subscribe to with QoS 1."""

    topic: str
    retain_as_published: bool = False
    """Keep the retain flag of live messages too. Without it a broker clears the flag on everything it forwards at
    once, and a retained command could not be told from a proper one."""


@dataclass(frozen=True)
class Received:
    """A message from the broker."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None
    """What was left of its life when the broker forwarded it; relative, so a wrong clock here does not matter."""
    response_topic: str | None = None
    correlation_data: bytes | None = None
    content_type: str | None = None
    user_properties: tuple[tuple[str, str], ...] = ()
    unread_s: float = 0.0
    """How long it may have lain here since then, at most; 0 while the unit listened all the time."""


@dataclass(frozen=True)
class Receipt:
    """The broker took a publication. That it reached anybody is not said by this (design rule 2)."""

    took_s: float
    """From handing it over to the broker's acknowledgement."""
    nobody_listening: bool
    """The broker had no subscriber for it, present or away (MQTT 5 reason 16)."""


class LinkDown(Exception):
    """There is no connection, or it died before the broker acknowledged: try again on the next one."""


class PublishRefused(Exception):
    """The broker has the message and does not take it (an access rule, a quota): the same again will not help now."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the broker refused it: {reason} ({code})")
        self.code = code
        """MQTT 5 reason code, 128 or above; 135 is "not authorized"."""
        self.reason = reason
