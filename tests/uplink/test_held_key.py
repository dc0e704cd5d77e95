"""A key that somebody else keeps: the request is openssl's, the proof is ours."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AttributeOID

from agent.enrolment import Purpose, Token, proves
from agent.uplink.held_key import KeyNotHeld, request_for_held_key, without_null

if TYPE_CHECKING:
    from pathlib import Path

FROM_A_TPM = (
    "MIIBNjCB3AIBADARMQ8wDQYDVQQDDAZoay0wMDEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATOInHVMBngROrvfH2cQ3/6"
    "GNY6G5U/OsGb5td4a3IrgB8QwBsC7AFFwUw0jqz81L4io3RW7EueZqncJGT0l8QkoGkwZwYJKoZIhvcNAQkHMVoMWHZ4Y2hM"
    "citzb2dtOE5WRTM1bEVMdFpoVnMyWENuWWpPeDdoMzBlSEJCVDJXY05jQkd6MVd5R3lvdk1VWG9YTEUrQkpLTjVPRjFtejh2"
    "L1dnckFKRERRPT0wDAYIKoZIzj0EAwIFAANHADBEAiARilpMYAwDGxIAm5S3BGdxV4A95aD8QKxw6Lu/G4ZS8QIgBoBUzNmg"
    "Ybth2XsCMz0f5kMLJaqEIM8MwOFwg0KmyuM="
)


def made(folder: Path, *kind: str) -> Path:
    """A key as openssl writes it."""
    path = folder / "held.pem"
    subprocess.run(["openssl", "genpkey", *kind, "-out", path], check=True, capture_output=True)
    return path


def test_a_request_for_a_key_that_only_openssl_opens(tmp_path: Path) -> None:
    key = made(tmp_path, "-algorithm", "EC", "-pkeyopt", "group:P-256")
    token = Token.new()
    csr = x509.load_pem_x509_csr(request_for_held_key(key, "hk-001", token))
    public = csr.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert csr.is_signature_valid
    assert csr.subject.rfc4514_string() == "CN=hk-001"
    proof = csr.attributes.get_attribute_for_oid(AttributeOID.CHALLENGE_PASSWORD).value.decode()
    assert proves(proof, token.public_half, Purpose.MQTT, "hk-001", public)
    plain = x509.load_pem_x509_csr(request_for_held_key(key, "hk-001"))
    assert (list(plain.attributes), plain.is_signature_valid) == ([], True)


def test_a_key_that_openssl_cannot_use_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyNotHeld, match="is no P-256 key"):
        request_for_held_key(made(tmp_path, "-algorithm", "ED25519"), "hk-001")
    blob = tmp_path / "blob.pem"
    blob.write_text("-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n", encoding="ascii")
    with pytest.raises(KeyNotHeld, match=r"openssl cannot use the key: .+"):
        request_for_held_key(blob, "hk-001")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KeyNotHeld, match="install the package openssl"):
        request_for_held_key(blob, "hk-001")


def test_a_request_that_a_tpm_wrote_amiss_is_put_right() -> None:
    """Byte for byte from tpm2-openssl 1.1.1, which adds a NULL to the algorithm."""
    csr = x509.load_der_x509_csr(without_null(base64.b64decode(FROM_A_TPM)))
    assert csr.is_signature_valid
    with pytest.raises(ValueError, match="ExtraData"):
        x509.load_der_x509_csr(base64.b64decode(FROM_A_TPM)).is_signature_valid  # noqa: B018 - parsing is what fails
    good = csr.public_bytes(serialization.Encoding.DER)
    assert without_null(good) == good
