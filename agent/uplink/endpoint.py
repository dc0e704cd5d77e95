"""Where a broker is, and the way to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from agent.uplink.slots import GIVEN, Identity
from agent.uplink.tls import EndpointInvalid, Tls

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import UplinkSettings

TLS_PORT = 8883
PLAIN_PORT = 1883


@dataclass(frozen=True)
class Endpoint:
    """A broker and the way to it."""

    host: str
    port: int
    tls: Tls | None = field(repr=False)
    """None: no TLS, on a bench."""
    interface: str | None = None
    """The network interface to go through; None leaves that to the routing table."""

    @classmethod
    def from_settings(cls, settings: UplinkSettings, tls: Tls | None) -> Self:
        """The endpoint of a unit, whose files may still be missing.

        Raises:
            EndpointInvalid: it is no broker, or plain MQTT was not allowed.
        """
        return cls.at(settings.broker, tls, insecure_lab=settings.insecure_lab, interface=settings.interface)

    @classmethod
    def alternate(cls, settings: UplinkSettings, tls: Tls | None) -> Self | None:
        """The endpoint of a unit's second way, if it has one; the unit shows the same certificate there.

        Raises:
            EndpointInvalid: it is no broker, or plain MQTT was not allowed.
        """
        if settings.alternate is None:
            return None
        return cls.at(
            settings.alternate.broker,
            tls,
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
        allow_tls_1_2: bool = False,
    ) -> Self:
        """The endpoint at a URL (`mqtts://host:8883`), for a client with these files, which are looked at now.

        Raises:
            EndpointInvalid: a file is missing or of no use, or plain MQTT was not allowed.
        """
        tls = None
        if cert_file is not None and key_file is not None:
            identity = Identity(GIVEN, ca_file, cert_file, key_file)
            tls = Tls(lambda: [identity], allow_tls_1_2=allow_tls_1_2)
        endpoint = cls.at(url, tls, insecure_lab=insecure_lab)
        if endpoint.tls is not None:
            endpoint.tls.show()
        return endpoint

    @classmethod
    def at(cls, url: str, tls: Tls | None, *, insecure_lab: bool, interface: str | None = None) -> Self:
        """The endpoint at a URL.

        Raises:
            EndpointInvalid: it is no broker, or plain MQTT was not allowed.
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
            if tls is None:
                msg = "mqtts:// needs this client's own certificate: give cert_file and key_file"
                raise EndpointInvalid(msg)
            return cls(parts.hostname, port or TLS_PORT, tls, interface)
        if not insecure_lab:
            msg = f"the broker {url!r} is without TLS: use mqtts://, or insecure_lab on a bench"
            raise EndpointInvalid(msg)
        return cls(parts.hostname, port or PLAIN_PORT, None, interface)
