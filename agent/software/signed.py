"""What the publisher's signature says of a slot: from the head of the bundle over its wheels' RECORDs to single files.

pip writes some files itself, which no signature knows: compiled code, the programs in bin, its own notes. For them the
list alone vouches.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agent.software.listing import FOLDER
from agent.software.release import BUNDLE, NotSigned, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORDS: Final = f"{FOLDER}/records"
_RECORD: Final = re.compile(r"[^/]+\.dist-info/RECORD")
_INSIDE: Final = re.compile(r"[^/]+\.data/(purelib|platlib)/")
_ELSEWHERE: Final = re.compile(r"[^/]+\.data/")
"""Programs, whose first line pip changes, and the like."""
ASKED_WITHIN_S: Final = 60.0


def record_of(wheel: Path) -> bytes:
    """What a wheel says of its files.

    Raises:
        NotSigned: it does not say it.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(wheel) as opened:
            (name,) = (name for name in opened.namelist() if _RECORD.fullmatch(name))
            return opened.read(name)
    except (ValueError, zipfile.BadZipFile) as error:
        msg = f"{wheel.name} has no RECORD of its files"
        raise NotSigned(msg) from error


def check_signature(head: bytes, keys: Path) -> None:
    """Whether one of these keys has signed it. By OpenSSL's program: there is no cryptography in the standard library.

    Args:
        head: The three first lines of a bundle.
        keys: A folder of public keys, `*.pem`.

    Raises:
        NotSigned: none has.
        OSError: it cannot be found out.
    """
    magic, signature, manifest = lines_of(head)
    try:
        signed = base64.b64decode(signature.strip(), validate=True)
    except ValueError as error:
        msg = "the signature of its bundle is damaged"
        raise NotSigned(msg) from error
    with tempfile.TemporaryDirectory() as folder:
        said, mark = Path(folder, "said"), Path(folder, "signature")
        said.write_bytes(magic + manifest)
        mark.write_bytes(signed)
        for key in sorted(keys.glob("*.pem")):
            argv = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin"]
            done = subprocess.run(
                [*argv, "-in", str(said), "-sigfile", str(mark)],
                capture_output=True,
                check=False,
                timeout=ASKED_WITHIN_S,
            )
            if done.returncode == 0:
                return
    msg = f"no key in {keys} has signed the bundle that it came from"
    raise NotSigned(msg)


def signed_contents(slot: Path) -> dict[str, str]:
    """The SHA-256 of each file of the wheels, by its path in the slot, as the manifest vouches for it.

    Args:
        slot: With the bundle's head and the RECORDs in it. Whether the head is signed is another question.

    Raises:
        NotSigned: the manifest knows nothing of these RECORDs.
        OSError: they cannot be read.
    """
    manifest = _manifest((slot / BUNDLE).read_bytes())
    site = f"lib/python{manifest['python']}/site-packages"
    found = {}
    for wheel, digest in manifest["records"].items():
        record = (slot / RECORDS / wheel).read_bytes()
        if hashlib.sha256(record).hexdigest() != digest:
            msg = f"the RECORD of {wheel} is not the one that was signed"
            raise NotSigned(msg)
        for path, said, _ in csv.reader(io.StringIO(record.decode())):
            inside = _INSIDE.sub("", path, count=1)
            if said and not _ELSEWHERE.match(inside):  # a RECORD has no sum of itself
                found[f"{site}/{inside}"] = _digest(said)
    return found


def _digest(said: str) -> str:
    """The SHA-256 in hexadecimal of a RECORD's `sha256=BASE64`."""
    algorithm, _, value = said.partition("=")
    if algorithm != "sha256":
        msg = f"a RECORD names the unknown sum {algorithm}"
        raise NotSigned(msg)
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()


def _manifest(head: bytes) -> Mapping[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(lines_of(head)[2])
    except ValueError as error:
        msg = "its manifest cannot be read"
        raise NotSigned(msg) from error
    if not manifest.get("records"):
        msg = "its manifest does not say what is in its wheels: build it again with this version's make-update"
        raise NotSigned(msg)
    return manifest
