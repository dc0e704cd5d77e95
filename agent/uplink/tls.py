"""Where the broker is and how this end proves who it is: TLS 1.3 with a certificate on both sides."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import UplinkSettings

TLS_PORT = 8883
PLAIN_PORT = 1883


class EndpointInvalid(ValueError):
    """The way to the broker cannot work as configured; the text says what to change."""


@dataclass(frozen=True)
class Endpoint:
    """A broker and the way to it."""

    host: str
    port: int
    context: ssl.SSLContext | None = field(repr=False)
    """None: no TLS, on a bench."""
    interface: str | None = None
    """The network interface to go through; None leaves that to the routing table."""

    @classmethod
    def from_settings(cls, settings: UplinkSettings) -> Self:
        """The endpoint of a unit.

        Raises:
            EndpointInvalid: a file is missing or of no use, or plain MQTT was not allowed.
        """
        return cls.build(
            settings.broker,
            ca_file=settings.ca_file,
            cert_file=settings.cert_file,
            key_file=settings.key_file,
            insecure_lab=settings.insecure_lab,
            interface=settings.interface,
        )

    @classmethod
    def alternate(cls, settings: UplinkSettings) -> Self | None:
        """The endpoint of a unit's second way, if it has one.

        Raises:
            EndpointInvalid: a file is missing or of no use, or plain MQTT was not allowed.
        """
        if settings.alternate is None:
            return None
        return cls.build(
            settings.alternate.broker,
            ca_file=settings.ca_file,
            cert_file=settings.cert_file,
            key_file=settings.key_file,
            insecure_lab=settings.insecure_lab,
            interface=settings.alternate.interface,
        )

    @classmethod
    def build(  # noqa: PLR0913 - where, with which files, and how
        cls,
        url: str,
        *,
        ca_file: Path | None = None,
        cert_file: Path | None = None,
        key_file: Path | None = None,
        insecure_lab: bool = False,
        interface: str | None = None,
    ) -> Self:
        """The endpoint at a URL (`mqtts://host:8883`), for a client with these files.

        Raises:
            EndpointInvalid: a file is missing or of no use, or plain MQTT was not allowed.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            msg = f"the broker {url!r} is not a URL like mqtts://host:8883: {error}"
            raise EndpointInvalid(msg) from error
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            msg = f"the broker {url!r} is not a URL like mqtts://host:8883"
            raise EndpointInvalid(msg)
        if parts.scheme == "mqtts":
            return cls(parts.hostname, port or TLS_PORT, _context(ca_file, cert_file, key_file), interface)
        if not insecure_lab:
            msg = f"the broker {url!r} is without TLS: use mqtts://, or insecure_lab on a bench"
            raise EndpointInvalid(msg)
        return cls(parts.hostname, port or PLAIN_PORT, None, interface)


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails: paho drops such a socket open, one for each attempt."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - ssl.SSLSocket's own signature
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _context(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """TLS 1.3, the broker's name and chain checked, our own certificate shown."""
    if cert_file is None or key_file is None:
        msg = "mqtts:// needs this client's own certificate: give cert_file and key_file"
        raise EndpointInvalid(msg)
    for what, path in (("ca_file", ca_file), ("cert_file", cert_file), ("key_file", key_file)):
        _check_readable(what, path)
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file)
    except ssl.SSLError as error:
        msg = f"ca_file {ca_file} holds no certificate: {error.reason or error}"
        raise EndpointInvalid(msg) from error
    context.sslsocket_class = _TidySocket
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        # A key with a pass phrase would make OpenSSL ask for it on the terminal: a daemon has none.
        context.load_cert_chain(cert_file, key_file, password="")
    except ssl.SSLError as error:
        msg = f"cert_file {cert_file} and key_file {key_file} are no matching pair: {error.reason or error}"
        raise EndpointInvalid(msg) from error
    return context


def _check_readable(what: str, path: Path | None) -> None:
    if path is None:
        return
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        msg = f"{what} {path} cannot be read: {error.strerror}"
        raise EndpointInvalid(msg) from error
