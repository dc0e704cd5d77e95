"""`provisioning/make-update`: keys and refusals. What it builds is installed for real by `./dev nspawn`."""

from __future__ import annotations

import hashlib
import stat
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from agent.update.bundle import write_bundle
from agent.update.manifest import Manifest, WheelFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PROGRAM = Path(__file__).parents[2] / "provisioning/make-update"


def make_update(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(PROGRAM), *argv], capture_output=True, text=True, check=False)


def test_a_key_is_for_its_owners_eyes_and_is_never_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "release.key"
    assert make_update("new-key", str(key)).returncode == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "PUBLIC KEY" in (tmp_path / "release.pem").read_text()
    before = key.read_bytes()
    again = make_update("new-key", str(key))
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "exists: units know its public half, so it is never overwritten" in again.stderr
    assert key.read_bytes() == before


def test_a_bundle_shows_what_it_is_to_those_who_have_its_key(tmp_path: Path) -> None:
    make_update("new-key", str(tmp_path / "release.key"))
    make_update("new-key", str(tmp_path / "other.key"))
    wheel = tmp_path / "a-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    file = WheelFile(name=wheel.name, bytes=5, sha256=hashlib.sha256(b"wheel").hexdigest())
    manifest = Manifest(version="1.2.3", minimum="1.0.0", machine="aarch64", python="3.13", files=(file,))
    key = load_pem_private_key((tmp_path / "release.key").read_bytes(), None)
    with (tmp_path / "it.update").open("wb") as out:
        write_bundle(out, manifest, tmp_path, key)  # type: ignore[arg-type] # new-key makes no other kind
    shown = make_update("show", "--key", str(tmp_path / "release.pem"), str(tmp_path / "it.update"))
    assert Manifest.model_validate_json(shown.stdout) == manifest
    refused = make_update("show", "--key", str(tmp_path / "other.pem"), str(tmp_path / "it.update"))
    assert refused.returncode == 2
    assert refused.stderr == (
        "make-update: nobody signed it whom this unit knows: it was changed, or made for other units\n"
    )


def test_without_a_private_key_nothing_is_built(tmp_path: Path) -> None:
    (tmp_path / "nonsense").write_text("nonsense")
    built = make_update("build", "--key", str(tmp_path / "nonsense"), str(tmp_path))
    assert built.returncode == 2
    assert "nonsense is no Ed25519 private key: make one with `make-update new-key`" in built.stderr


@pytest.fixture(scope="module")
def program() -> Iterator[ModuleType]:
    loader = SourceFileLoader("make_update", str(PROGRAM))
    spec = spec_from_loader("make_update", loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules["make_update"] = module  # where its dataclasses look themselves up
    try:
        loader.exec_module(module)
        yield module
    finally:
        del sys.modules["make_update"]


def test_of_a_pinned_package_only_the_files_whose_sums_are_pinned_are_sent(program: ModuleType, tmp_path: Path) -> None:
    listed = tmp_path / "constraints.txt"
    digest = hashlib.sha256(b"right").hexdigest()
    listed.write_text(f"# made\nzope-interface==1.0 \\\n    --hash=sha256:{digest}\n")
    pins = program.Pins.read([listed])
    assert pins.versions == {"zope-interface": "1.0"}
    wheel, other = tmp_path / "zope.interface-1.0-py3-none-any.whl", tmp_path / "numpy-2.0-py3-none-any.whl"
    wheel.write_bytes(b"right")
    other.write_bytes(b"anything")
    assert (pins.check(wheel), pins.check(other)) == (True, False)
    wheel.write_bytes(b"wrong")
    with pytest.raises(program.Refused, match=r"zope\.interface-1\.0-.+ is not the file whose sum is pinned"):
        pins.check(wheel)


def test_the_pins_of_the_units_are_read_whole(program: ModuleType) -> None:
    for suite in ("cp311", "cp313"):
        lists = [PROGRAM.parent / f"constraints-{kind}{suite}.txt" for kind in ("", "verifier-")]
        pins = program.Pins.read(lists)
        text = "".join(listed.read_text(encoding="utf-8") for listed in lists)
        assert len(pins.versions) == text.count("==") > 20
        assert len(pins.sums) == text.count("--hash=sha256:")


def test_pins_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    make_update("new-key", str(tmp_path / "release.key"))
    built = make_update(
        *("build", "--key", str(tmp_path / "release.key"), "--constraints", str(tmp_path / "nowhere"), str(tmp_path))
    )
    assert built.returncode == 2
    assert built.stderr == f"make-update: {tmp_path}/nowhere cannot be read: No such file or directory\n"
