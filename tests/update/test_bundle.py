"""A bundle is read only as far as it is trusted, and is what its signature covers or nothing."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from agent.update.bundle import MAGIC, BundleRefused, BundleShort, read_keys, read_manifest, unpack, write_bundle
from agent.update.manifest import Manifest, WheelFile

if TYPE_CHECKING:
    from pathlib import Path

KEY = Ed25519PrivateKey.generate()
CONTENTS = {"one-1-py3-none-any.whl": b"one" * 1000, "two-2-py3-none-any.whl": b"two" * 500}


@pytest.fixture
def bundle(tmp_path: Path) -> bytes:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name, content in CONTENTS.items():
        (wheels / name).write_bytes(content)
    files = tuple(
        WheelFile(name=name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in CONTENTS.items()
    )
    manifest = Manifest(version="1.2.3", minimum="1.0.0", machine="aarch64", python="3.13", files=files)
    out = io.BytesIO()
    write_bundle(out, manifest, wheels, KEY)
    return out.getvalue()


def taken(content: bytes, folder: Path) -> list[Path]:
    """Read a bundle to its end."""
    folder.mkdir()
    reading = io.BytesIO(content)
    return unpack(reading, read_manifest(reading, [KEY.public_key()]), folder)


def test_what_was_put_in_comes_out(bundle: bytes, tmp_path: Path) -> None:
    wheels = taken(bundle, tmp_path / "out")
    assert {wheel.name: wheel.read_bytes() for wheel in wheels} == CONTENTS


def test_no_byte_of_it_can_be_another(bundle: bytes, tmp_path: Path) -> None:
    header = bundle.index(b"}\n", bundle.index(b'"files"')) + 2
    places = [*range(header), *range(header, len(bundle), 331), len(bundle) - 1]
    for place in places:
        changed = bytearray(bundle)
        changed[place] ^= 1
        with pytest.raises(BundleRefused):
            taken(bytes(changed), tmp_path / f"out-{place}")


def test_wherever_it_ends_too_early_it_is_known_for_a_copy_that_broke_off(bundle: bytes, tmp_path: Path) -> None:
    header = bundle.index(b"}\n", bundle.index(b'"files"')) + 2
    for length in (0, 5, len(MAGIC), len(MAGIC) + 10, header - 1, header, header + 7, len(bundle) - 1):
        with pytest.raises(BundleShort):
            taken(bundle[:length], tmp_path / f"out-{length}")


def test_what_follows_its_end_is_refused(bundle: bytes, tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match="goes on after its last wheel"):
        taken(bundle + b"x", tmp_path / "out")


def test_any_of_a_units_keys_will_do_and_no_other(bundle: bytes) -> None:
    old = Ed25519PrivateKey.generate().public_key()
    assert read_manifest(io.BytesIO(bundle), [old, KEY.public_key()]).version == "1.2.3"
    with pytest.raises(BundleRefused, match="nobody signed it whom this unit knows"):
        read_manifest(io.BytesIO(bundle), [old])


def test_something_else_is_no_bundle() -> None:
    with pytest.raises(BundleRefused, match="it is no update of the Safe Point agent"):
        read_manifest(io.BytesIO(b"PK\x03\x04 a zip file, and much more of it"), [KEY.public_key()])


def test_nothing_is_understood_before_the_signature_is_good() -> None:
    line = b'{"version": "not even a manifest"}\n'
    forged = MAGIC + base64.b64encode(b"\0" * 64) + b"\n" + line
    with pytest.raises(BundleRefused, match="nobody signed it"):
        read_manifest(io.BytesIO(forged), [KEY.public_key()])
    signed = MAGIC + base64.b64encode(KEY.sign(MAGIC + line)) + b"\n" + line
    with pytest.raises(BundleRefused, match="its manifest cannot be used"):
        read_manifest(io.BytesIO(signed), [KEY.public_key()])


def test_a_later_kind_of_manifest_may_say_more() -> None:
    line = (
        b'{"version":"1.0.0","minimum":"0.0.0","machine":"aarch64","python":"3.13","note":"new",'
        b'"files":[{"name":"a-1.whl","bytes":1,"sha256":"' + b"0" * 64 + b'"}]}\n'
    )
    signed = MAGIC + base64.b64encode(KEY.sign(MAGIC + line)) + b"\n" + line
    assert read_manifest(io.BytesIO(signed), [KEY.public_key()]).version == "1.0.0"


@pytest.mark.parametrize("name", ["../../etc/passwd.whl", "/a.whl", ".hidden.whl", "a/b.whl", "a.whl\n", "a.py", ""])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    with pytest.raises(ValidationError):
        WheelFile(name=name, bytes=1, sha256="0" * 64)


def test_a_key_of_another_kind_is_named(tmp_path: Path) -> None:
    file = tmp_path / "p256.pem"
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    file.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(BundleRefused, match=r"p256\.pem is no Ed25519 public key"):
        read_keys([file])
    file.write_text("nonsense")
    with pytest.raises(BundleRefused, match=r"p256\.pem cannot be read"):
        read_keys([file])
