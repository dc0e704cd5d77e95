"""Which machine can become a unit, and who must not be able to come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.provisioning.provisioner import call

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("arch", "model", "fits"),
    [
        ("arm64", "Raspberry Pi 5 Model B Rev 1.0", True),
        ("arm64", "Raspberry Pi Compute Module 4 Rev 1.1", True),
        ("armhf", "Raspberry Pi 4 Model B Rev 1.5", False),
        ("arm64", "Radxa ROCK 5B", False),
        ("amd64", "", False),
    ],
)
def test_a_unit_is_a_raspberry_pi_with_the_64_bit_system(tmp_path: Path, arch: str, model: str, *, fits: bool) -> None:
    assert (call(tmp_path, f'is_our_board {arch} "{model}"').returncode == 0) is fits


@pytest.mark.parametrize(
    ("system", "fits"),
    [("debian bookworm", True), ("debian trixie", True), ("debian bullseye", False), ("ubuntu noble", False)],
)
def test_the_system_is_bookworm_or_trixie(tmp_path: Path, system: str, *, fits: bool) -> None:
    assert (call(tmp_path, f'is_our_system "{system}"').returncode == 0) is fits


@pytest.mark.parametrize(
    ("told", "power"),
    [
        ("throttled=0x0", "good"),
        ("throttled=0x50005", "weak-now"),
        ("throttled=0x50000", "weak-before"),
        ("throttled=0x80008", "good"),  # too warm, which is not the supply's fault
        ("VCHI initialization failed", "unknown"),
    ],
)
def test_too_little_voltage_is_seen(tmp_path: Path, told: str, power: str) -> None:
    assert call(tmp_path, f'power_by "{told}"').stdout == power


def test_an_account_without_a_password_is_refused(tmp_path: Path) -> None:
    told = call(tmp_path, "open_accounts", "root L 2026-01-01 0 99999 7 -1\npi NP 2026-01-01 0 99999 7 -1\n").stdout
    assert "the account pi has an empty password" in told
    assert "root" not in told


@pytest.mark.parametrize(
    ("shell", "password", "refused"),
    [("/bin/bash", "P", True), ("/bin/bash", "NP", True), ("/bin/bash", "L", False), ("/usr/sbin/nologin", "P", False)],
)
def test_the_image_s_own_user_is_refused_until_he_is_locked_or_gone(
    tmp_path: Path, shell: str, password: str, *, refused: bool
) -> None:
    fake = (
        f"getent() {{ echo 'pi:x:1000:1000::/home/pi:{shell}'; }}\n"
        f"passwd() {{ echo 'pi {password} 2026-01-01 0 99999 7 -1'; }}\ndefault_user_at_fault pi"
    )
    told = call(tmp_path, fake)
    assert told.returncode == 0
    assert ("deluser --remove-home pi" in told.stdout and "passwd --lock pi" in told.stdout) is refused


@pytest.mark.parametrize(
    ("status", "half"),
    [
        ("ii ", False),
        ("rc ", False),
        ("un ", False),
        ("hi ", False),
        ("iU ", True),
        ("iF ", True),
        ("iHR", True),
        ("it ", True),
    ],
)
def test_a_package_that_a_power_cut_left_half_installed_is_seen(tmp_path: Path, status: str, *, half: bool) -> None:
    fake = f"dpkg-query() {{ printf '%s\\n' 'ii |bash' '{status}|numpy'; }}\nhalf_installed"
    assert (call(tmp_path, fake).stdout == "numpy\n") is half
