"""What can sign footage: judged when it is installed, not when a court asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.media_identity import MediaIdentity, MediaIdentityUnusable

if TYPE_CHECKING:
    from pathlib import Path

Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def pair(name: str, above: Pair | None = None, curve: ec.EllipticCurve | None = None) -> Pair:
    """A certificate and its key, signed by the one above or by itself."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    at = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above[0].subject if above else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(at + timedelta(days=1))
    )
    return builder.sign(above[1] if above else key, hashes.SHA256()), key


def pem(*certs: Pair) -> bytes:
    return b"".join(cert.public_bytes(serialization.Encoding.PEM) for cert, _ in certs)


def key_of(owner: Pair) -> bytes:
    return owner[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


ROOT = pair("root")
BRANCH = pair("branch", ROOT)
UNIT = pair("hk-001", BRANCH)


def test_what_was_put_is_read_again_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "tls" / "media.pem"
    MediaIdentity.of(key_of(UNIT), pem(UNIT, BRANCH)).put(path)
    read = MediaIdentity.read(path)
    assert read.name == "hk-001"
    assert read.chain_pem == pem(UNIT, BRANCH)
    assert read.key.private_numbers() == UNIT[1].private_numbers()
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_validator_would_refuse_is_refused_at_once() -> None:
    low = [BRANCH]
    for number in range(4):
        low.insert(0, pair(f"branch {number}", low[0]))
    large = pair("hk-001", BRANCH, ec.SECP384R1())
    for key, certs, told in (
        (key_of(UNIT), pem(UNIT, BRANCH, ROOT), "the root must not be among"),
        (key_of(UNIT), pem(UNIT, pair("other", ROOT)), "must be followed by"),
        (key_of(UNIT), pem(BRANCH, UNIT), "not that of the key"),
        (key_of(BRANCH), pem(UNIT, BRANCH), "not that of the key"),
        (key_of(low[0]), pem(*low), "there are 5 certificates"),
        (key_of(large), pem(large, BRANCH), "no P-256 key"),
        (b"nonsense", pem(UNIT), "cannot be read"),
        (key_of(UNIT), b"nonsense", "cannot be read"),
    ):
        with pytest.raises(MediaIdentityUnusable, match=told):
            MediaIdentity.of(key, certs)
