"""`safepoint certificate install`: judge a new certificate, and put it where the unit finds it.

Nothing is written before all of it was judged: a refusal leaves the requested key, and what is in use, as they were.
"""

from __future__ import annotations

import os
import ssl
import sys
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.cli.delivered import certificates_in, pem_of
from agent.cli.errors import UsageError
from agent.cli.owned import as_owner, check_ours, read_named, requested_key
from agent.uplink.authorities import Authorities
from agent.uplink.certificate import Certificate, CertificateUnreadable, all_in
from agent.uplink.chain import Chain, is_root, name_of
from agent.uplink.first_identity import FirstRefused, is_first, put_first
from agent.uplink.key_birth import KEY_NAME
from agent.uplink.rehearsal import refusal_of
from agent.uplink.slots import Identity
from agent.uplink.tls import EndpointInvalid, context_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from cryptography import x509

    from agent.config.settings import Config
    from agent.uplink.slots import Slots

_ANOTHER: Final = "if the broker's own authority is another one, name that of units with --signed-by"
ROOT: Final = "else name the root above it"
SIGNED_BY: Final = "of --signed-by"


def install(args: argparse.Namespace, config: Config, slots: Slots) -> int:
    """Put a new certificate beside the one in use, or the first one where the configuration names it.

    Raises:
        UsageError: it cannot be the unit's.
    """
    requested = config.state_folder / "tls" / KEY_NAME
    # Looked at with the caller's rights, as all that he names: the configuration's files may be root's alone.
    first = is_first(slots)
    delivered, ca = certificates_in("FILE", args.cert), _new_authorities(args.ca)
    signed_by = None if args.signed_by is None else certificates_in("--signed-by", args.signed_by)
    trusted_before, in_use = (_named_authorities(slots), None) if first else _in_use(config, slots)
    trusted = ca or trusted_before
    chain = Chain.of(delivered, (*trusted, *(signed_by or ())))
    certificate = Certificate.of(chain.own)
    check_ours(args.cert, certificate.name, certificate.not_after, config)
    key = requested_key(config, requested) if args.key is None else read_named("--key", args.key)
    with _held(chain.shown, key) as (cert_file, key_file):
        _check_pair(args, cert_file, key_file, args.key or requested)
        if signed_by is not None:
            judging = Authorities.above(chain, signed_by)
            why = judging.objection(None, datetime.now(UTC), otherwise=ROOT, which=SIGNED_BY)
        elif trusted:
            judging = Authorities.above(chain, trusted)
            why = judging.objection(in_use, datetime.now(UTC), otherwise=_ANOTHER if first else None)
        else:
            judging, why = None, None  # those of the machine, or nobody can tell
        if why is None and judging is not None and judging.signer is not None:
            why = _refusal_at_broker(cert_file, key_file, signed_by or trusted)
    if why is not None:
        msg = f"{args.cert} {why}"
        raise UsageError(msg)
    new_ca = pem_of(ca) if ca else None
    try:
        with as_owner(config):
            if first:
                put_first(slots.given, chain.shown, key, new_ca)
            else:
                slot = slots.put(chain.shown, key, new_ca).name
            requested.unlink(missing_ok=True)
    except FirstRefused as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        where = slots.given.cert_file.parent if first else config.state_folder / "tls"
        msg = f"the certificate cannot be put into {where}: {error.strerror or error}"
        raise UsageError(msg) from error
    if first:
        sys.stdout.write(
            f"It is the unit's first certificate, valid until {certificate.not_after:%Y-%m-%d}. The running unit uses "
            "it with its next connection.\n"
        )
        return 0
    sys.stdout.write(
        f"It waits in slot {slot}, valid until {certificate.not_after:%Y-%m-%d}. The running unit tries it within "
        "half a minute and takes it into use when its broker accepts it.\n"
    )
    return 0


def _new_authorities(path: Path | None) -> list[x509.Certificate]:
    """The authorities to trust from now on; empty: those from before.

    Raises:
        UsageError: OpenSSL would trust nobody with them.
    """
    if path is None:
        return []
    found = certificates_in("--ca", path)
    if not any(is_root(each) for each in found):
        lowest = found[0]
        msg = (
            f"--ca {path} holds no root: {name_of(lowest.subject)} is signed by {name_of(lowest.issuer)}, "
            "and the unit must be given the certificate of that one"
        )
        raise UsageError(msg)
    return found


def _named_authorities(slots: Slots) -> list[x509.Certificate]:
    """Those that lie already where the configuration names them.

    Raises:
        UsageError: they cannot be read.
    """
    ca_file = slots.given.ca_file
    return [] if ca_file is None or not ca_file.exists() else certificates_in("uplink.ca_file", ca_file)


def _in_use(config: Config, slots: Slots) -> tuple[list[x509.Certificate], Authorities | None]:
    """Whom the unit trusts, and how the certificate in use stands to them.

    What of it cannot be read is told, and is no reason to refuse a better one.
    """
    try:
        with as_owner(config):
            active = slots.active()
            ca = None if active.ca_file is None else active.ca_file.read_bytes()
            shown = active.cert_file.read_bytes()
        if ca is None:
            return [], None
        return all_in(ca, "the file of authorities"), Authorities.of(ca, shown)
    except (OSError, CertificateUnreadable) as error:
        sys.stderr.write(f"safepoint: the certificate in use does not tell its authority: {error}\n")
        return [], None


@contextmanager
def _held(*contents: bytes) -> Iterator[list[Path]]:
    """Files in memory: OpenSSL is given names, and shall read what we have read, not what lies there now."""
    with ExitStack() as stack:
        held = []
        for content in contents:
            file = stack.enter_context(os.fdopen(os.memfd_create("brought"), "wb"))
            file.write(content)
            file.flush()
            held.append(Path(f"/proc/self/fd/{file.fileno()}"))
        yield held


def _check_pair(args: argparse.Namespace, cert_file: Path, key_file: Path, key_from: Path) -> None:
    """Have OpenSSL say whether it takes the certificate with its key.

    Raises:
        UsageError: it does not.
    """
    try:
        context_of(Identity("new", None, cert_file, key_file), ssl.TLSVersion.TLSv1_3)
    except EndpointInvalid as error:
        told = str(error).replace(str(cert_file), str(args.cert)).replace(str(key_file), str(key_from))
        if args.key is None:
            told += "; `safepoint certificate request` prints once more what it should be the answer to"
        raise UsageError(told) from error


def _refusal_at_broker(cert_file: Path, key_file: Path, authorities: Sequence[x509.Certificate]) -> str | None:
    """Why a broker that trusts these would let nobody in with it, as OpenSSL says, which plays that broker."""
    try:
        why = refusal_of(cert_file, key_file, pem_of(authorities).decode("ascii"))
    except ssl.SSLError as error:
        why = error.reason or str(error)
    return None if why is None else f"would let nobody in at the broker ({why}): have it made for usage clientAuth"
