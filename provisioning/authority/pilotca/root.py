"""The root, on a machine without a network: it signs the two intermediates of an office, and takes one back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from agent.durable import put_whole
from pilotca import certificates
from pilotca.certificates import Revocation, Signer, Wanted
from pilotca.errors import Refused
from pilotca.files import read_bounded
from pilotca.fingerprint import check_read_out
from pilotca.keys import new_key, open_key
from pilotca.register import Register
from pilotca.requests import Request

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pilotca.kinds import Branch

KEY, CERT, CRL = "root.key", "root.crt", "root.crl.pem"


class Root:
    """The root in a folder, for the one who holds its lock."""

    def __init__(self, folder: Path, now: datetime) -> None:
        """Read what is there.

        Raises:
            Refused: it is not as it was written, or the clock is wrong.
        """
        self._folder = folder
        self._now = now
        self._register = Register(folder)
        self._register.check_clock(now)

    def create(self, org: str, passphrase: bytes) -> x509.Certificate:
        """Make it, once.

        Raises:
            Refused: there is one already.
            OSError: it cannot be written.
        """
        if (self._folder / CERT).exists():
            msg = f"there is a root in {self._folder} already: it is made once"
            raise Refused(msg)
        key = new_key(self._folder / KEY, passphrase)  # of a root that was never finished, perhaps: nothing knows it
        serial = x509.random_serial_number()
        cert = certificates.root(key, org, serial, self._now)
        self._register.add(self._now, "root", org=org, serial=f"{serial:x}", pem=certificates.pem(cert).decode())
        put_whole(self._folder / CERT, certificates.pem(cert), 0o644)
        return cert

    def sign(self, request: Path, branch: Branch, compared: str, passphrase: bytes) -> bytes:
        """Sign an intermediate of an office.

        Args:
            request: What the office asks for.
            branch: What for.
            compared: The fingerprint of its key as the office read it out, or the first characters of it.
            passphrase: Opens the root's key.

        Raises:
            Refused: it is not what the office read out, or the root cannot sign it.
            OSError: the register cannot be written.
        """
        asked, (cert, org) = Request.read(request), self._own()
        check_read_out(asked.key, compared, request)
        if asked.name != f"{org} {branch}":
            msg = f"{request} asks for {asked.name[:80]!r}, but this root signs {f'{org} {branch}'!r} there"
            raise Refused(msg)
        serial = x509.random_serial_number()
        signer = Signer(cert, open_key(self._folder / KEY, passphrase))
        signed = certificates.pem(
            certificates.intermediate(signer, branch, Wanted(asked.name, asked.key, serial), self._now)
        )
        self._register.add(self._now, "intermediate", branch=branch, serial=f"{serial:x}", pem=signed.decode())
        return signed

    def revoke(self, serial: int | None, reason: x509.ReasonFlags, passphrase: bytes) -> Path:
        """Take an intermediate back, or none and only write the list anew.

        Raises:
            Refused: the root never signed it, or took it back before.
            OSError: it cannot be written.
        """
        cert, _ = self._own()
        signer = Signer(cert, open_key(self._folder / KEY, passphrase))
        if serial is not None:
            if f"{serial:x}" not in {line["serial"] for line in self._register.of("intermediate")}:
                msg = f"this root signed no intermediate with the serial number {serial:x}"
                raise Refused(msg)
            if f"{serial:x}" in {line["serial"] for line in self._register.of("revoked")}:
                msg = f"the intermediate {serial:x} is revoked already"
                raise Refused(msg)
            self._register.add(self._now, "revoked", serial=f"{serial:x}", reason=reason.name)
        revoked = [
            Revocation(int(line["serial"], 16), self._now.fromisoformat(line["at"]), x509.ReasonFlags[line["reason"]])
            for line in self._register.of("revoked")
        ]
        number = 1 + sum(1 for _ in self._register.of("list"))
        self._register.add(self._now, "list", number=number)
        crl = certificates.revocation_list(signer, number, revoked, self._now)
        put_whole(self._folder / CRL, crl.public_bytes(serialization.Encoding.PEM), 0o644)
        return self._folder / CRL

    def _own(self) -> tuple[x509.Certificate, str]:
        made = next(self._register.of("root"), None)
        if made is None or not (self._folder / CERT).exists():
            msg = f"there is no root in {self._folder}: make one with `authority root new`"
            raise Refused(msg)
        content = read_bounded(self._folder / CERT)
        if content != made["pem"].encode():
            msg = f"{self._folder / CERT} is not the certificate that the register names: take it from a copy"
            raise Refused(msg)
        return x509.load_pem_x509_certificate(content), str(made["org"])
