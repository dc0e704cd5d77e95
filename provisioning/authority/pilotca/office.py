"""The office: gives tokens out, signs what units, consoles and brokers ask for, and takes it back.

OFFICE/register.jsonl           all that was done; everything below can be made of it again
OFFICE/units.key, media.key     the keys of the two intermediates, encrypted
OFFICE/root.crt, units.crt, media.crt
OFFICE/issued/                  certificates, each with the intermediate above it
OFFICE/for-broker/              ca.crt, revoked.pem and names.args: what the broker is given
OFFICE/for-courts/              root.crt and revoked.pem: with what footage is verified
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization

from agent.durable import put_whole
from agent.enrolment import Token
from pilotca import certificates
from pilotca.certificates import Signer, Wanted, common_name
from pilotca.errors import Refused
from pilotca.files import read_bounded
from pilotca.fingerprint import check_read_out
from pilotca.keys import new_key, open_key
from pilotca.kinds import KINDS, ROLE_OF, Branch, Role, check_name
from pilotca.register import Register
from pilotca.requests import Request
from pilotca.state import Issued, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric import ec

    from agent.enrolment import Purpose

ROOT: Final = "root.crt"
TOKEN_DAYS: Final = range(1, 31)
"""A slip of paper that is older was lost, not late."""
_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
REASONS: Final = {
    "stolen": x509.ReasonFlags.key_compromise,
    "replaced": x509.ReasonFlags.superseded,
    "out-of-service": x509.ReasonFlags.cessation_of_operation,
    "unspecified": x509.ReasonFlags.unspecified,
}
"""What people say, and what it is called in revocation lists."""


class Office:
    """An office in a folder, for the one who holds its lock."""

    def __init__(self, folder: Path, now: datetime) -> None:
        """Read what is there.

        Raises:
            Refused: it is not as it was written, or the clock is wrong.
        """
        self._folder = folder
        self._now = now
        self._register = Register(folder)
        self._register.check_clock(now)

    @property
    def state(self) -> State:
        """What is so now."""
        return State(self._register.lines)

    # --- the two intermediates --------------------------------------------------------------------------------------

    def open(self, org: str, passphrase: bytes) -> dict[Branch, tuple[Path, ec.EllipticCurvePublicKey]]:
        """Make the keys of the intermediates, and the requests that go to the root.

        Raises:
            Refused: there is an office already.
            OSError: it cannot be written.
        """
        if self.state.org is not None:
            msg = f"there is an office of {self.state.org} in {self._folder} already: take another folder"
            raise Refused(msg)
        made = {}
        for branch in Branch:
            key = new_key(self._folder / f"{branch}.key", passphrase)
            subject = certificates.name_of(f"{org} {branch}")
            csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
            put_whole(self._folder / f"{branch}.csr", csr.public_bytes(serialization.Encoding.PEM), 0o644)
            made[branch] = (self._folder / f"{branch}.csr", key.public_key())
        self._register.add(self._now, "office", org=org)
        return made

    def adopt(self, root_file: Path, compared: str, files: dict[Branch, Path], passphrase: bytes) -> None:
        """Take what the root signed, and begin to work.

        Args:
            root_file: The root's certificate, which all units will trust.
            compared: The fingerprint of its key as it was read out, or the first characters of it.
            files: What the root signed.
            passphrase: Opens the office's keys.

        Raises:
            Refused: it is not what was asked for.
            OSError: it cannot be written.
        """
        if (self._folder / ROOT).exists():
            msg = f"{self._folder} has its root and works already"
            raise Refused(msg)
        org, root = self.state.org, _certificate(root_file)
        if org is None:
            msg = f"there is no office in {self._folder}: open one with `authority open`"
            raise Refused(msg)
        check_read_out(root.public_key(), compared, root_file)
        for branch, path in files.items():
            cert = _certificate(path)
            key = open_key(self._folder / f"{branch}.key", passphrase)
            if cert.public_key() != key.public_key() or common_name(cert) != f"{org} {branch}":
                msg = f"{path} is not the certificate that this office asked for as {branch}"
                raise Refused(msg)
            try:
                cert.verify_directly_issued_by(root)
            except (ValueError, TypeError, InvalidSignature) as error:
                msg = f"{path} was not signed by {root_file}"
                raise Refused(msg) from error
            put_whole(self._folder / f"{branch}.crt", certificates.pem(cert), 0o644)
        self._register.add(self._now, "adopted", root=certificates.pem(root).decode())
        for branch in Branch:
            self._write_list(branch, self._signer(branch, passphrase))
        put_whole(self._folder / ROOT, certificates.pem(root), 0o644)
        self._publish()

    # --- tokens -----------------------------------------------------------------------------------------------------

    def token(self, unit: str, days: int, what_for: str) -> tuple[Token, datetime]:
        """A one-time token for a unit; the one before it ends.

        Raises:
            Refused: it cannot be a unit's.
            OSError: it cannot be written down.
        """
        self._chain(Branch.UNITS)
        state = self.state
        state.check_free(Role.UNIT, check_name(Role.UNIT, unit))
        if days not in TOKEN_DAYS:
            msg = f"--days must be {TOKEN_DAYS[0]} to {TOKEN_DAYS[-1]}"
            raise Refused(msg)
        token, until = Token.new(), self._now + timedelta(days=days)
        facts = {"unit": unit, "publicHalf": token.public_half, "until": until.isoformat(), "for": what_for}
        self._register.add(self._now, "token", **facts)
        return token, until

    # --- certificates -----------------------------------------------------------------------------------------------

    def sign(self, file: Path, passphrase: bytes, what_for: str) -> tuple[Issued, Path]:
        """Sign what a unit asks for with its token.

        Raises:
            Refused: it is not the unit's, or not now.
            OSError: it cannot be written.
        """
        request, state = Request.read(file), self.state
        check_name(Role.UNIT, request.name)
        token, purpose = state.token_of(request, self._now)
        state.check_free(ROLE_OF[purpose], request.name)
        self._check_new_key(request)
        return self._issue(ROLE_OF[purpose], request, passphrase, what_for, used=(token.public_half, purpose))

    def client(self, role: Role, name: str, file: Path, passphrase: bytes, what_for: str) -> tuple[Issued, Path]:
        """Sign for a console, a receiver, a video system or another broker, whose request was brought here by hand.

        Raises:
            Refused: it cannot be.
            OSError: it cannot be written.
        """
        request = Request.read(file)
        if request.name != check_name(role, name):
            msg = f"{file} asks for the name {request.name[:80]!r}, not for {name}"
            raise Refused(msg)
        self.state.check_free(role, name)
        if any(each.name == name for each in self.state.issued.values() if each.role is Role.UNIT) or any(
            token.unit == name for token in self.state.tokens
        ):
            msg = f"{name} is the name of a unit already: the broker would take one for the other"
            raise Refused(msg)
        self._check_new_key(request)
        return self._issue(role, request, passphrase, what_for)

    def broker(self, hosts: Sequence[str], file: Path, passphrase: bytes, what_for: str) -> tuple[Issued, Path]:
        """Sign for a broker, by the names and addresses under which units and consoles call it.

        Raises:
            Refused: it cannot be.
            OSError: it cannot be written.
        """
        request, names = Request.read(file), [_host(host) for host in hosts]
        if request.name != hosts[0]:
            msg = f"{file} asks for the name {request.name[:80]!r}, not for {hosts[0]}"
            raise Refused(msg)
        self._check_new_key(request)
        return self._issue(Role.BROKER, request, passphrase, what_for, hosts=names)

    def _issue(  # noqa: PLR0913 - what, to whom, by whom, what for
        self,
        role: Role,
        request: Request,
        passphrase: bytes,
        what_for: str,
        *,
        hosts: Sequence[x509.GeneralName] = (),
        used: tuple[str, Purpose] | None = None,
    ) -> tuple[Issued, Path]:
        branch, serial = KINDS[role].branch, self._new_serial()
        signer = self._signer(branch, passphrase)
        cert = certificates.leaf(signer, role, Wanted(request.name, request.key, serial, hosts), self._now)
        until = cert.not_valid_after_utc
        # The root is in neither chain: whoever verifies has it from the office, by another way.
        pem = certificates.pem(cert, signer.cert).decode()
        facts = {
            "role": role,
            "name": request.name,
            "serial": f"{serial:x}",
            "until": until.isoformat(),
            "for": what_for,
        }
        if used is not None:
            facts |= {"token": used[0], "purpose": used[1]}
        self._register.add(self._now, "issued", **facts, pem=pem)
        self._publish()
        return self.state.issued[serial], self._folder / "issued" / _file(self.state.issued[serial])

    def _new_serial(self) -> int:
        """159 bits of chance (RFC 5280 allows 20 bytes); never one that was given out."""
        while (serial := x509.random_serial_number()) in self.state.issued:
            pass
        return serial

    def _check_new_key(self, request: Request) -> None:
        """Refuse a key that has or had a certificate here: it lives no longer, and a revoked one must not come back.

        Raises:
            Refused: it has one.
        """
        for each in self.state.issued.values():
            if x509.load_pem_x509_certificate(each.pem.encode()).public_key() == request.key:
                msg = (
                    f"the key in this request of {request.name} has a certificate already, {each.serial:x} of "
                    f"{each.name}: have a new key made"
                )
                raise Refused(msg)

    # --- taking back ------------------------------------------------------------------------------------------------

    def revoke(
        self, who: str, reason: x509.ReasonFlags, since: datetime | None, passphrase: bytes, what_for: str
    ) -> tuple[list[Issued], bool]:
        """Take back all certificates of a name and its open token, or the one of a serial number.

        Returns:
            The certificates, and whether there was a token: a slip may be stolen before its unit has any certificate.

        Raises:
            Refused: there is nothing that still counts.
            OSError: it cannot be written.
        """
        gone = [
            each
            for each in self.state.issued.values()
            if who in {each.name, f"{each.serial:x}"} and each.counts(self._now)
        ]
        has_slip = any(token.unit == who and token.is_open(self._now) for token in self.state.tokens)
        if not gone and not has_slip:
            msg = (
                f"no certificate that is still trusted has the name or serial number {who[:80]!r}, and no token is "
                "open for it: see `authority list`; `authority crl` signs the lists of what is revoked already"
            )
            raise Refused(msg)
        if since is not None and since > self._now:
            msg = "--since lies in the future"
            raise Refused(msg)
        signers = {branch: self._signer(branch, passphrase) for branch in {KINDS[each.role].branch for each in gone}}
        for each in gone:
            facts = {"serial": f"{each.serial:x}", "reason": reason.name, "for": what_for}
            if since is not None:
                facts["since"] = since.isoformat()
            self._register.add(self._now, "revoked", **facts)
        if has_slip:
            self._register.add(self._now, "withdrawn", unit=who, **{"for": what_for})
        for branch, signer in signers.items():
            self._write_list(branch, signer)
        self._publish()
        return gone, has_slip

    def renew_lists(self, passphrase: bytes) -> None:
        """Sign the revocation lists anew.

        Raises:
            Refused: the office does not work yet, or the passphrase is wrong.
            OSError: they cannot be written.
        """
        for branch in Branch:
            self._write_list(branch, self._signer(branch, passphrase))
        self._publish()

    def _write_list(self, branch: Branch, signer: Signer) -> None:
        state = self.state
        number = state.lists[branch] + 1
        crl = certificates.revocation_list(signer, number, state.revoked(branch, self._now), self._now)
        pem = crl.public_bytes(serialization.Encoding.PEM).decode()
        self._register.add(self._now, "list", branch=branch, number=number, pem=pem)

    # --- what is given to others ------------------------------------------------------------------------------------

    def _publish(self) -> None:
        """Write what the register tells of into files that others take: also those that a power cut left out."""
        for folder in ("issued", "for-broker", "for-courts"):
            (self._folder / folder).mkdir(mode=0o755, exist_ok=True)
        state = self.state
        for each in state.issued.values():
            path = self._folder / "issued" / _file(each)
            if not path.exists():
                put_whole(path, each.pem.encode(), 0o644)
        lists = {Branch(line["branch"]): line["pem"].encode() for line in self._register.of("list")}
        root = read_bounded(self._folder / ROOT)
        units = read_bounded(self._folder / f"{Branch.UNITS}.crt")
        names = "".join(f"{argument}\n" for argument in state.broker_arguments(self._now))
        for name, content in (
            ("for-broker/ca.crt", root + units),
            ("for-broker/revoked.pem", lists[Branch.UNITS]),
            ("for-broker/names.args", names.encode()),
            ("for-courts/root.crt", root),
            ("for-courts/revoked.pem", lists[Branch.MEDIA]),
        ):
            put_whole(self._folder / name, content, 0o644)

    def _chain(self, branch: Branch) -> x509.Certificate:
        """The certificate of a branch.

        Raises:
            Refused: the root has not signed it yet.
        """
        if not (self._folder / ROOT).exists():
            msg = (
                f"the office in {self._folder} does not work yet: run `authority open`, the root's `sign`, and `adopt`"
            )
            raise Refused(msg)
        return _certificate(self._folder / f"{branch}.crt")

    def _signer(self, branch: Branch, passphrase: bytes) -> Signer:
        path = self._folder / f"{branch}.crt"
        return Signer(_certificate(path), open_key(self._folder / f"{branch}.key", passphrase))


def _certificate(path: Path) -> x509.Certificate:
    content = read_bounded(path)
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as error:
        msg = f"{path} holds no certificate (PEM)"
        raise Refused(msg) from error


def _host(text: str) -> x509.GeneralName:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        if not _HOST.fullmatch(text):
            msg = f"{text[:80]!r} is neither a host's name nor an address"
            raise Refused(msg) from None
        return x509.DNSName(text)
    if "%" in text:
        msg = f"{text[:80]!r} is the address of one machine's interface: give it without %"
        raise Refused(msg)
    return x509.IPAddress(address)


def _file(issued: Issued) -> str:
    """A name for its file: what comes from outside in it is checked to be harmless."""
    name = issued.name.replace(":", "_")
    return f"{name}-{issued.role}-{issued.serial:x}.pem"
