"""A bundle: the wheels of one version for one kind of machine, in one signed file.

    SAFEPOINT-UPDATE 1
    <signature of the two other lines: Ed25519, Base64>
    <manifest: JSON, one line>
    <the wheels, one after the other, as long as the manifest says>

Nothing is understood, and nothing is written, before the signature is found good: what comes before that is three
lines with a bound. `head -n 3` shows what a bundle is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import IO, TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import ValidationError

from agent.update.manifest import Manifest, WheelFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAGIC = b"SAFEPOINT-UPDATE 1\n"
MAX_SIGNATURE_LINE = 128
MAX_MANIFEST_LINE = 64 * 1024
CHUNK_BYTES = 256 * 1024


class BundleRefused(Exception):
    """The bundle is of no use here; one sentence says why, and what to do."""


class BundleShort(BundleRefused):
    """It ends too early: it is still being copied, or the copy broke off."""


def write_bundle(out: IO[bytes], manifest: Manifest, wheels: Path, key: Ed25519PrivateKey) -> None:
    """Write and sign a bundle.

    Args:
        out: Where to.
        manifest: What it says; its files are read from `wheels`.
        wheels: The folder that they lie in.
        key: Whose public half the units have.

    Raises:
        OSError: a wheel cannot be read, or the bundle not be written.
    """
    line = manifest.model_dump_json().encode() + b"\n"
    out.write(MAGIC + base64.b64encode(key.sign(MAGIC + line)) + b"\n" + line)
    for file in manifest.files:
        with (wheels / file.name).open("rb") as wheel:
            while chunk := wheel.read(CHUNK_BYTES):
                out.write(chunk)


def read_keys(files: Iterable[Path]) -> list[Ed25519PublicKey]:
    """The public keys in these files.

    Raises:
        BundleRefused: one of them is no such key, or there is none at all.
    """
    keys = []
    for file in files:
        try:
            key = load_pem_public_key(file.read_bytes())
        except (OSError, ValueError) as error:
            msg = f"the update key {file} cannot be read ({error}): provision it again"
            raise BundleRefused(msg) from error
        if not isinstance(key, Ed25519PublicKey):
            msg = f"the update key {file} is no Ed25519 public key: provision it again"
            raise BundleRefused(msg)
        keys.append(key)
    if not keys:
        msg = "this unit has no key to check updates with: put its public half into /etc/safepoint/update-keys"
        raise BundleRefused(msg)
    return keys


def read_manifest(bundle: IO[bytes], keys: Sequence[Ed25519PublicKey]) -> Manifest:
    """What the bundle says of itself, once its signature was found good; what follows it are the wheels.

    Raises:
        BundleShort: it ends before the manifest does.
        BundleRefused: it is no bundle, or nobody signed it whom this unit knows.
    """
    magic = bundle.readline(len(MAGIC))
    if magic != MAGIC:
        if MAGIC.startswith(magic):
            raise BundleShort(_SHORT)
        msg = "it is no update of the Safe Point agent: bring the file that make-update wrote"
        raise BundleRefused(msg)
    signature, line = bundle.readline(MAX_SIGNATURE_LINE), bundle.readline(MAX_MANIFEST_LINE)
    if not line.endswith(b"\n") and len(line) < MAX_MANIFEST_LINE:
        raise BundleShort(_SHORT)
    if not any(_is_signed(signature, MAGIC + line, key) for key in keys):
        msg = "nobody signed it whom this unit knows: it was changed, or made for other units"
        raise BundleRefused(msg)
    try:
        return Manifest.model_validate_json(line)
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(str(part) for part in wrong["loc"])
        msg = f"its manifest cannot be used ({where}: {wrong['msg']}): build it again"
        raise BundleRefused(msg) from error


def unpack(bundle: IO[bytes], manifest: Manifest, folder: Path) -> list[Path]:
    """Write the wheels into a folder; returns them in their order.

    Args:
        bundle: Read up to its manifest.
        manifest: What it said.
        folder: An empty one.

    Raises:
        BundleShort: it ends too early.
        BundleRefused: it is not what its manifest says.
        OSError: the disk does not take it.
    """
    wheels = [_unpack_one(bundle, file, folder) for file in manifest.files]
    if bundle.read(1):
        msg = "it goes on after its last wheel: the copy is damaged, bring it again"
        raise BundleRefused(msg)
    return wheels


_SHORT = "it ends too early: the copy broke off, bring it again"


def _is_signed(line: bytes, signed: bytes, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(base64.b64decode(line.strip(), validate=True), signed)
    except (InvalidSignature, binascii.Error):
        return False
    return True


def _unpack_one(bundle: IO[bytes], file: WheelFile, folder: Path) -> Path:
    path, left, digest = folder / file.name, file.bytes, hashlib.sha256()
    with path.open("xb") as out:
        while left:
            chunk = bundle.read(min(CHUNK_BYTES, left))
            if not chunk:
                raise BundleShort(_SHORT)
            digest.update(chunk)
            out.write(chunk)
            left -= len(chunk)
    if digest.hexdigest() != file.sha256:
        msg = f"{file.name} in it is damaged: bring it again"
        raise BundleRefused(msg)
    return path
