"""Which machine can become a unit, and who must not be able to come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.provisioning.provisioner import call

if TYPE_CHECKING:
    from pathlib import Path

SSHD = "permitrootlogin no\npasswordauthentication {0}\nkbdinteractiveauthentication {1}\npermitemptypasswords no\n"


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


@pytest.mark.parametrize(("passwords", "keyboard"), [("yes", "no"), ("no", "yes"), ("unknown", "no")])
def test_ssh_with_passwords_is_refused_with_the_fix(tmp_path: Path, passwords: str, keyboard: str) -> None:
    told = call(tmp_path, "sshd_at_fault", SSHD.format(passwords, keyboard)).stdout
    assert "SSH takes passwords" in told
    assert "PasswordAuthentication no" in told


def test_ssh_with_keys_alone_is_fine(tmp_path: Path) -> None:
    assert call(tmp_path, "sshd_at_fault", SSHD.format("no", "no")).stdout == ""


def test_one_user_whose_rule_allows_passwords_is_enough(tmp_path: Path) -> None:
    told = call(tmp_path, "sshd_at_fault", SSHD.format("no", "no") + SSHD.format("yes", "no")).stdout
    assert told.count("SSH takes passwords") == 1


@pytest.mark.parametrize("match", ["Match Address 192.168.0.0/16", "match user engineer", "Match all"])
def test_a_rule_for_some_addresses_that_allows_passwords_is_refused(tmp_path: Path, match: str) -> None:
    (tmp_path / "more.conf").write_text(f"{match}\n\tpasswordAuthentication=yes # for a while\n", encoding="utf-8")
    main = tmp_path / "sshd_config"
    main.write_text(f"PasswordAuthentication no\nInclude {tmp_path}/*.conf\n", encoding="utf-8")
    told = call(tmp_path, f"matched_passwords {main}").stdout
    assert f"{tmp_path}/more.conf:2 has" in told
    assert told.count("SSH takes passwords of some") == 1


def test_a_match_around_an_include_holds_in_the_included_file(tmp_path: Path) -> None:
    (tmp_path / "more.conf").write_text("KbdInteractiveAuthentication yes\n", encoding="utf-8")
    main = tmp_path / "sshd_config"
    main.write_text(f'Match Address 10.0.0.0/8\n  Include "{tmp_path}/more.conf"\n', encoding="utf-8")
    assert "kbdinteractiveauthentication yes" in call(tmp_path, f"matched_passwords {main}").stdout


def test_rules_that_forbid_passwords_or_are_comments_are_fine(tmp_path: Path) -> None:
    main = tmp_path / "sshd_config"
    main.write_text(
        "#Match all\n# PasswordAuthentication yes\nMatch User a\n PasswordAuthentication no\n", encoding="utf-8"
    )
    ended = call(tmp_path, f"matched_passwords {main}")
    assert (ended.returncode, ended.stdout) == (0, "")


def test_an_account_without_a_password_is_refused(tmp_path: Path) -> None:
    told = call(tmp_path, "open_accounts", "root L 2026-01-01 0 99999 7 -1\npi NP 2026-01-01 0 99999 7 -1\n").stdout
    assert "the account pi has an empty password" in told
    assert "root" not in told


@pytest.mark.parametrize(("shell", "refused"), [("/bin/bash", True), ("/usr/sbin/nologin", False)])
def test_the_image_s_own_user_is_refused(tmp_path: Path, shell: str, *, refused: bool) -> None:
    fake = f"getent() {{ echo 'pi:x:1000:1000::/home/pi:{shell}'; }}\ndefault_user_at_fault pi"
    assert ("deluser --remove-home pi" in call(tmp_path, fake).stdout) is refused


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
