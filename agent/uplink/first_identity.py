"""A unit's very first certificate: there is none in use that it could be tried beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.durable import put_whole
from agent.uplink.certificate import CertificateUnreadable, all_in

if TYPE_CHECKING:
    from agent.uplink.slots import Identity, Slots


class FirstRefused(ValueError):
    """It cannot be the first: a file is there and is another one, or one is missing; the text says which."""


def is_first(slots: Slots) -> bool:
    """Whether the unit never had a certificate: the one in use would be the configuration's, and that is missing."""
    try:
        return slots.active() == slots.given and not slots.given.cert_file.exists()
    except PermissionError:  # a folder is closed to us: what would have closed an empty one?
        return False


def put_first(given: Identity, cert: bytes, key: bytes, ca: bytes | None) -> None:
    """Put the files where the configuration names them; the certificate comes last and makes them the unit's.

    What the power cut in between is done again by the next call. Blocking: belongs into a thread.

    Args:
        given: The files that the configuration names.
        cert: The certificate and those of the authorities above it (PEM).
        key: Its private key (PEM).
        ca: The authority to trust (PEM); None when its file is there.

    Raises:
        FirstRefused: a key or an authority is there and is another one, which is not overwritten; or there is none.
        OSError: the files cannot be written.
    """
    if ca is None and given.ca_file is not None and not given.ca_file.exists():
        msg = f"{given.ca_file} is missing: give the authority that the unit shall trust as --ca"
        raise FirstRefused(msg)
    for path, content, mode in ((given.key_file, key, 0o600), (given.ca_file, ca, 0o644)):
        if path is None or content is None:
            continue
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            if _is_other(path.read_bytes(), content):
                msg = f"{path} is there already and is another one: remove it if it is of no use"
                raise FirstRefused(msg)
        else:
            put_whole(path, content, mode)
    given.cert_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    put_whole(given.cert_file, cert, 0o644)


def _is_other(there: bytes, content: bytes) -> bool:
    """Whether a file holds something else; the same certificates may be written in more than one way."""
    if there == content:
        return False
    try:
        return all_in(there, "the file there") != all_in(content, "the new one")
    except CertificateUnreadable:
        return True
