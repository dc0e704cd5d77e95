"""A paho client for one connection, which can be held to one network interface, and whose bytes are counted."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes

from agent.uplink.background import BACKGROUND_SOCKET
from agent.uplink.packets import properties_of

if TYPE_CHECKING:
    import ssl

    from agent.uplink.manners import Manners
    from agent.uplink.publication import Publication
    from agent.uplink.wire import Wire

CONNECT_TIMEOUT_S: Final = 5.0
"""For the TCP and for the TLS handshake each: a mobile network that needs longer is not there."""
IN_FLIGHT: Final = 20
"""Unacknowledged publications at a time, at most; a broker may want fewer (mosquitto: 20), which paho ignores."""


class PahoClient(mqtt.Client):
    """It does not reconnect, and keeps nothing of a life before."""

    def __init__(self, manners: Manners, will: Publication | None, interface: str | None, wire: Wire) -> None:
        """A client that is not connected.

        Args:
            manners: Its name, and whether its packets stand behind others.
            will: What the broker tells when we die.
            interface: The network interface to go through; None leaves that to the routing table.
            wire: Counts what it carries.
        """
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=manners.client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        self._interface = interface
        self._wire = wire
        self.suppress_exceptions = True
        self.connect_timeout = CONNECT_TIMEOUT_S
        self.max_inflight_messages_set(IN_FLIGHT)
        if will is not None:
            properties = properties_of(PacketTypes.WILLMESSAGE, will)
            self.will_set(will.topic, will.payload, qos=1, retain=will.retain, properties=properties)
        self.on_socket_open = _step_aside if manners.background else _send_at_once

    def _create_socket(self) -> Any:  # noqa: ANN401 - paho's own word for a socket
        sock: Any = super()._create_socket()
        self._wire.watch(sock)
        return sock

    def _create_socket_connection(self) -> socket.socket:
        """Connect through the interface. paho lets only a source address be chosen, and that binds to no interface.

        Raises:
            OSError: there is no such interface, or the broker cannot be reached through it.
        """
        failed: OSError = ConnectionError("its name has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self._connect_timeout)
                if self._interface is not None:
                    # Without special rights since Linux 5.7, as long as the socket is bound to none.
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode())
                sock.connect(address)
            except OSError as error:
                self._close(sock)
                failed = error
            else:
                return sock
        raise failed

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """Shake hands as paho does, which drops a socket open whose handshake fails: one for each attempt.

        Raises:
            OSError: it failed; the socket is closed.
        """
        assert self._ssl_context is not None  # paho asks only then  # noqa: S101
        sock = self._ssl_context.wrap_socket(tcp_sock, server_hostname=self._host, do_handshake_on_connect=False)
        try:
            sock.settimeout(self._connect_timeout)
            sock.do_handshake()
        except OSError:
            self._close(sock)
            raise
        return sock

    def _close(self, sock: socket.socket) -> None:
        self._wire.last_look(sock)
        sock.close()


def _send_at_once(_client: object, _userdata: object, sock: Any) -> None:  # noqa: ANN401 - paho's own word for a socket
    """No Nagle: it would hold an alert back for 40 ms, until the broker's acknowledgement of the one before."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _step_aside(_client: object, _userdata: object, sock: Any) -> None:  # noqa: ANN401
    for option in BACKGROUND_SOCKET:
        sock.setsockopt(*option)
