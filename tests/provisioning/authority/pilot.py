"""A pilot's root, office and units, each called as people call them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pilotca.__main__ import main as authority
from pilotca.fingerprint import fingerprint
from pilotca.requests import Request

from agent.cli.main import main as safepoint
from fakes.authority import Credentials

if TYPE_CHECKING:
    import pytest

ORG: Final = "street"
ROOT_WORDS: Final = "unseen gravel tepid oboe quorum"
OFFICE_WORDS: Final = "ledger walnut pier cobalt umbrella"

UNIT: Final = """\
profile: safe-point
unit: {{id: {name}, org: street, name: Central Walk, location: "North end, opposite Boots"}}
uplink: {{broker: "mqtts://localhost", ca_file: tls/ca.crt, cert_file: tls/cert.pem, key_file: tls/key.pem}}
state_folder: state
"""


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    out: str
    err: str


def openssl(*words: object, **more: bytes) -> str:
    """What openssl says, when it agrees.

    Raises:
        AssertionError: it does not.
    """
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, check=False, **more)  # type: ignore[call-overload]
    text: str = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, text
    return text


def asked_by_openssl(folder: Path, name: str, *more: object, key: str = "P-256") -> tuple[Path, Path]:
    """A key and a request that openssl made, as on a console or broker."""
    key_file, request = folder / f"{name}.key", folder / f"{name}.csr"
    kind = ("ec", "-pkeyopt", f"ec_paramgen_curve:{key}") if key.startswith("P-") else (key,)
    words = ("-newkey", *kind, "-noenc", "-keyout", key_file, "-out", request)
    openssl("req", "-new", *words, "-subj", f"/CN={name}", *more)
    return key_file, request


class Pilot:
    """A root on its medium and an office on its machine."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.office = folder / "office"
        self._capsys = capsys

    def call(self, *told: object, words: str | None = None, office: bool = True) -> Told:
        """Say something to `authority`, and these words when it asks for a passphrase."""
        said = [*map(str, told)]
        if office:
            said += ["--folder", str(self.office)]
        if words is not None:
            reads, writes = os.pipe()
            os.write(writes, words.encode() + b"\n")
            os.close(writes)
            try:
                return self._told(authority([*said, "--passphrase-fd", str(reads)]))
            finally:
                os.close(reads)
        return self._told(authority(said))

    def _told(self, code: int) -> Told:
        said = self._capsys.readouterr()
        return Told(code, said.out, said.err)

    def work(self, *words: object) -> str:
        """Say something to the office that it does.

        Raises:
            AssertionError: it did not.
        """
        told = self.call(*words, words=OFFICE_WORDS)
        assert told.code == 0, told.err
        return told.out

    def refusal(self, *words: object) -> str:
        """Say something to the office that it refuses: one sentence, and nothing else."""
        before = self.register()
        told = self.call(*words, words=OFFICE_WORDS)
        assert (told.code, told.out, told.err.count("\n")) == (2, "", 1), told
        assert self.register() == before
        return told.err

    def register(self) -> bytes:
        """What the office has written down."""
        return (self.office / "register.jsonl").read_bytes()

    def begin(self) -> None:
        """The ceremony: a root, an office, and the root's signature on the office's two requests."""
        root = ("--folder", self.root)
        told = self.call("root", "new", "--org", ORG, *root, words=ROOT_WORDS, office=False)
        assert told.code == 0, told.err
        read_out_at_root = told.out.split("Read out at the office: ")[1].strip()
        self.work("open", "--org", ORG)
        for branch in ("units", "media"):
            asked = self.office / f"{branch}.csr"
            read_out = fingerprint(Request.read(asked).key)
            words = (asked, "--as", branch, "--fingerprint", read_out, "--out", self.folder / f"{branch}.crt")
            told = self.call("root", "sign", *words, *root, words=ROOT_WORDS, office=False)
            assert told.code == 0, told.err
        files = ("--units", self.folder / "units.crt", "--media", self.folder / "media.crt")
        adopted = ("--root", self.root / "root.crt", "--fingerprint", read_out_at_root)
        assert "another one than was read out" in self.refusal("adopt", *adopted[:3], "0123 4567 89ab cdef", *files)
        self.work("adopt", *adopted, *files)

    def token(self, unit: str, *more: object) -> str:
        """A token on a slip of paper."""
        return self.work("token", unit, *more).splitlines()[0]

    def sign(self, request: Path) -> Path:
        """The certificate that the office made of a request."""
        return Path(self.work("sign", request).split(" is valid until ")[0])

    def unit(self, name: str) -> Unit:
        """A new unit on the bench, without any certificate."""
        unit = Unit(self.folder / "units" / name, name, self._capsys)
        unit.folder.mkdir(parents=True)
        (unit.folder / "state").mkdir()
        unit.config.write_text(UNIT.format(name=name), encoding="utf-8")
        return unit

    def enrol(self, name: str) -> Unit:
        """A unit that has its first certificate."""
        unit = self.unit(name)
        request = unit.request(self.token(name))
        told = unit.certificate("install", self.sign(request), "--ca", self.root / "root.crt")
        assert told.code == 0, told.err
        return unit

    def client(self, role: str, name: str) -> Credentials:
        """A console or the like that has its certificate."""
        key, request = asked_by_openssl(self.folder, name)
        issued = self.work("client", role, name, request).split(" is valid until ")[0]
        return Credentials(self.root / "root.crt", Path(issued), key)

    def issue_server(self) -> Credentials:
        """The broker's: as `fakes.authority.Authority` has it."""
        key, request = asked_by_openssl(self.folder, "localhost")
        issued = self.work("broker", request, "--host", "localhost", "--host", "127.0.0.1").split(" is valid until ")[0]
        return Credentials(self.office / "for-broker" / "ca.crt", Path(issued), key)


@dataclass(frozen=True)
class Unit:
    """A unit, as an engineer's terminal shows it."""

    folder: Path
    name: str
    _capsys: pytest.CaptureFixture[str]

    @property
    def config(self) -> Path:
        return self.folder / "unit.yaml"

    def certificate(self, *words: object) -> Told:
        """Say something to `safepoint certificate`."""
        code = safepoint(["certificate", *map(str, words), "--config", str(self.config)])
        said = self._capsys.readouterr()
        return Told(code, said.out, said.err)

    def request(self, token: str | None, *more: str) -> Path:
        """What goes to the office on a stick."""
        words = [*more]
        if token is not None:
            slip = self.folder / "slip.txt"
            slip.write_text(f"{token.lower()}\n", encoding="ascii")
            words += ["--token-file", str(slip)]
        told = self.certificate("request", *words)
        assert told.code == 0, told.err
        stick = self.folder / "request.csr"
        stick.write_text(told.out, encoding="ascii")
        return stick


class Template:
    """A ceremony that was held once and is copied for each story: it costs a second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def copied(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> Pilot:
        """A pilot of its own."""
        pilot = Pilot(folder, capsys)
        if not (self._folder / "office").exists():
            Pilot(self._folder, capsys).begin()
        shutil.copytree(self._folder, folder, dirs_exist_ok=True)
        return pilot
