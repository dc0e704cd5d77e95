"""A key that a TPM or a secure element keeps: this program never has it, only a file by which OpenSSL finds it.

Such a file (`-----BEGIN TSS2 PRIVATE KEY-----`, of tpm2-openssl) is opened by a provider that the machine's OpenSSL
configuration names (OPENSSL_CONF). Python's ssl uses it like any other key file. `cryptography` brings an OpenSSL of
its own, which knows no providers, so that requests are made by the machine's openssl program. How to set it up stands
in `provisioning/authority/README.md`.
"""

from __future__ import annotations

import subprocess
import tempfile
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent.enrolment import Purpose

if TYPE_CHECKING:
    from pathlib import Path

    from agent.enrolment import Token

WITHIN_S: Final = 60.0
"""A TPM takes a second or two for a signature when it is slow."""
_REQUEST: Final = """\
[req]
prompt = no
distinguished_name = subject
attributes = proof
[subject]
CN = {name}
[proof]
{proof}
"""
_WITH_NULL: Final = bytes.fromhex("300c06082a8648ce3d0403020500")
_AS_IT_MUST_BE: Final = bytes.fromhex("300a06082a8648ce3d040302")


class KeyNotHeld(ValueError):
    """OpenSSL cannot use the key; the text says what it says."""


def request_for_held_key(key_file: Path, name: str, token: Token | None = None) -> bytes:
    """A request (PKCS #10, PEM) for a certificate of a key that OpenSSL can use and we need not see. Blocking.

    Args:
        key_file: As the provider wrote it.
        name: The common name, checked to be a unit's.
        token: Proves to the pilot's authority who asks.

    Raises:
        KeyNotHeld: OpenSSL, with the providers that it is told of, cannot use the key, or it is no P-256 key.
    """
    public = _openssl("pkey", "-in", str(key_file), "-pubout")
    try:
        key = serialization.load_pem_public_key(public)
    except ValueError as error:
        msg = f"openssl finds no key in {key_file}"
        raise KeyNotHeld(msg) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        msg = f"{key_file} is no P-256 key"
        raise KeyNotHeld(msg)
    proof = "" if token is None else f"challengePassword = {token.proof(Purpose.MQTT, name, key)}"
    with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".cnf") as said:
        said.write(_REQUEST.format(name=name, proof=proof))
        said.flush()
        made = _openssl("req", "-new", "-sha256", "-config", said.name, "-key", str(key_file), "-outform", "DER")
    try:
        csr = x509.load_der_x509_csr(without_null(made))
        if csr.is_signature_valid and csr.public_key() == key:
            return csr.public_bytes(serialization.Encoding.PEM)
    except ValueError as error:
        msg = f"the request that openssl made with {key_file} is malformed: {error}"
        raise KeyNotHeld(msg) from error
    msg = f"the key in {key_file} signs wrongly: does it lie in another TPM?"
    raise KeyNotHeld(msg)


def signature_of_held_key(key_file: Path, what: bytes) -> bytes:
    """An ECDSA signature (DER) over the SHA-256 of this, made where the key is. Blocking.

    Args:
        key_file: As the provider wrote it.
        what: What is signed.

    Raises:
        KeyNotHeld: OpenSSL, with the providers that it is told of, cannot use the key.
    """
    with tempfile.NamedTemporaryFile("wb", suffix=".signed") as said:
        said.write(what)
        said.flush()
        return _openssl("dgst", "-sha256", "-sign", str(key_file), said.name)


def without_null(der: bytes) -> bytes:
    """A request whose algorithm is written as it must be.

    tpm2-openssl 1.1.1 adds a NULL to `ecdsa-with-SHA256`, against RFC 5758 (3.2), and authorities refuse it. The
    algorithm stands beside what is signed and not in it.
    """
    before, found, after = der.partition(_WITH_NULL)
    if not found:
        return der
    long_form = 0x80
    header = 2 + (der[1] - long_form if der[1] >= long_form else 0)  # the tag, and one or more bytes of length
    body = before[header:] + _AS_IT_MUST_BE + after
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    length = size if len(body) < long_form else bytes([long_form + len(size)]) + size
    return der[:1] + length + body


def _openssl(*words: str) -> bytes:
    try:
        done = subprocess.run(
            ["openssl", *words], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=WITHIN_S
        )
    except FileNotFoundError as error:
        msg = "openssl is not installed on this machine: install the package openssl"
        raise KeyNotHeld(msg) from error
    except subprocess.TimeoutExpired as error:
        msg = f"openssl did not answer within {WITHIN_S:g} s: does the TPM?"
        raise KeyNotHeld(msg) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        msg = f"openssl cannot use the key: {said[0] if said else 'it does not say why'}"
        raise KeyNotHeld(msg)
    return done.stdout
