"""A step changes only what is not so already, as a whole, and says so; a dry run changes nothing."""

from __future__ import annotations

import grp
import os
import pwd
import re
from typing import TYPE_CHECKING

import pytest

from tests.provisioning.provisioner import PROVISIONING, call

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = 2


@pytest.fixture
def me() -> str:
    return f"{pwd.getpwuid(os.getuid()).pw_name}:{grp.getgrgid(os.getgid()).gr_name}"


def test_a_file_is_written_once(tmp_path: Path, me: str) -> None:
    put = f'printf "%s" text | put_file 640 {me} "$WORK/etc/file"; echo "$CHANGES changes"'
    assert "1 changes" in call(tmp_path, put).stdout
    before = (tmp_path / "etc/file").stat().st_mtime_ns
    again = call(tmp_path, put).stdout
    assert again == "0 changes\n"
    assert (tmp_path / "etc/file").stat().st_mtime_ns == before


def test_a_wrong_mode_is_put_right(tmp_path: Path, me: str) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    file.chmod(0o666)
    call(tmp_path, f'printf "%s" text | put_file 600 {me} "$WORK/file"')
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_link_in_a_file_s_place_is_replaced_and_not_followed(tmp_path: Path, me: str) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "file").symlink_to(tmp_path / "elsewhere")
    call(tmp_path, f'printf "%s" text | put_file 600 {me} "$WORK/file"')
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert (tmp_path / "file").read_text() == "text"
    assert not (tmp_path / "file").is_symlink()


def test_a_half_written_one_of_a_power_cut_is_in_nobody_s_way(tmp_path: Path, me: str) -> None:
    (tmp_path / "file.coming").write_text("ha")
    (tmp_path / "file.coming").chmod(0o400)
    assert call(tmp_path, f'printf "%s" text | put_file 600 {me} "$WORK/file"').returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_power_cut_finds_the_old_file_or_the_new_one_and_never_an_empty_one(tmp_path: Path, me: str) -> None:
    watched = 'sync() { echo "sync ${1#"$WORK/"}"; command sync "$@"; }; mv() { echo rename; command mv "$@"; }\n'
    told = call(tmp_path, f'{watched}printf "%s" text | put_file 600 {me} "$WORK/etc/file"').stdout
    assert [line for line in told.splitlines() if not line.startswith(" ")] == [
        "sync etc/file.coming",
        "rename",
        "sync etc",
    ]


def test_the_log_is_for_root_and_whoever_he_hands_it_to(tmp_path: Path) -> None:
    elsewhere = 'mktemp() { command mktemp -d -p "$folder"; }; rm() { :; }\n'  # this machine's own runs stay alone
    ended = call(tmp_path, f'{elsewhere}LOG="$WORK/log"; umask 000; begin_log; say hello; FINISHED=yes')
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o640


def test_a_dry_run_says_what_would_be_and_changes_nothing(tmp_path: Path, me: str) -> None:
    script = f'DRY_RUN=yes; put_folder 700 {me} "$WORK/a"; put_link a "$WORK/b"; echo x | put_file 600 {me} "$WORK/c"'
    told = call(tmp_path, script).stdout
    assert told.count("would: ") == 3
    assert not list(tmp_path.iterdir())


def test_what_is_in_the_way_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "link").write_text("somebody's")
    ended = call(tmp_path, 'put_link target "$WORK/link"')
    assert ended.returncode == REFUSED
    assert (tmp_path / "link").read_text() == "somebody's"


@pytest.mark.parametrize("how", ["quietly echo", "say", "changing", "refuse"])
def test_neither_password_nor_signature_of_an_address_reaches_the_log(tmp_path: Path, how: str) -> None:
    log = tmp_path / "log"
    address = "https://me:secret@index.example/simple?X-Amz-Signature=secret&X-Amz-Date=1"
    call(tmp_path, f'LOG="{log}"; LOG_OPEN=yes; {how} "Looking in {address} and so on"')
    assert "Looking in https://***@index.example/simple?*** and so on" in log.read_text()
    assert "secret" not in log.read_text()


def test_a_configuration_that_was_changed_by_hand_is_kept(tmp_path: Path) -> None:
    (tmp_path / "unit.yaml").write_text('unit:\n  id: "u-1"\n# mine\n')
    answers = (
        "ANSWER=([profile]=safe-point [unit_id]=u-1 [org]=o [name]=n [location]=l [broker]=mqtts://b [footage]=card)\n"
    )
    alone = "put_folder() { :; }; check_configuration() { :; }\n"
    told = call(tmp_path, answers + alone + "configuration_step")
    assert "was changed by hand and is kept" in told.stdout
    assert (tmp_path / "unit.yaml").read_text().endswith("# mine\n")
    other = call(tmp_path, answers + alone + "ANSWER[unit_id]=u-2; configuration_step")
    assert other.returncode == REFUSED
    assert "is not of the unit u-2" in other.stderr


def test_a_damaged_a_longer_and_a_foreign_bundle_are_refused(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    (bundle / "debs").mkdir(parents=True)
    (bundle / "debs/a.deb").write_text("a")
    sums = f'(cd "{bundle}" && {{ echo "# for arm64 trixie"; sha256sum debs/a.deb; }} >MANIFEST)\n'
    here = "dpkg() { echo arm64; }; os_says() { echo trixie; }\n"
    check = f'OFFLINE=it; BUNDLE="{bundle}"; check_bundle'
    assert call(tmp_path, sums + here + check).returncode == 0
    assert "needs one for arm64 bookworm" in call(tmp_path, here + "os_says() { echo bookworm; }\n" + check).stderr
    assert "do not use it" in call(tmp_path, here + "BUNDLE_SHA256=00\n" + check).stderr
    (bundle / "debs/b.deb").write_text("b")
    assert "not those of its MANIFEST" in call(tmp_path, here + check).stderr
    (bundle / "debs/b.deb").unlink()
    (bundle / "debs/a.deb").write_text("b")
    assert "is damaged" in call(tmp_path, here + check).stderr


def test_the_pinned_packages_are_those_that_the_agent_asks_for() -> None:
    asked = {
        line.split()[0].split(">")[0].split("=")[0].lower()
        for line in (PROVISIONING.parent / "setup.cfg")
        .read_text()
        .split("install_requires =")[1]
        .split("[")[0]
        .splitlines()
        if line.strip() and not line.strip().startswith("#")
    }
    for suite in ("cp311", "cp313"):
        pinned = (PROVISIONING / f"constraints-{suite}.txt").read_text()
        for name in asked - {"numpy"}:
            assert f"\n{name}==" in pinned, f"{name} is missing: run provisioning/lock_constraints.py"
        # From apt: the camera's software is built for that numpy; and pip's lgpio for 3.13 is an empty package.
        for name in ("numpy", "lgpio", "picamera2"):
            assert f"\n{name}==" not in pinned
        assert pinned.count("\n    --hash=sha256:") >= pinned.count("==")


@pytest.mark.parametrize("suite", ["cp311", "cp313"])
def test_the_second_engine_s_packages_are_pinned_beside_the_others(suite: str) -> None:
    both = [(PROVISIONING / f"constraints-{name}{suite}.txt").read_text() for name in ("", "verifier-")]
    alone, besides = (set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)) for text in both)
    assert {"moonshine-voice", "onnxruntime"} <= besides
    assert not besides & (alone | {"numpy"})
    extra = (PROVISIONING.parent / "setup.cfg").read_text().split("\nverifier =")[1].split("\n[")[0]
    assert f"moonshine-voice =={re.findall(r'moonshine-voice==([0-9.]+)', both[1])[0]}\n" in extra
