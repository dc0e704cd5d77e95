"""A handshake with nobody: would a broker that trusts these authorities take this certificate?

OpenSSL is at both ends, as it is with mosquitto. So whatever a broker would refuse (a missing intermediate, a use that
is not a client's, a weak key) is refused where somebody can do something about it. By what time a certificate is judged
is left out: the clock of a unit that is being installed may be wrong.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from agent.uplink.tls import NO_CHECK_TIME

if TYPE_CHECKING:
    from pathlib import Path

_TURNS: Final = 8
"""Each end speaks twice in TLS 1.3; more would be a handshake that stands still."""


def refusal_of(cert_file: Path, key_file: Path, authorities: str) -> str | None:
    """Why a broker would not take the certificate, as OpenSSL says it; None: it would.

    Args:
        cert_file: The certificate and those above it.
        key_file: Its key.
        authorities: Those that the broker trusts for its clients (PEM).

    Raises:
        ssl.SSLError: the files are of no use at all.
    """
    unit, broker = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for context in (unit, broker):
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(cert_file, key_file, password="")  # the broker's own is nobody's concern here
    unit.check_hostname, unit.verify_mode = False, ssl.CERT_NONE
    broker.verify_mode = ssl.CERT_REQUIRED
    broker.verify_flags |= NO_CHECK_TIME
    broker.load_verify_locations(cadata=authorities)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [unit.wrap_bio(back, there), broker.wrap_bio(there, back, server_side=True)]
    for _ in range(_TURNS):
        for end in tuple(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as refused:
                return refused.verify_message
            ends.remove(end)
    if ends:
        msg = "the handshake stands still"
        raise ssl.SSLError(msg)
    return None
