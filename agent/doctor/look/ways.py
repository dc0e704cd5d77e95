"""Tries each way to the control room as far as one can without saying anything: name, road, and trust in both ways.

No MQTT is spoken, so the unit's own session is not disturbed. A broker that does not trust the unit's certificate says
so at once in TLS 1.3, after the handshake; one that does waits for the first word.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agent.doctor.facts import Way
from agent.doctor.look.certificate import can_use_key, identity
from agent.uplink.endpoint import PLAIN_PORT, TLS_PORT
from agent.uplink.tls import EndpointInvalid, context_of

if TYPE_CHECKING:
    from agent.config.settings import Config
    from agent.doctor.look.case import Case
    from agent.uplink.slots import Identity

REACH_WITHIN_S: Final = 8.0
"""A mobile link that sleeps takes two or three seconds."""
TURNED_AWAY_WITHIN_S: Final = 2.0
"""A round trip of a mobile link takes half a second."""


def look(case: Case) -> tuple[Way, ...] | None:
    """Try them, one after the other."""
    if case.config is None:
        return None
    uplink = case.config.uplink
    ways = [("uplink.broker", uplink.broker, uplink.interface)]
    if uplink.alternate is not None:
        ways.append(("uplink.alternate.broker", uplink.alternate.broker, uplink.alternate.interface))
    return tuple(_try(case.config, *way) for way in ways)


def _try(config: Config, key: str, broker: str, interface: str | None) -> Way:
    parts = urlsplit(broker)
    host, encrypted = parts.hostname or "", parts.scheme == "mqtts"
    address = (host, parts.port or (TLS_PORT if encrypted else PLAIN_PORT))
    try:
        socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: what no name can be, such as "a..b"
        return Way(key, broker, "name", _why(error))
    try:
        road = _road(address, interface)
    except OSError as error:
        return Way(key, broker, "reach", _why(error))
    shown = identity(config) if encrypted else None
    if shown is not None and not can_use_key(shown):
        shown = None  # the road is all that can be tried
    oldest = ssl.TLSVersion.TLSv1_2 if config.uplink.allow_tls_1_2 else ssl.TLSVersion.TLSv1_3
    with road:
        return Way(key, broker) if shown is None else _trusted(Way(key, broker), road, host, shown, oldest)


def _road(address: tuple[str, int], interface: str | None) -> socket.socket:
    """A connection through this interface.

    Raises:
        OSError: there is none.
    """
    last: OSError = OSError("no address")
    for family, kind, protocol, _, there in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
        road = socket.socket(family, kind, protocol)
        try:
            road.settimeout(REACH_WITHIN_S)
            if interface is not None:
                road.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
            road.connect(there)
        except OSError as error:
            road.close()
            last = error
        else:
            return road
    raise last


def _trusted(way: Way, road: socket.socket, host: str, shown: Identity, oldest: ssl.TLSVersion) -> Way:
    try:
        context = context_of(shown, oldest)
    except EndpointInvalid as invalid:
        return replace(way, failed="files", reason=str(invalid))
    try:
        secured = context.wrap_socket(road, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        return replace(way, failed="trust", reason=error.verify_message)
    except OSError as error:
        return replace(way, failed="turned away", reason=_why(error))
    with secured:
        secured.settimeout(TURNED_AWAY_WITHIN_S)
        try:
            said = secured.recv(1)
        except TimeoutError:
            return way  # it waits for our first word
        except OSError as error:
            return replace(way, failed="turned away", reason=_why(error))
    return way if said else replace(way, failed="turned away", reason="the broker closed the connection")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or "no answer"
