"""One life of an MQTT 5 connection: a paho client of its own and the one thread that drives it.

paho's own reconnecting is not used. A client that reconnects re-sends what it still holds, with the words of back
then, and what was handed over twice is delivered twice (io-lab section 2); a new client knows nothing of the old one.
Nor is its own thread: that one ends unseen when a callback raises, while `is_connected()` stays true. Here the
thread's last act is always to say that it ends.

Everything a callback learns is posted to the event loop, in order. So an acknowledgement can never be handled before
the `send` that it belongs to has returned.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.uplink.publication import (
    CONTENT_TYPE,
    LinkDown,
    Publication,
    PublishRefused,
    Receipt,
    Received,
    Subscription,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.uplink.tls import Endpoint

CONNECT_TIMEOUT_S: Final = 5.0
"""For the TCP and for the TLS handshake each: a mobile network that needs longer is not there."""
STOP_CHECK_S: Final = 0.5
"""How long the thread sleeps at most when nothing happens, so how long an abandoned connection may linger."""
IN_FLIGHT: Final = 20
"""Unacknowledged publications at a time; paho ignores the broker's own limit, and mosquitto's is 20."""
PACKET_ROOM: Final = 64 * 1024
"""What the broker may send above the largest payload we take: a little too much is refused here and counted, much
too much is kept back by the broker and never fills the memory of a small board."""
NO_SUBSCRIBERS: Final = 16
WILL_WANTED: Final = 4
"""DISCONNECT reason "with will message": should it still arrive, the broker shall tell that we died."""


@dataclass(frozen=True)
class Manners:
    """How a client behaves on every one of its connections."""

    client_id: str
    subscriptions: tuple[Subscription, ...] = ()
    keepalive_s: float = 25.0
    session_expiry_s: int = 86_400
    """How long the broker keeps what comes for us while we are away."""
    max_payload: int = 16 * 1024
    """Bytes; a larger payload is refused."""
    puback_within_s: float = 10.0
    """A broker that does not acknowledge for so long is not there. The keep-alive alone finds a half-open connection
    only after twice its time, 50 s: too long for a help call (goal 1: 10 s)."""


@dataclass(frozen=True)
class Hooks:
    """What a connection tells, on the event loop."""

    opened: Callable[[], None]
    """The broker accepted us; called before anything that it sends."""
    message: Callable[[Received], None]
    refused: Callable[[str], None]
    """A received message, or a subscription of ours, was refused; why."""


@dataclass
class _Waiting:
    """A publication that the broker has not acknowledged."""

    receipt: asyncio.Future[Receipt]
    sent_s: float
    overdue: asyncio.TimerHandle = field(repr=False)


class Connection:
    """Connects once, lives, ends. All methods belong to the event loop's thread."""

    def __init__(self, endpoint: Endpoint, manners: Manners, will: Publication | None, hooks: Hooks) -> None:
        self._endpoint = endpoint
        self._manners = manners
        self._hooks = hooks
        self._loop = asyncio.get_running_loop()
        self._client: mqtt.Client | None = self._make_client(will)
        self._waiting: dict[int, _Waiting] = {}
        self._stop = threading.Event()
        self._last_words: str | None = None
        self._thread = threading.Thread(target=self._drive, name=f"link-{manners.client_id}", daemon=True)
        self.opened = asyncio.Event()
        """The broker accepted us; subscriptions are on their way before anything else."""
        self.ended = asyncio.Event()
        """It is over and its thread about to end; see `reason`."""
        self.reason = "it was never started"
        """Why it ended."""

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    @property
    def is_open(self) -> bool:
        """Whether publications can be sent."""
        return self.opened.is_set() and not self.ended.is_set() and not self._stop.is_set()

    def send(self, publication: Publication) -> asyncio.Future[Receipt]:
        """Hand a publication to the broker; publications leave in the order of these calls.

        Returns:
            The broker's receipt, to come; or `LinkDown` or `PublishRefused`. It may be left alone.

        Raises:
            LinkDown: the connection is not open.
        """
        if self._client is None or not self.is_open:
            msg = "there is no connection to the broker"
            raise LinkDown(msg)
        info = self._client.publish(
            publication.topic,
            publication.payload,
            qos=1,
            retain=publication.retain,
            properties=_properties(PacketTypes.PUBLISH, publication),
        )
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            msg = f"the connection does not take it: {mqtt.error_string(info.rc)}"
            raise LinkDown(msg)
        receipt: asyncio.Future[Receipt] = self._loop.create_future()
        receipt.add_done_callback(_retrieve)
        overdue = self._loop.call_later(self._manners.puback_within_s, self._overdue)
        self._waiting[info.mid] = _Waiting(receipt, self._loop.time(), overdue)
        return receipt

    def leave(self) -> None:
        """Say good-bye in order: the broker forgets the will. `ended` follows."""
        if self._client is not None:
            self._last_words = self._last_words or "it was closed"
            self._client.disconnect()

    def abandon(self, reason: str) -> None:
        """End it without good-bye: should the broker hear of it at all, it tells the will. `ended` follows."""
        self._last_words = self._last_words or reason
        self._stop.set()
        if self._client is not None:
            self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=WILL_WANTED))

    # --- in the thread -----------------------------------------------------------------------------------------

    def _drive(self) -> None:
        reason = "the connection broke"
        client = self._client
        try:
            if client is not None:
                reason = self._talk(client) or reason
        except Exception as error:  # noqa: BLE001 - whatever paho raises ends this connection, and is told as its end
            reason = f"the connection broke: {type(error).__name__}: {error}"
        finally:
            self._post(self._end, reason)

    def _talk(self, client: mqtt.Client) -> str | None:
        properties = _no_properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._manners.session_expiry_s
        properties.MaximumPacketSize = self._manners.max_payload + PACKET_ROOM
        try:
            client.connect(
                self._endpoint.host,
                self._endpoint.port,
                keepalive=max(1, round(self._manners.keepalive_s)),
                clean_start=False,
                properties=properties,
            )
        except OSError as error:
            return _explain(error)
        while not self._stop.is_set() and client.loop(timeout=STOP_CHECK_S) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            pass
        sock = client.socket()
        if sock is not None:
            sock.close()
        return self._last_words

    def _make_client(self, will: Publication | None) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._manners.client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(IN_FLIGHT)
        if self._endpoint.context is not None:
            client.tls_set_context(self._endpoint.context)
        if will is not None:
            properties = _properties(PacketTypes.WILLMESSAGE, will)
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain, properties=properties)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_socket_open = _send_at_once
        # With this set, paho leaves the socket to the thread in `loop` instead of writing from whoever publishes.
        client.on_socket_register_write = _leave_it_to_the_thread
        return client

    def _on_connect(
        self, client: mqtt.Client, _userdata: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            self._last_words = f"the broker refused the connection: {reason}"
            return
        if self._manners.subscriptions:
            client.subscribe(
                [
                    (wanted.topic, SubscribeOptions(qos=1, retainAsPublished=wanted.retain_as_published))
                    for wanted in self._manners.subscriptions
                ]
            )
        self._post(self._open)

    def _on_subscribe(
        self, _client: object, _userdata: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        for wanted, reason in zip(self._manners.subscriptions, reasons, strict=False):
            if reason.is_failure:
                self._post(self._hooks.refused, f"the broker refused the subscription to {wanted.topic}: {reason}")

    def _on_disconnect(
        self, _client: object, _userdata: object, flags: mqtt.DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if self._last_words is None:
            who = "the broker closed it" if flags.is_disconnect_packet_from_server else "the connection broke"
            # A TLS 1.3 broker says only after the handshake that it does not want our certificate.
            early = "" if self.opened.is_set() else " before it was accepted (is this client's certificate right?)"
            self._last_words = f"{who}{early}: {reason}"

    def _on_publish(
        self, _client: object, _userdata: object, mid: int, reason: ReasonCode, _properties: object
    ) -> None:
        self._post(self._acknowledged, mid, reason.value, str(reason))

    def _on_message(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._post(self._hooks.refused, "a message came with a topic that is not UTF-8")
            return
        if len(message.payload) > self._manners.max_payload:
            self._post(self._hooks.refused, f"a message of {len(message.payload)} bytes came on {topic}: too large")
            return
        self._post(self._hooks.message, _received(topic, message))

    def _post(self, call: Callable[..., object], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *args)
        except RuntimeError:  # the loop is closed: nobody is left to tell
            self._stop.set()

    # --- on the event loop -------------------------------------------------------------------------------------

    def _open(self) -> None:
        if self._stop.is_set():
            return  # given up meanwhile
        self.opened.set()
        self._hooks.opened()

    def _acknowledged(self, mid: int, code: int, name: str) -> None:
        waiting = self._waiting.pop(mid, None)
        if waiting is None:
            return
        waiting.overdue.cancel()
        if waiting.receipt.done():  # whoever waited was cancelled
            return
        if code >= 0x80:  # noqa: PLR2004 - MQTT 5: failures begin here
            waiting.receipt.set_exception(PublishRefused(code, name))
        else:
            waiting.receipt.set_result(Receipt(self._loop.time() - waiting.sent_s, code == NO_SUBSCRIBERS))

    def _overdue(self) -> None:
        self.abandon(f"the broker acknowledged nothing for {self._manners.puback_within_s:g} s")

    def _end(self, reason: str) -> None:
        self.reason = reason
        self.ended.set()
        self._client = None  # its sockets close with it
        for waiting in self._waiting.values():
            waiting.overdue.cancel()
            if not waiting.receipt.done():
                waiting.receipt.set_exception(LinkDown(reason))
        self._waiting.clear()


def _retrieve(receipt: asyncio.Future[Receipt]) -> None:
    """Whoever sends without waiting does not want to hear of it; asyncio would complain for him."""
    if not receipt.cancelled():
        receipt.exception()


def _leave_it_to_the_thread(_client: object, _userdata: object, _sock: object) -> None:
    """The thread was woken already, by a byte on paho's own socket pair."""


def _send_at_once(_client: object, _userdata: object, sock: Any) -> None:  # noqa: ANN401 - paho's own word for a socket
    """No Nagle: it would hold an alert back for 40 ms, until the broker's acknowledgement of the one before."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _no_properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho left its constructor untyped


def _properties(packet: int, publication: Publication) -> Properties:
    properties = _no_properties(packet)
    properties.ContentType = CONTENT_TYPE
    properties.PayloadFormatIndicator = 1  # UTF-8
    if publication.expiry_s is not None:
        properties.MessageExpiryInterval = publication.expiry_s
    if publication.response_topic is not None:
        properties.ResponseTopic = publication.response_topic
    if publication.correlation_data is not None:
        properties.CorrelationData = publication.correlation_data
    return properties


def _received(topic: str, message: mqtt.MQTTMessage) -> Received:
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
    )


def _explain(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate was not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    return f"it cannot be reached: {error.strerror or error}"
