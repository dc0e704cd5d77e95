"""The handshakes of TCP, TLS and MQTT at the start of a connection. paho does them blocking: they have a thread."""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING, Final

from paho.mqtt.packettypes import PacketTypes

from agent.uplink.packets import no_properties
from agent.uplink.tls import EndpointInvalid

if TYPE_CHECKING:
    from collections.abc import Callable

    import paho.mqtt.client as mqtt

    from agent.uplink.endpoint import Endpoint
    from agent.uplink.manners import Manners
    from agent.uplink.tls import Shown

PACKET_ROOM: Final = 64 * 1024
"""What the broker may send above the largest payload we take: a little too much is refused here and counted, much
too much is kept back by the broker and never fills the memory of a small board."""


class Handshake:
    """Connects one client, once."""

    def __init__(
        self, client: mqtt.Client, endpoint: Endpoint, manners: Manners, over: Callable[[str | None], None]
    ) -> None:
        """A handshake that `start` begins.

        Args:
            client: Whose; it is let go of afterwards.
            endpoint: With whom.
            manners: What is agreed on.
            over: Called in the thread: None, or why the handshake failed.
        """
        self._endpoint = endpoint
        self._manners = manners
        self._over = over
        # The thread lets go of the client with its end: its sockets close with it.
        self._thread = threading.Thread(target=self._run, args=(client,), name=f"link-{manners.name}", daemon=True)
        self.shown: Shown | None = None
        """The identity that the broker saw; None: none yet, or no TLS."""
        self.turned_away = False
        """The broker was there, and broke it off. That we do not trust it is no reason to show it another
        certificate."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def is_under_way(self) -> bool:
        """Whether the thread is at it."""
        return self._thread.is_alive()

    @property
    def is_in_its_thread(self) -> bool:
        """Whether it is the caller of this who shakes hands."""
        return threading.current_thread() is self._thread

    def _run(self, client: mqtt.Client) -> None:
        try:
            self._connect(client)
        except EndpointInvalid as invalid:
            self._over(str(invalid))
        except OSError as error:
            own_verdict = isinstance(error, ssl.SSLCertVerificationError)
            self.turned_away = isinstance(error, ssl.SSLError) and not own_verdict
            self._over(_explain(error))
        except Exception as error:  # noqa: BLE001 - whatever paho raises ends this connection, and is told as its end
            self._over(f"the connection broke: {type(error).__name__}: {error}")
        else:
            self._over(None)

    def _connect(self, client: mqtt.Client) -> None:
        properties = no_properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._manners.session_expiry_s
        properties.MaximumPacketSize = self._manners.max_payload + PACKET_ROOM
        if self._endpoint.tls is not None:
            self.shown = self._endpoint.tls.show()
            client.tls_set_context(self.shown.context)
        client.connect(
            self._endpoint.host,
            self._endpoint.port,
            keepalive=max(1, round(self._manners.keepalive_s)),
            clean_start=False,
            properties=properties,
        )


def _explain(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate was not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    return f"it cannot be reached: {error.strerror or error}"
