"""TLS sockets with their own view of what time it is."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.clock_floor import Known


class JudgingSocket(ssl.SSLSocket):
    """Judges the times of certificates by itself, where OpenSSL verifies all but those."""

    known: Known
    """How late it is at least."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - ssl.SSLSocket's own signature
        """Shake hands, and judge the times of the other end's certificates.

        Raises:
            OSError: it failed, or one of them has ended.
        """
        super().do_handshake(block)
        # Public only from Python 3.13 on; the object behind the socket has it since 3.10.
        chain = self._sslobj.get_verified_chain()  # type: ignore[attr-defined]
        judge_times([certificate.get_info() for certificate in chain], self.known)


def socket_judging_at(known: Known) -> type[ssl.SSLSocket]:
    """The kind of socket that judges certificates by this time."""
    return type("_JudgingSocket", (JudgingSocket,), {"known": known})


def judge_times(chain: Sequence[Mapping[str, Any]], known: Known) -> None:
    """Refuse a chain, verified in all else, of which a certificate has ended.

    Whether one has begun cannot be said: it is later than `known` by nobody knows how much.

    Args:
        chain: As `ssl.SSLSocket.getpeercert` describes each, root included.
        known: How late it is at least.

    Raises:
        ssl.SSLCertVerificationError: one of them has ended.
    """
    for certificate in chain:
        if ssl.cert_time_to_seconds(certificate["notAfter"]) < known.at.timestamp():
            words = f"certificate has expired on {certificate['notAfter']} (it is {known.at:%Y-%m-%d} at least)"
            refusal = ssl.SSLCertVerificationError(1, words)
            refusal.verify_message = words
            raise refusal
