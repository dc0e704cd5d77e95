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
import ssl
from typing import TYPE_CHECKING, Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.uplink.handshake import Handshake
from agent.uplink.packets import properties_of, received
from agent.uplink.paho_client import IN_FLIGHT, PahoClient
from agent.uplink.publication import LinkDown
from agent.uplink.receipts import Receipts
from agent.uplink.unread import LOOK_EVERY_S, Unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.uplink.endpoint import Endpoint
    from agent.uplink.manners import Hooks, Manners
    from agent.uplink.publication import Publication, Receipt
    from agent.uplink.wire import Wire

WILL_WANTED: Final = 4
"""DISCONNECT reason "with will message": should it still arrive, the broker shall tell that we died."""


class Connection:
    """Connects once, lives, ends. All methods belong to the event loop's thread."""

    def __init__(
        self, endpoint: Endpoint, manners: Manners, will: Publication | None, hooks: Hooks, wire: Wire
    ) -> None:
        self._wire = wire
        self._endpoint = endpoint
        self._manners = manners
        self._hooks = hooks
        self._loop = asyncio.get_running_loop()
        client = self._make_client(will)
        self._client: mqtt.Client | None = client
        self._handshake = Handshake(client, endpoint, manners, self._shaken)
        self._receipts = Receipts(manners.puback_within_s, self._overdue)
        self._last_words: str | None = None
        self._given_up = False
        self._turned_away = False
        """The other end was there, and did not want us."""
        self._look_after: asyncio.TimerHandle | None = None
        self._unread = Unread()
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
        self._handshake.start()

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
        receipt = self._receipts.expect(info.mid)
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
        if self._client is None or self._handshake.is_under_way:
            return  # the handshake ends it
        self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=WILL_WANTED))
        self._write()
        self._over()  # whether or not the broker could be told

    # --- paho on the event loop --------------------------------------------------------------------------------

    def _shaken(self, failure: str | None) -> None:
        """In the handshakes' thread: they are done, or failed."""
        if failure is None:
            self._unread.begin()
            self._post(self._begin)
        else:
            self._post(self._end, failure)

    def _begin(self) -> None:
        """The handshakes are done: from here on the event loop reads and writes."""
        sock = None if self._client is None else self._client.socket()
        if self._given_up or sock is None:
            self._over()
            return
        self._loop.add_reader(sock, self._read)
        self._loop.add_writer(sock, self._write)  # what the handshakes' thread left to write
        self._look_after = self._loop.call_later(LOOK_EVERY_S, self._look)

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
        """Let paho ping, and find out that a ping was not answered; its own threads look as often."""
        sock = None if self._client is None else self._client.socket()
        if sock is not None:
            self._unread.look(sock)
        if self._client is not None and self._went_on(self._client.loop_misc()):
            self._look_after = self._loop.call_later(LOOK_EVERY_S, self._look)

    def _went_on(self, code: MQTTErrorCode) -> bool:
        """Whether the connection lives; it is over when paho says anything but success."""
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS and self._client is not None and self._client.socket() is not None:
            return True
        self._over()
        return False

    def _watch_room(self, client: mqtt.Client, _userdata: object, sock: Any) -> None:  # noqa: ANN401 - paho's socket
        """Something waits to be written: write on when the socket has room. The thread's first packet is `_begin`'s."""
        if client is self._client and not self._handshake.is_in_its_thread:
            self._loop.add_writer(sock, self._write)

    def _stop_watching_room(self, _client: object, _userdata: object, sock: Any) -> None:  # noqa: ANN401
        if not self._handshake.is_in_its_thread:
            self._loop.remove_writer(sock)

    def _unwatch(self, _client: object, _userdata: object, sock: Any) -> None:  # noqa: ANN401
        """The socket is being closed: nobody may look at its number any more."""
        self._wire.last_look(sock)
        if not self._handshake.is_in_its_thread:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _make_client(self, will: Publication | None) -> mqtt.Client:
        client = PahoClient(self._manners, will, self._endpoint.interface, self._wire)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
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
        self._post(self._receipts.came, mid, reason.value, str(reason))

    def _on_message(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._post(self._hooks.refused, "a message came with a topic that is not UTF-8")
            return
        if len(message.payload) > self._manners.max_payload and not self._manners.hands_over_all:
            self._post(self._hooks.refused, f"a message of {len(message.payload)} bytes came on {topic}: too large")
            return
        self._post(self._hooks.message, received(topic, message, self._unread.at_most_s))

    def _post(self, call: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(call, *args)

    def _open(self) -> None:
        if self._given_up:
            return
        self.opened.set()
        if self._endpoint.tls is not None and self._handshake.shown is not None:
            self._endpoint.tls.accepted(self._handshake.shown)
        self._hooks.opened()

    def _overdue(self) -> None:
        self.abandon(f"the broker acknowledged nothing for {self._manners.puback_within_s:g} s")

    def _over(self) -> None:
        """The connection does not go on. What it has posted already is still heard."""
        if self._look_after is not None:
            self._look_after.cancel()
        client, self._client = self._client, None
        sock: Any = None if client is None else client.socket()
        if sock is not None:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            self._wire.last_look(sock)
            sock.close()
        self._post(self._end, self._last_words or "the connection broke")

    def _end(self, reason: str) -> None:
        if self.ended.is_set():
            return
        self.reason = reason
        self.ended.set()
        tls, shown = self._endpoint.tls, self._handshake.shown
        turned_away = self._turned_away or self._handshake.turned_away
        if turned_away and not self.opened.is_set() and tls is not None and shown is not None:
            tls.turned_away(shown)
        self._client = None  # its sockets close with it
        self._receipts.lost(reason)
