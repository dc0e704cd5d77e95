"""Between our plain values and paho's packets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paho.mqtt.properties import Properties

from agent.uplink.publication import CONTENT_TYPE, Received

if TYPE_CHECKING:
    import paho.mqtt.client as mqtt

    from agent.uplink.publication import Publication


def no_properties(packet: int) -> Properties:
    """The empty property list of a packet type."""
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho left its constructor untyped


def properties_of(packet: int, publication: Publication) -> Properties:
    """What a publication, or a last will, carries besides its payload."""
    properties = no_properties(packet)
    properties.ContentType = publication.content_type
    if publication.content_type == CONTENT_TYPE:
        properties.PayloadFormatIndicator = 1  # UTF-8
    if publication.user_properties:
        properties.UserProperty = [*publication.user_properties]
    if publication.expiry_s is not None:
        properties.MessageExpiryInterval = publication.expiry_s
    if publication.response_topic is not None:
        properties.ResponseTopic = publication.response_topic
    if publication.correlation_data is not None:
        properties.CorrelationData = publication.correlation_data
    return properties


def received(topic: str, message: mqtt.MQTTMessage, unread_s: float = 0.0) -> Received:
    """A message of paho's as a value of ours, which may have lain unread for so long."""
    properties: Any = message.properties

    def told(name: str) -> Any:  # noqa: ANN401 - paho sets properties as attributes, when they came
        return getattr(properties, name, None)

    return Received(
        topic=topic,
        payload=bytes(message.payload),
        retain=message.retain,
        expiry_s=told("MessageExpiryInterval"),
        response_topic=told("ResponseTopic"),
        correlation_data=told("CorrelationData"),
        content_type=told("ContentType"),
        user_properties=tuple(told("UserProperty") or ()),
        unread_s=unread_s,
    )
