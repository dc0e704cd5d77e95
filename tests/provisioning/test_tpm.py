"""What a key in a TPM takes is on the units that have one, and on no other."""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING

import pytest

from tests.provisioning.provisioner import PROVISIONING, call

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

REFUSED = 2
HELD = "-----BEGIN TSS2 PRIVATE KEY-----\nMIHyBgZngQUKAQOg\n-----END TSS2 PRIVATE KEY-----\n"
A_FILE = "-----BEGIN " + "PRIVATE KEY-----\nMIGHAgEAMBMGByqG\n"
INSTALLED = "getent() { echo tss:x:1; }; dpkg-query() { echo installed; }\n"


class Machine:
    """A unit's folders; the step runs in them as whoever runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tls = folder / "tls"
        self.tls.mkdir()

    def step(self, besides: str = INSTALLED, device: str = "/dev/null") -> CompletedProcess[str]:
        me = f"{pwd.getpwuid(os.getuid()).pw_name}:{grp.getgrgid(os.getgid()).gr_name}"
        script = f"""TLS=$WORK/tls TPM_DEVICE={device} TPM_OPENSSL=$WORK/openssl.cnf TPM_DROP_INS=$WORK/systemd
systemctl() {{ return 1; }}
copy_file() {{ put_file "$1" {me} "$3" <"$2"; }}
{besides}tpm_step; echo "$CHANGES changes"
"""
        return call(self.folder, script)

    @property
    def installed(self) -> set[str]:
        systemd = self.folder / "systemd"
        return {str(path.relative_to(systemd)) for path in systemd.rglob("*") if path.is_file()}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


ALL = {"safepoint-agent.service.d/tpm.conf", "dev-tpmrm0.device.d/timeout.conf"}


def test_a_key_that_is_a_file_takes_nothing(machine: Machine) -> None:
    (machine.tls / "key.pem").write_text(A_FILE)
    assert machine.step().stdout == "0 changes\n"
    assert machine.installed == set()


@pytest.mark.parametrize("where", ["key.pem", "a/key.pem", "b/key.pem"])
def test_a_key_in_a_tpm_is_found_wherever_the_unit_keeps_its_keys(machine: Machine, where: str) -> None:
    (machine.tls / where).parent.mkdir(exist_ok=True)
    (machine.tls / where).write_text(HELD)
    assert "3 changes" in machine.step().stdout
    assert machine.installed == ALL
    provided = PROVISIONING / "authority/tpm/openssl.cnf"
    assert (machine.folder / "openssl.cnf").read_text() == provided.read_text()
    assert machine.step().stdout == "0 changes\n", "a second run changes nothing"


def test_a_key_that_the_configuration_names_elsewhere_is_found(machine: Machine) -> None:
    (machine.folder / "mine.pem").write_text(HELD)
    config = f'uplink:\n  cert_file: x.pem\n  key_file: "{machine.folder}/mine.pem" # in the TPM\n'
    (machine.folder / "unit.yaml").write_text(config)
    assert "3 changes" in machine.step().stdout
    assert machine.installed == ALL


def test_a_unit_that_goes_back_to_a_file_loses_it(machine: Machine) -> None:
    (machine.tls / "key.pem").write_text(HELD)
    machine.step()
    (machine.folder / "systemd/safepoint-agent.service.d/mine.conf").write_text("# an engineer's own\n")
    (machine.tls / "key.pem").write_text(A_FILE)
    assert "2 changes" in machine.step().stdout
    assert machine.installed == {"safepoint-agent.service.d/mine.conf"}


@pytest.mark.parametrize(
    ("besides", "device", "fix"),
    [
        ("getent() { return 2; }; dpkg-query() { echo installed; }\n", "/dev/null", "apt-get install tpm2-openssl"),
        ("getent() { echo tss; }; dpkg-query() { return 1; }\n", "/dev/null", "apt-get install tpm2-openssl"),
        (INSTALLED, "/dev/no-tpm", "dtoverlay="),
    ],
)
def test_without_a_way_to_the_tpm_it_says_what_is_missing_and_leaves_the_service_as_it_was(
    machine: Machine, besides: str, device: str, fix: str
) -> None:
    (machine.tls / "key.pem").write_text(HELD)
    ended = machine.step(besides, device)
    assert ended.returncode == REFUSED
    assert fix in ended.stdout + ended.stderr
    assert machine.installed == set(), "a service whose group is unknown would not start at all"


def test_the_step_comes_after_the_services_which_a_missing_tpm_must_not_keep_away() -> None:
    steps = (PROVISIONING / "provision.sh").read_text().partition("STEPS=(")[2].partition(")")[0].split()
    assert steps.index("tpm") > steps.index("services")
