"""What two people read to each other: that the key on the stick is the one that was meant."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import serialization

from pilotca.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

AT_LEAST: Final = 16
"""Characters that are compared: 64 bits, of a key that somebody would have to make to fit within the ceremony."""


def fingerprint(key: PublicKeyTypes) -> str:
    """The SHA-256 of a public key, in groups that can be read aloud."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = hashlib.sha256(der).hexdigest()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def check_read_out(key: PublicKeyTypes, said: str, file: Path) -> None:
    """Refuse a key whose fingerprint was read out otherwise.

    Args:
        key: The key that came.
        said: Its fingerprint as it was read out, or the first characters of it.
        file: Where it came in, for the sentence.

    Raises:
        Refused: it is another key, or too little was read out.
    """
    actual, heard = fingerprint(key).replace(" ", ""), said.replace(" ", "").lower()
    if len(heard) < AT_LEAST:
        msg = f"--fingerprint must have the first {AT_LEAST} characters at least"
        raise Refused(msg)
    if not hmac.compare_digest(actual[: len(heard)].encode(), heard.encode()) or len(heard) > len(actual):
        msg = f"the key in {file} is another one than was read out to you: somebody changed it on its way"
        raise Refused(msg)
