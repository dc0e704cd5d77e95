"""What the office's register says, taken together: who has which certificate, and which tokens are out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509

from agent.enrolment import Purpose, proves
from pilotca.certificates import Revocation
from pilotca.errors import Refused
from pilotca.kinds import CLIENTS, KINDS, ROLE_OF, Branch, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilotca.requests import Request


@dataclass
class Issued:
    """A certificate that was given out."""

    role: Role
    name: str
    serial: int
    until: datetime
    pem: str
    """With the intermediate that signed it."""
    revocation: Revocation | None = None

    def counts(self, now: datetime) -> bool:
        """Whether it is still trusted."""
        return self.revocation is None and now <= self.until


@dataclass
class GivenToken:
    """A token that was given out; the office knows its public half only."""

    unit: str
    public_half: str
    until: datetime
    replaced: bool = False
    """A later one was given out, or the unit was taken back."""
    used: dict[Purpose, int] = field(default_factory=dict)
    """The serial numbers of what it was used for."""

    def is_open(self, now: datetime) -> bool:
        """Whether somebody who holds the slip can still have a certificate with it."""
        return not self.replaced and now <= self.until and len(self.used) < len(Purpose)

    def is_proved_by(self, request: Request, purpose: Purpose) -> bool:
        """Whether a request was made with it."""
        return request.proof is not None and proves(request.proof, self.public_half, purpose, request.name, request.key)


class State:
    """What is so after all that the register tells of."""

    def __init__(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Go through it."""
        self.org: str | None = None
        self.issued: dict[int, Issued] = {}
        self.tokens: list[GivenToken] = []
        self.lists: dict[Branch, int] = dict.fromkeys(Branch, 0)
        """The number of the last revocation list of each branch."""
        for line in lines:
            self._apply(line)

    def _apply(self, line: Mapping[str, Any]) -> None:
        match line["what"]:
            case "office":
                self.org = line["org"]
            case "token":
                self._withdraw(line["unit"])
                until = datetime.fromisoformat(line["until"])
                self.tokens.append(GivenToken(line["unit"], line["publicHalf"], until))
            case "withdrawn":
                self._withdraw(line["unit"])
            case "issued":
                self._issue(line)
            case "revoked":
                self._revoke(line)
            case "list":
                self.lists[Branch(line["branch"])] = line["number"]

    def _withdraw(self, unit: str) -> None:
        for token in self.tokens:
            token.replaced |= token.unit == unit

    def _issue(self, line: Mapping[str, Any]) -> None:
        serial, role, until = int(line["serial"], 16), Role(line["role"]), datetime.fromisoformat(line["until"])
        self.issued[serial] = Issued(role, line["name"], serial, until, line["pem"])
        for token in self.tokens:
            if token.public_half == line.get("token"):
                token.used[Purpose(line["purpose"])] = serial

    def _revoke(self, line: Mapping[str, Any]) -> None:
        serial, since = int(line["serial"], 16), line.get("since")
        at, reason = datetime.fromisoformat(line["at"]), x509.ReasonFlags[line["reason"]]
        lost = None if since is None else datetime.fromisoformat(since)
        self.issued[serial].revocation = Revocation(serial, at, reason, lost)

    def token_of(self, request: Request, now: datetime) -> tuple[GivenToken, Purpose]:
        """The token that a request was made with, and what the request is for.

        Raises:
            Refused: there is none that may be used.
        """
        if request.proof is None:
            msg = (
                f"the request of {request.name} was made without a token: make one with `authority token "
                f"{request.name}`, and give it to `safepoint certificate request --token` on the unit"
            )
            raise Refused(msg)
        for token in reversed(self.tokens):
            for purpose in Purpose:
                if token.is_proved_by(request, purpose):
                    self._check(token, purpose, request, now)
                    return token, purpose
        msg = (
            f"the request of {request.name} was made with no token of this office, or changed since: have it made "
            "again, with the token that was given out for this unit"
        )
        raise Refused(msg)

    def _check(self, token: GivenToken, purpose: Purpose, request: Request, now: datetime) -> None:
        if token.unit != request.name:
            msg = f"the request of {request.name} was made with the token of {token.unit}: each unit has its own"
        elif purpose in token.used:
            serial = token.used[purpose]
            msg = (
                f"this token of {token.unit} was used already, for its {purpose} certificate (`authority show "
                f"{serial:x}`): make another with `authority token {token.unit}`"
            )
        elif token.replaced:
            msg = f"this token of {token.unit} was replaced by a later one, or withdrawn: use that, or make another"
        elif now > token.until:
            msg = (
                f"this token of {token.unit} has ended on {token.until:%Y-%m-%d}: make another with `authority token "
                f"{token.unit}`"
            )
        else:
            return
        raise Refused(msg)

    def check_free(self, role: Role, name: str) -> None:
        """Refuse one name for two: the broker knows people and units by nothing else.

        Raises:
            Refused: it is somebody else's.
        """
        if role is Role.BROKER:
            return
        mine = {Role.UNIT, Role.MEDIA} if role in ROLE_OF.values() else {role}
        for each in self.issued.values():
            if each.name == name and each.role not in mine and each.role is not Role.BROKER:
                msg = f"{name} is the name of a {each.role} already: the broker would take one for the other"
                raise Refused(msg)

    def revoked(self, branch: Branch, now: datetime) -> list[Revocation]:
        """What a branch has taken back and has not ended by itself. Media never leave the list: courts look back."""
        return [
            each.revocation
            for each in self.issued.values()
            if each.revocation is not None
            and KINDS[each.role].branch is branch
            and (branch is Branch.MEDIA or now <= each.until)
        ]

    def broker_arguments(self, now: datetime) -> list[str]:
        """Who may do what on the broker, as `provisioning/broker/render.py` is told."""
        counting = [each for each in self.issued.values() if each.counts(now)]
        units = {each.name for each in counting if each.role is Role.UNIT}
        names = sorted({(CLIENTS.index(each.role), each.name) for each in counting if each.role in CLIENTS})
        return [f"--units={max(1, len(units))}", *(f"--{CLIENTS[rank]}={name}" for rank, name in names)]
