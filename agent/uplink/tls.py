"""How both ends of a link prove who they are: TLS 1.3 with a certificate on both sides."""

from __future__ import annotations

import contextlib
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.uplink.certificate import Certificate, CertificateUnreadable
from agent.uplink.tls_socket import socket_judging_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from agent.clock_floor import ClockFloor, Known
    from agent.uplink.slots import Identity

TURNED_AWAY: Final = 2
"""So often in a row an identity is shown in vain before another one is."""
NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)
"""`X509_V_FLAG_NO_CHECK_TIME` (openssl/x509_vfy.h): all is verified but whether the certificates are valid now."""


class EndpointInvalid(ValueError):
    """The way to the broker cannot work as configured; the text says what to change."""


class StillLooking(Exception):
    """One thread looks at the files already: ask again later."""


@dataclass(frozen=True)
class Look:
    """How the identities of this end are, as their files were a moment ago."""

    active: Identity
    certificate: Certificate | None
    """The active identity's; None when it cannot be read."""
    known: Known | None
    """By what time certificates are judged; None: by the machine's clock, whatever it says."""
    unusable: Mapping[str, str]
    """The identities that cannot be used, by name, and why."""


@dataclass(frozen=True)
class Shown:
    """What one connection shows of itself."""

    name: str
    """The identity's."""
    context: ssl.SSLContext


class Tls:
    """How this end shows who it is.

    The files are read again and again (`look`), so new ones need no restart. What was good once stays good in memory:
    a card that fails takes nobody's certificate away.
    """

    def __init__(
        self,
        identities: Callable[[], Sequence[Identity]],
        *,
        floor: ClockFloor | None = None,
        allow_tls_1_2: bool = False,
    ) -> None:
        """A way to show it.

        Args:
            identities: The identities there are, the preferred one first; touches the disk.
            floor: Knows how late it is at least; None believes the machine's clock.
            allow_tls_1_2: For a broker that has no TLS 1.3.
        """
        self._identities = identities
        self._floor = floor
        self.oldest = ssl.TLSVersion.TLSv1_2 if allow_tls_1_2 else ssl.TLSVersion.TLSv1_3
        """The oldest version of TLS that is spoken."""
        self._looking = threading.Lock()
        """Held by the one thread that looks at the files, or hangs there."""
        self._ready: Sequence[Shown] = ()
        """The identities that can be used, the preferred one first."""
        self._turn = 0
        """Which of them is shown."""
        self._refusals = 0
        """How often in a row it was turned away."""
        self.accepted_as: str | None = None
        """The name of the identity that a broker accepted last; None until one did."""

    def look(self) -> Look:
        """Read all files anew. Blocking: belongs into a thread.

        Raises:
            StillLooking: another thread is at it, or hangs there; a second one would only hang too.
        """
        if not self._looking.acquire(blocking=False):
            raise StillLooking
        try:
            return self._look()
        finally:
            self._looking.release()

    def _look(self) -> Look:
        identities = self._identities()
        active, certificate = identities[0], None
        with contextlib.suppress(CertificateUnreadable):  # whoever loads it tells
            certificate = Certificate.read(active.cert_file)
        issued = None if certificate is None else certificate.not_before
        known = None if self._floor is None else self._floor.known(issued)
        ready, unusable = [], {}
        for identity in identities:
            try:
                ready.append(Shown(identity.name, context_of(identity, self.oldest, known)))
            except EndpointInvalid as invalid:
                unusable[identity.name] = str(invalid)
        if ready:
            self._ready = ready
        return Look(active, certificate, known, unusable)

    def show(self) -> Shown:
        """What the next connection shows. Blocking as long as nothing was ever read: belongs into a thread.

        Raises:
            EndpointInvalid: no identity can be used; it tells of the preferred one, or that the disk hangs.
        """
        if not self._ready:
            try:
                look = self.look()
            except StillLooking as still:
                msg = "the certificates are still being read: the disk is slow, or hangs"
                raise EndpointInvalid(msg) from still
            if not self._ready:
                raise EndpointInvalid(look.unusable[look.active.name])
        return self._ready[self._turn % len(self._ready)]

    def accepted(self, shown: Shown) -> None:
        """The broker accepted the connection: the same identity is shown to it the next time."""
        self.accepted_as, self._refusals = shown.name, 0

    def turned_away(self, shown: Shown) -> None:
        """The broker broke the handshake off, or closed the connection before it was accepted.

        A broker that is being restarted does so too: only the second time in a row the next identity is shown.
        """
        if self._ready[self._turn % len(self._ready)].name != shown.name:
            return  # two ways were turned away with it, and another one is shown already
        self._refusals += 1
        if self._refusals >= TURNED_AWAY:
            self._turn, self._refusals = self._turn + 1, 0

    def prefer_active(self) -> None:
        """Show the preferred identity the next time: it is another one now, or the broker may want it again."""
        self._turn, self._refusals = 0, 0


def context_of(identity: Identity, oldest: ssl.TLSVersion, known: Known | None = None) -> ssl.SSLContext:
    """The broker's name and chain checked, our own certificate shown.

    Args:
        identity: The files.
        oldest: The oldest version of TLS.
        known: What time it is, or how late it is at least; None believes the machine's clock.

    Raises:
        EndpointInvalid: a file is missing or of no use.
    """
    for what, path in _named(identity):
        _check_readable(what, path)
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=identity.ca_file)
    except OSError as error:  # an SSLError is one too; and a file may go between two looks
        msg = f"ca_file {identity.ca_file} holds no certificate: {_why(error)}"
        raise EndpointInvalid(msg) from error
    context.minimum_version = oldest
    if known is not None and not known.is_exact:
        # ssl does not offer X509_VERIFY_PARAM_set_time: OpenSSL verifies all but the times, and we those.
        context.verify_flags |= NO_CHECK_TIME
        context.sslsocket_class = socket_judging_at(known)
    try:
        # A key with a pass phrase would make OpenSSL ask for it on the terminal: a daemon has none.
        context.load_cert_chain(identity.cert_file, identity.key_file, password="")
    except OSError as error:
        msg = f"cert_file {identity.cert_file} and key_file {identity.key_file} are no matching pair: {_why(error)}"
        raise EndpointInvalid(msg) from error
    return context


def _why(error: OSError) -> str:
    return str((error.reason if isinstance(error, ssl.SSLError) else error.strerror) or error)


def _named(identity: Identity) -> Sequence[tuple[str, Path | None]]:
    return (("ca_file", identity.ca_file), ("cert_file", identity.cert_file), ("key_file", identity.key_file))


def _check_readable(what: str, path: Path | None) -> None:
    if path is None:
        return
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        msg = f"{what} {path} cannot be read: {error.strerror}"
        raise EndpointInvalid(msg) from error
