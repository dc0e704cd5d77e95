"""The signature under a commissioning result: JSON that a unit signed with its own key, and anybody can check.

    {"format": "safepoint-commissioning/1",
     "result": {...},
     "certificate": "-----BEGIN CERTIFICATE-----...",   the unit's, and those of the authorities above it
     "signature": "..."}                                base64 of ECDSA (DER) over SHA-256

What is signed are the bytes of `format`, a newline, and `result` as JSON with sorted keys, without spaces, all but
ASCII escaped. To check one with other tools: write these bytes to a file and give it to
`openssl dgst -sha256 -verify`, with the public key of the certificate.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.uplink.held_key import signature_of_held_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

FORMAT: Final = "safepoint-commissioning/1"
HELD: Final = b"TSS2 PRIVATE KEY"
"""In the file of a key that a TPM keeps (`agent.uplink.held_key`)."""
MAX_BYTES: Final = 8 * 1024 * 1024
"""Of a sealed result; two stills are most of it."""


class SealBroken(ValueError):
    """The file is no result that a unit signed, or was changed since; the text says which."""


class CannotSign(Exception):
    """The unit's key cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Opened:
    """A result whose signature holds."""

    result: Mapping[str, Any]
    signer: str
    """The common name of the certificate it was signed with."""
    certificates: Sequence[x509.Certificate]
    """The signer's first."""


class Signer:
    """The unit's key, wherever that is kept, and its certificate."""

    def __init__(self, sign: Callable[[bytes], bytes], certificate: str) -> None:
        self._sign = sign
        self._certificate = certificate

    @classmethod
    def load(cls, key_file: Path, cert_file: Path) -> Self:
        """Those of these files (PEM); of a key that a TPM keeps, OpenSSL makes the signatures.

        Raises:
            CannotSign: with them nothing can be signed.
        """
        try:
            key = key_file.read_bytes()
            certificate = cert_file.read_text(encoding="ascii")
            public = x509.load_pem_x509_certificates(certificate.encode())[0].public_key()
            sign = partial(signature_of_held_key, key_file) if HELD in key else _signing(key)
            signed = sign(_signed_bytes({}))
        except PermissionError as error:
            msg = f"{error.filename} cannot be read: run this with sudo"
            raise CannotSign(msg) from error
        except (OSError, ValueError, TypeError) as error:
            msg = f"nothing can be signed with {key_file} and {cert_file}: {error}"
            raise CannotSign(msg) from error
        if not isinstance(public, ec.EllipticCurvePublicKey) or not _holds(public, signed, {}):
            msg = f"{key_file} is not the elliptic-curve key of the certificate {cert_file}"
            raise CannotSign(msg)
        return cls(sign, certificate)

    def seal(self, result: Mapping[str, Any]) -> bytes:
        """Sign a result, of JSON values.

        Raises:
            CannotSign: the key is not to be had any more.
        """
        try:
            signature = self._sign(_signed_bytes(result))
        except ValueError as error:
            msg = f"the result cannot be signed: {error}; call the same command again"
            raise CannotSign(msg) from error
        document = {
            "format": FORMAT,
            "result": result,
            "certificate": self._certificate,
            "signature": base64.b64encode(signature).decode("ascii"),
        }
        return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode("ascii")


def _signing(pem: bytes) -> Callable[[bytes], bytes]:
    """How to sign with this key.

    Raises:
        ValueError, TypeError: it is no elliptic-curve key.
    """
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        msg = "it is no elliptic-curve key"
        raise TypeError(msg)
    return lambda what: key.sign(what, ec.ECDSA(hashes.SHA256()))


def _holds(public: ec.EllipticCurvePublicKey, signature: bytes, result: Mapping[str, Any]) -> bool:
    try:
        public.verify(signature, _signed_bytes(result), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def unseal(sealed: bytes) -> Opened:
    """Check a signed result against its own certificate; whom that belongs to is `trust`'s question.

    Raises:
        SealBroken: it is none, or was changed.
    """
    if len(sealed) > MAX_BYTES:
        msg = f"it has more than {MAX_BYTES // 1024 // 1024} MB: this is no commissioning result"
        raise SealBroken(msg)
    try:
        document = json.loads(sealed)
        format_, result = document["format"], document["result"]
        certificates = x509.load_pem_x509_certificates(document["certificate"].encode())
        signature = base64.b64decode(document["signature"], validate=True)
    except KeyError as error:
        msg = f"it is no signed commissioning result: it has no {error}"
        raise SealBroken(msg) from error
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        msg = "it is no signed commissioning result, or was damaged: fetch it again from the unit"
        raise SealBroken(msg) from error
    if format_ != FORMAT or not isinstance(result, dict):
        msg = f"its format is not {FORMAT}"
        raise SealBroken(msg)
    key = certificates[0].public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        msg = "its certificate has no elliptic-curve key"
        raise SealBroken(msg)
    if not _holds(key, signature, result):
        msg = "the signature does not hold: it was changed since it was signed"
        raise SealBroken(msg)
    names = certificates[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Opened(result, str(names[0].value) if names else "", certificates)


def trust(opened: Opened, authorities: bytes) -> None:
    """Check that one of these authorities vouches for the unit that signed, at the time at which it did.

    Args:
        opened: The result.
        authorities: Certificates (PEM).

    Raises:
        SealBroken: none does, or a certificate on the way to it was not valid then.
    """
    try:
        trusted = x509.load_pem_x509_certificates(authorities)
    except ValueError as error:
        msg = "the authority's file holds no certificate (PEM)"
        raise SealBroken(msg) from error
    signed = _ended(opened.result)
    present, *above = opened.certificates
    _check_valid(present, signed)
    for _ in range(len(above) + 1):
        vouching = [each for each in trusted if _vouches(each, present)]
        if any(_is_valid(each, signed) for each in vouching):
            return
        if vouching:
            _check_valid(vouching[0], signed)
        issuer = next((each for each in above if _vouches(each, present) and _is_valid(each, signed)), None)
        if issuer is None:
            break
        present = issuer
    msg = f"no authority in that file vouches for the certificate of {opened.signer}"
    raise SealBroken(msg)


def _ended(result: Mapping[str, Any]) -> datetime:
    """When it was signed, by its own word, which the signature covers."""
    try:
        ended = datetime.fromisoformat(result["ended"])
    except (KeyError, TypeError, ValueError) as error:
        msg = "it does not say when it was signed (ended)"
        raise SealBroken(msg) from error
    if ended.tzinfo is None:
        msg = "it does not say in which time zone it was signed (ended)"
        raise SealBroken(msg)
    return ended


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _check_valid(certificate: x509.Certificate, at: datetime) -> None:
    if not _is_valid(certificate, at):
        since, until = certificate.not_valid_before_utc.isoformat(), certificate.not_valid_after_utc.isoformat()
        name = certificate.subject.rfc4514_string()
        msg = f"the certificate of {name} holds from {since} to {until}, and this was signed at {at.isoformat()}"
        raise SealBroken(msg)


def _vouches(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        if not authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return True


def _signed_bytes(result: Mapping[str, Any]) -> bytes:
    return f"{FORMAT}\n{json.dumps(result, sort_keys=True, separators=(',', ':'))}".encode("ascii")
