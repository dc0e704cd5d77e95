"""One life of an MQTT 5 connection: a paho client of its own, driven by the event loop.

paho's own reconnecting is not used. A client that reconnects re-sends what it still holds, with the words of back
then, and what was handed over twice is delivered twice (io-lab section 2); a new client knows nothing of the old one.
Nor is its own thread: that one ends unseen when a callback raises, while `is_connected()` stays true, and it has to
wait for its turn while the event loop works: a help call then leaves milliseconds later (`./dev bench`). Only the
handshakes, which paho does blocking, have a thread of their own.

Everything a callback learns is posted to the event loop, in order. So an acknowledgement can never be handled before
the `send` that it belongs to has returned.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.uplink.background import BACKGROUND_SOCKET
from agent.uplink.client_mark import ClientMark
from agent.uplink.packets import no_properties, properties_of, received
from agent.uplink.publication import (
    LinkDown,
    Publication,
    PublishRefused,
    Receipt,
    Received,
    Subscription,
)
from agent.uplink.tls import EndpointInvalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.uplink.tls import Endpoint, Shown

CONNECT_TIMEOUT_S: Final = 5.0
"""For the TCP and for the TLS handshake each: a mobile network that needs longer is not there."""
LOOK_AFTER_S: Final = 1.0
"""How often paho may look whether a ping is due or was never answered; its own threads do it as often."""
IN_FLIGHT: Final = 20
"""Unacknowledged publications at a time, at most; a broker may want fewer (mosquitto: 20), which paho ignores."""
PACKET_ROOM: Final = 64 * 1024
"""What the broker may send above the largest payload we take: a little too much is refused here and counted, much
too much is kept back by the broker and never fills the memory of a small board."""
NO_SUBSCRIBERS: Final = 16
WILL_WANTED: Final = 4
"""DISCONNECT reason "with will message": should it still arrive, the broker shall tell that we died."""


@dataclass(frozen=True)
class Manners:
    """How a client behaves on every one of its connections."""

    name: str
    """Who it is, for people; on the broker it is known by this and a mark."""
    subscriptions: tuple[Subscription, ...] = ()
    keepalive_s: float = 25.0
    session_expiry_s: int = 86_400
    """How long the broker keeps what comes for us while we are away."""
    max_payload: int = 16 * 1024
    """Bytes; a larger payload is refused."""
    hands_over_all: bool = False
    """What is too large, and came all the same, is handed over too: to somebody who refuses it with a reason."""
    puback_within_s: float = 10.0
    """A broker that does not acknowledge for so long is not there. The keep-alive alone finds a half-open connection
    only after twice its time, 50 s: too long for a help call (goal 1: 10 s)."""
    background: bool = False
    """It carries what can wait: its packets stand behind those of the unit's other connections."""
    mark: ClientMark = field(default_factory=ClientMark)
    """Makes the client id one that nobody guesses. A session that is to outlast this run needs one that is kept."""

    @property
    def client_id(self) -> str:
        """What the broker knows this client by; whoever else says it throws this one out, so it is told to nobody."""
        return self.mark.on(self.name)


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
        self._last_words: str | None = None
        self._given_up = False
        self._shown: Shown | None = None
        self._turned_away = False
        """The other end was there, and did not want us. That we do not trust it is no reason to show it another
        certificate."""
        self._look_after: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._connect, name=f"link-{manners.name}", daemon=True)
        self.opened = asyncio.Event()
        """The broker accepted us; subscriptions are on their way before anything else."""
        self.ended = asyncio.Event()
        """It is over; see `reason`."""
        self.reason = "it was never started"
        """Why it ended."""
        self.capacity = IN_FLIGHT
        """Unacknowledged publications that the broker takes at a time, once it is open."""

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    @property
    def is_open(self) -> bool:
        """Whether publications can be sent."""
        return self.opened.is_set() and not self.ended.is_set() and not self._given_up

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
            properties=properties_of(PacketTypes.PUBLISH, publication),
        )
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            msg = f"the connection does not take it: {mqtt.error_string(info.rc)}"
            raise LinkDown(msg)
        receipt: asyncio.Future[Receipt] = self._loop.create_future()
        receipt.add_done_callback(_retrieve)
        overdue = self._loop.call_later(self._manners.puback_within_s, self._overdue)
        self._waiting[info.mid] = _Waiting(receipt, self._loop.time(), overdue)
        self._write()  # now, not in the next turn of the event loop
        return receipt

    def leave(self) -> None:
        """Say good-bye in order: the broker forgets the will. `ended` follows."""
        self._last_words = self._last_words or "it was closed"
        if self._client is not None:
            self._client.disconnect()
            self._write()

    def abandon(self, reason: str) -> None:
        """End it without good-bye: should the broker hear of it at all, it tells the will. `ended` follows."""
        self._last_words = self._last_words or reason
        self._given_up = True
        if self._client is None or self._thread.is_alive():
            return  # the handshake ends it
        self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=WILL_WANTED))
        self._write()
        self._over()  # whether or not the broker could be told

    # --- in the thread of the handshakes -----------------------------------------------------------------------

    def _connect(self) -> None:
        client = self._client
        try:
            properties = no_properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = self._manners.session_expiry_s
            properties.MaximumPacketSize = self._manners.max_payload + PACKET_ROOM
            if client is not None:
                if self._endpoint.tls is not None:
                    self._shown = self._endpoint.tls.show()
                    client.tls_set_context(self._shown.context)
                client.connect(
                    self._endpoint.host,
                    self._endpoint.port,
                    keepalive=max(1, round(self._manners.keepalive_s)),
                    clean_start=False,
                    properties=properties,
                )
        except EndpointInvalid as invalid:
            self._post(self._end, str(invalid))
        except OSError as error:
            own_verdict = isinstance(error, ssl.SSLCertVerificationError)
            self._turned_away = isinstance(error, ssl.SSLError) and not own_verdict
            self._post(self._end, _explain(error))
        except Exception as error:  # noqa: BLE001 - whatever paho raises ends this connection, and is told as its end
            self._post(self._end, f"the connection broke: {type(error).__name__}: {error}")
        else:
            self._post(self._begin)

    # --- paho on the event loop --------------------------------------------------------------------------------

    def _begin(self) -> None:
        """The handshakes are done: from here on the event loop reads and writes."""
        sock = None if self._client is None else self._client.socket()
        if self._given_up or sock is None:
            self._over()
            return
        self._loop.add_reader(sock, self._read)
        self._loop.add_writer(sock, self._write)  # what the handshakes' thread left to write
        self._look_after = self._loop.call_later(LOOK_AFTER_S, self._look)

    def _read(self) -> None:
        """Take what the broker sent, down to the last byte that TLS has decrypted already."""
        client = self._client
        while client is not None and self._went_on(client.loop_read()):
            sock = client.socket()
            if not isinstance(sock, ssl.SSLSocket) or not sock.pending():
                return
            client = self._client

    def _write(self) -> None:
        """Send what waits, as far as the socket takes it; `_watch_room` sees to the rest."""
        if self._client is not None and self._client.want_write():
            self._went_on(self._client.loop_write())

    def _look(self) -> None:
        """Let paho ping, and find out that a ping was not answered."""
        if self._client is not None and self._went_on(self._client.loop_misc()):
            self._look_after = self._loop.call_later(LOOK_AFTER_S, self._look)

    def _went_on(self, code: MQTTErrorCode) -> bool:
        """Whether the connection lives; it is over when paho says anything but success."""
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS and self._client is not None and self._client.socket() is not None:
            return True
        self._over()
        return False

    def _watch_room(self, client: mqtt.Client, _userdata: object, sock: Any) -> None:  # noqa: ANN401 - paho's socket
        """Something waits to be written: write on when the socket has room. The thread's first packet is `_begin`'s."""
        if client is self._client and threading.current_thread() is not self._thread:
            self._loop.add_writer(sock, self._write)

    def _stop_watching_room(self, _client: object, _userdata: object, sock: Any) -> None:  # noqa: ANN401
        if threading.current_thread() is not self._thread:
            self._loop.remove_writer(sock)

    def _unwatch(self, _client: object, _userdata: object, sock: Any) -> None:  # noqa: ANN401
        """The socket is being closed: nobody may look at its number any more."""
        if threading.current_thread() is not self._thread:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _make_client(self, will: Publication | None) -> mqtt.Client:
        client = _Client(
            self._endpoint.interface,
            CallbackAPIVersion.VERSION2,
            client_id=self._manners.client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(IN_FLIGHT)
        if will is not None:
            properties = properties_of(PacketTypes.WILLMESSAGE, will)
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain, properties=properties)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_socket_open = _step_aside if self._manners.background else _send_at_once
        client.on_socket_close = self._unwatch
        client.on_socket_register_write = self._watch_room
        client.on_socket_unregister_write = self._stop_watching_room
        return client

    def _on_connect(
        self, client: mqtt.Client, _userdata: object, _flags: object, reason: ReasonCode, properties: object
    ) -> None:
        if reason.is_failure:
            self._turned_away = True
            self._last_words = f"the broker refused the connection: {reason}"
            return
        self.capacity = min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT))
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
            self._turned_away = True
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
        if len(message.payload) > self._manners.max_payload and not self._manners.hands_over_all:
            self._post(self._hooks.refused, f"a message of {len(message.payload)} bytes came on {topic}: too large")
            return
        self._post(self._hooks.message, received(topic, message))

    def _post(self, call: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(call, *args)

    def _open(self) -> None:
        if self._given_up:
            return
        self.opened.set()
        if self._endpoint.tls is not None and self._shown is not None:
            self._endpoint.tls.accepted(self._shown)
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

    def _over(self) -> None:
        """The connection does not go on. What it has posted already is still heard."""
        if self._look_after is not None:
            self._look_after.cancel()
        client, self._client = self._client, None
        sock = None if client is None else client.socket()
        if sock is not None:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()
        self._post(self._end, self._last_words or "the connection broke")

    def _end(self, reason: str) -> None:
        if self.ended.is_set():
            return
        self.reason = reason
        self.ended.set()
        if (
            self._turned_away
            and not self.opened.is_set()
            and self._endpoint.tls is not None
            and self._shown is not None
        ):
            self._endpoint.tls.turned_away(self._shown)
        self._client = None  # its sockets close with it
        for waiting in self._waiting.values():
            waiting.overdue.cancel()
            if not waiting.receipt.done():
                waiting.receipt.set_exception(LinkDown(reason))
        self._waiting.clear()


class _Client(mqtt.Client):
    """A paho client that can be held to one network interface."""

    def __init__(self, interface: str | None, *args: Any, **more: Any) -> None:  # noqa: ANN401 - paho's own
        super().__init__(*args, **more)
        self._interface = interface

    def _create_socket_connection(self) -> socket.socket:
        """Connect through the interface. paho lets only a source address be chosen, and that binds to no interface.

        Raises:
            OSError: there is no such interface, or the broker cannot be reached through it.
        """
        if self._interface is None:
            return super()._create_socket_connection()
        failed: OSError = ConnectionError("its name has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self._connect_timeout)
                # Without special rights since Linux 5.7, as long as the socket is bound to none.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode())
                sock.connect(address)
            except OSError as error:
                sock.close()
                failed = error
            else:
                return sock
        raise failed


def _retrieve(receipt: asyncio.Future[Receipt]) -> None:
    """Whoever sends without waiting does not want to hear of it; asyncio would complain for him."""
    if not receipt.cancelled():
        receipt.exception()


def _send_at_once(_client: object, _userdata: object, sock: Any) -> None:  # noqa: ANN401 - paho's own word for a socket
    """No Nagle: it would hold an alert back for 40 ms, until the broker's acknowledgement of the one before."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _step_aside(_client: object, _userdata: object, sock: Any) -> None:  # noqa: ANN401
    for option in BACKGROUND_SOCKET:
        sock.setsockopt(*option)


def _explain(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate was not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    return f"it cannot be reached: {error.strerror or error}"
