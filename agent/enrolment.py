"""One-time tokens: how the office knows that a request for a certificate comes from the unit it gave a token to.

A token is 120 bits of chance on a slip of paper. Both ends make the same Ed25519 key of it. The unit signs with it what
it asks for: the purpose, its name and its own public key. The signature, 88 characters, goes into the request as its
`challengePassword` (RFC 2985, 5.4.1), where EST puts its proof too (RFC 7030, 3.5): it is part of what the unit's new
key signs, and an authority that knows nothing of tokens passes over it. So the token itself is on no USB stick and in
no mail; the office keeps the public half only, with which nobody can make a proof; and who swaps the key or the name in
a request has no proof for them.

Pure: shared by the unit (`safepoint certificate request`) and the office (`provisioning/authority`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

TOKEN_BYTES: Final = 15
"""120 bits: no computer tries them all, so nothing has to slow it down. They are 24 characters."""
GROUP: Final = 5
"""Characters between two hyphens: as many as people read at a glance."""
_BITS: Final = 5
"""Of a character."""
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: without the letters that look like digits, and without U."""
_TWINS: Final = str.maketrans("OIL", "011", "- \t\r\n")
"""What people read or type instead, and what only divides."""
_MARK: Final = b"safepoint enrolment v1\n"


class Purpose(StrEnum):
    """What a key is for. A proof for one is none for the other."""

    MQTT = "mqtt"
    MEDIA = "media"


class TokenUnreadable(ValueError):
    """Somebody mistyped a token; the text says how it should look."""


class Token:
    """A one-time token. Its text is shown once, to whoever carries it to the unit; `repr` does not show it."""

    def __init__(self, secret: bytes) -> None:
        """The token of these bytes of chance.

        Raises:
            ValueError: there are too few.
        """
        if len(secret) != TOKEN_BYTES:
            msg = f"a token has {TOKEN_BYTES} bytes"
            raise ValueError(msg)
        self._secret = secret
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(_MARK + secret).digest())

    @classmethod
    def new(cls) -> Token:
        """One that nobody had before."""
        return cls(secrets.token_bytes(TOKEN_BYTES))

    @classmethod
    def read(cls, text: str) -> Token:
        """The token that somebody typed, in capitals or not.

        Raises:
            TokenUnreadable: it is none; a slip in one character is always found.
        """
        typed = text.upper().translate(_TWINS)
        digits = [_ALPHABET.find(character) for character in typed]
        if len(typed) != TOKEN_BYTES * 8 // _BITS + 1 or -1 in digits:
            msg = f"the token must be 25 letters and digits, like {'-'.join(['XXXXX'] * GROUP)}: read it again"
            raise TokenUnreadable(msg)
        *said, check = digits
        if _check(said) != check:
            msg = "the token is mistyped: its last character does not fit the others; read it again"
            raise TokenUnreadable(msg)
        number = 0
        for digit in said:
            number = number << _BITS | digit
        return cls(number.to_bytes(TOKEN_BYTES, "big"))

    def __str__(self) -> str:
        number = int.from_bytes(self._secret, "big")
        digits = [number >> shift & (len(_ALPHABET) - 1) for shift in range(TOKEN_BYTES * 8 - _BITS, -1, -_BITS)]
        text = "".join(_ALPHABET[digit] for digit in (*digits, _check(digits)))
        return "-".join(text[start : start + GROUP] for start in range(0, len(text), GROUP))

    @property
    def public_half(self) -> str:
        """What the office keeps of it (hex). Nobody can make a proof or the token of this."""
        raw = self._key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return raw.hex()

    def proof(self, purpose: Purpose, name: str, key: ec.EllipticCurvePublicKey) -> str:
        """That who has this token asks for a certificate of this key: base64, 88 characters."""
        return base64.b64encode(self._key.sign(_said(purpose, name, key))).decode("ascii")


def proves(proof: str, public_half: str, purpose: Purpose, name: str, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether this proof was made with the token of this public half, for this purpose, name and key."""
    try:
        signature = base64.b64decode(proof, validate=True)
        ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_half)).verify(
            signature, _said(purpose, name, key)
        )
    except (binascii.Error, InvalidSignature, ValueError):
        return False
    return True


def _said(purpose: Purpose, name: str, key: ec.EllipticCurvePublicKey) -> bytes:
    public = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _MARK + f"{purpose}\n{name}\n".encode() + public


def _check(digits: list[int]) -> int:
    """One character more. Its weights are odd: no change of one character leaves the sum, modulo 32, as it was."""
    return sum((2 * place + 1) * digit for place, digit in enumerate(digits)) % len(_ALPHABET)
