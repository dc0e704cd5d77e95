from __future__ import annotations

import ast
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli.main import parser
from agent.helpers.last_rung import A_DAY
from agent.reboot import REQUEST
from agent.status_file import FILE_NAME
from tests.daemon.devices_of_a_pi import NO_GROUPS, OPENED

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "systemd"
UNITS = sorted(path.name for path in SYSTEMD.glob("safepoint-*.*"))
PROGRAMS = {
    "/opt/safepoint/bin/safepoint": f"{Path(sys.executable).parent}/safepoint",
    "/opt/safepoint/systemd/": f"{SYSTEMD}/",
}
"""What the units start, which lies elsewhere on a developer's machine than on a unit; verify looks for it."""
MOST_EXPOSED = {
    "safepoint-agent.service": 2.0,
    "safepoint-reboot.service": 1.5,
    "safepoint-restart.service": 1.5,
    "safepoint-slot.service": 1.5,
    "safepoint-software.service": 1.5,
    "safepoint-update.service": 2.0,
}
"""Of 10, by systemd's own measure. The agent needs network and devices, the update network, the others nothing."""

AS_WRITTEN = {
    "Type": ["notify"],
    "NotifyAccess": ["main"],
    "Restart": ["always"],
    "RestartSec": ["1"],
    "WatchdogSec": ["15"],
    "TimeoutStopSec": ["10"],
    "KillMode": ["mixed"],
    "User": ["safepoint"],
    "SupplementaryGroups": ["gpio audio video"],
    "StateDirectory": ["safepoint"],
    "ReadWritePaths": ["-/srv/safepoint"],
    "Environment": ["LG_WD=/run/safepoint", "PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1"],
    "UMask": ["0077"],
    "LoadCredential": ["unit-key.pem:/etc/safepoint/tls/unit-key.pem"],
    "SetCredential": ["unit-key.pem:missing"],
    "MemoryMax": ["75%"],
    "MemoryHigh": [],
    "MemoryDenyWriteExecute": [],
    "OOMScoreAdjust": ["-500"],
    "TasksMax": ["256"],
    "DevicePolicy": ["closed"],
    "SystemCallErrorNumber": ["EPERM"],
    "ExecReload": ['/bin/sh -c "kill -HUP $MAINPID"'],
    "SystemCallFilter": ["@system-service", "~@privileged @resources", "adjtimex clock_adjtime"],
    "RestrictAddressFamilies": ["AF_INET AF_INET6 AF_UNIX AF_NETLINK"],
    "CapabilityBoundingSet": [""],
    **{key: ["yes"] for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "RemoveIPC")},
    "ProtectSystem": ["strict"],
    "KeyringMode": ["private"],
}
"""The agent's limits and its life; each has its reason beside it in the unit."""
DRIVES_DEVICES = {"gpiozero", "lgpio", "libcamera", "picamera2", "sounddevice", "aplay"}
"""What reaches hardware through files in /dev: of the programs and libraries that agent/hw uses."""
DROP_INS = {
    ("system.conf.d/safepoint-watchdog.conf", "Manager", "RuntimeWatchdogSec"): "15s",
    ("system.conf.d/safepoint-watchdog.conf", "Manager", "RebootWatchdogSec"): "15s",
    ("journald.conf.d/safepoint.conf", "Journal", "Storage"): "persistent",
    ("journald.conf.d/safepoint.conf", "Journal", "SystemMaxUse"): "200M",
    ("journald.conf.d/safepoint.conf", "Journal", "SystemKeepFree"): "500M",
    ("journald.conf.d/safepoint.conf", "Journal", "RuntimeMaxUse"): "16M",
    ("journald.conf.d/safepoint.conf", "Journal", "MaxRetentionSec"): "31day",
    ("journald.conf.d/safepoint.conf", "Journal", "SyncIntervalSec"): "1min",
    ("journald.conf.d/safepoint.conf", "Journal", "RateLimitIntervalSec"): "30s",
    ("journald.conf.d/safepoint.conf", "Journal", "RateLimitBurst"): "2000",
}
MOST_OF_THE_BOARD_S = 15
"""A Raspberry Pi's watchdog counts 20 bits of 1/65536 s (bcm2835_wdt): more it does not take."""


def values(name: str, section: str, key: str) -> list[str]:
    """All that a file of ours gives a key in this section, in order."""
    within, found = "", []
    for line in (SYSTEMD / name).read_text().splitlines():
        if line.startswith("["):
            within = line.strip("[]")
        elif within == section and line.startswith(f"{key}="):
            found.append(line.partition("=")[2])
    return found


@pytest.mark.parametrize(("key", "wanted"), AS_WRITTEN.items())
def test_the_agents_limits_and_life_are_as_decided(key: str, wanted: list[str]) -> None:
    assert values("safepoint-agent.service", "Service", key) == wanted


def test_the_agent_is_started_again_for_ever_and_with_the_board() -> None:
    assert values("safepoint-agent.service", "Unit", "StartLimitIntervalSec") == ["0"]
    assert values("safepoint-agent.service", "Install", "WantedBy") == ["multi-user.target"]


def test_a_button_works_with_no_network_and_no_time() -> None:
    waited_for = " ".join(values("safepoint-agent.service", "Unit", "After")).split()
    assert {each for each in waited_for if not each.startswith("modprobe@")} == {"local-fs.target", "sound.target"}


def test_the_agent_may_use_what_its_hardware_opens_and_no_other_device() -> None:
    allowed = values("safepoint-agent.service", "Service", "DeviceAllow")
    assert sorted(allowed) == sorted({f"char-{each.group} rw" for each in OPENED})


def test_every_group_of_devices_has_its_name_in_the_kernel_before_the_agent_starts() -> None:
    modules = {f"modprobe@{each.module}.service" for each in OPENED if each.module is not None}
    for key in ("Wants", "After"):
        given = " ".join(values("safepoint-agent.service", "Unit", key)).split()
        assert {each for each in given if each.startswith("modprobe@")} == modules


def test_no_group_is_named_that_no_kernel_has() -> None:
    allowed = values("safepoint-agent.service", "Service", "DeviceAllow")
    assert not {each.removeprefix("char-").removesuffix(" rw") for each in allowed} & NO_GROUPS


def test_all_that_the_hardwares_code_drives_is_in_the_list_of_what_is_opened() -> None:
    used = set()
    for path in sorted((ROOT / "agent/hw").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                used |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                used.add(str(node.module).partition(".")[0])
            elif isinstance(node, ast.Constant) and node.value in DRIVES_DEVICES:
                used.add(node.value)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith("/dev/"), f"{path} opens {node.value} itself"
    foreign = used - set(sys.stdlib_module_names) - {"agent", "structlog", "numpy"}
    assert foreign == {each.by for each in OPENED}


@pytest.mark.parametrize(("where", "wanted"), DROP_INS.items())
def test_the_boards_watchdog_and_the_journals_limits_are_as_decided(where: tuple[str, str, str], wanted: str) -> None:
    assert values(*where) == [wanted]


def test_the_boards_watchdog_is_set_to_no_more_than_it_can_count() -> None:
    for key in ("RuntimeWatchdogSec", "RebootWatchdogSec"):
        (value,) = values("system.conf.d/safepoint-watchdog.conf", "Manager", key)
        assert 0 < int(value.removesuffix("s")) <= MOST_OF_THE_BOARD_S


@pytest.fixture
def units(tmp_path: Path) -> Path:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: ./dev test installs it")
    for name in UNITS:
        text = (SYSTEMD / name).read_text()
        for there, here in PROGRAMS.items():
            text = text.replace(there, here)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_the_unit_without_a_word(units: Path, name: str) -> None:
    result = subprocess.run(
        ["systemd-analyze", "verify", str(units / name)], capture_output=True, text=True, check=False
    )
    # a misspelt key only warns and exits 0: any word is a failure (research: camera-lab section 5)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize(("name", "most"), MOST_EXPOSED.items())
def test_a_service_may_do_next_to_nothing_but_its_work(units: Path, name: str, most: float) -> None:
    argv = ["systemd-analyze", "security", "--offline=true", f"--threshold={most * 10:.0f}"]
    result = subprocess.run([*argv, str(units / name)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def with_tpm(units: Path) -> Path:
    """The agent's service as provision.sh leaves it on a unit whose key a TPM keeps."""
    for name in ("safepoint-agent.service.d/tpm.conf", "dev-tpmrm0.device.d/timeout.conf"):
        (units / name).parent.mkdir()
        shutil.copy(SYSTEMD / "tpm" / name, units / name)
    return units / "safepoint-agent.service"


def verified(service: Path) -> tuple[int, str]:
    """What systemd says of a service and its drop-ins."""
    own = {**os.environ, "SYSTEMD_UNIT_PATH": f"{service.parent}:"}
    argv = ["systemd-analyze", "verify", str(service)]
    result = subprocess.run(argv, capture_output=True, text=True, check=False, env=own)
    return result.returncode, result.stdout + result.stderr


def test_systemd_accepts_what_a_key_in_a_tpm_takes_without_a_word(units: Path) -> None:
    assert verified(with_tpm(units)) == (0, "")


@pytest.mark.parametrize("name", ["safepoint-agent.service.d/tpm.conf", "dev-tpmrm0.device.d/timeout.conf"])
def test_a_misspelt_word_in_what_a_key_in_a_tpm_takes_would_be_told(units: Path, name: str) -> None:
    service = with_tpm(units)
    with (units / name).open("a") as drop_in:
        drop_in.write("[Unit]\nAftre=nothing.service\n")
    assert "Aftre" in verified(service)[1]


def test_a_key_in_a_tpm_exposes_the_agent_no_more_than_it_may_be(units: Path) -> None:
    service = with_tpm(units)
    whole = service.read_text() + (SYSTEMD / "tpm/safepoint-agent.service.d/tpm.conf").read_text()
    assert "DeviceAllow=/dev/tpmrm0 rw" in whole
    service.write_text(whole)  # offline, systemd-analyze looks at no drop-ins
    argv = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED[service.name] * 10:.0f}"]
    result = subprocess.run([*argv, str(service)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_a_broken_tpm_does_not_keep_the_agent_from_starting() -> None:
    drop_in = (SYSTEMD / "tpm/safepoint-agent.service.d/tpm.conf").read_text()
    assert "\nWants=dev-tpmrm0.device\n" in drop_in, "Requires= would"
    assert "\nRequires=" not in drop_in
    assert "JobRunningTimeoutSec=5s" in (SYSTEMD / "tpm/dev-tpmrm0.device.d/timeout.conf").read_text()


def test_every_service_is_measured() -> None:
    assert {path.name for path in SYSTEMD.glob("*.service")} == set(MOST_EXPOSED)


def test_agent_and_units_mean_the_same_files() -> None:
    service = (SYSTEMD / "safepoint-reboot.service").read_text()
    request = f"/run/safepoint/{REQUEST}"
    assert f"PathChanged={request}\n" in (SYSTEMD / "safepoint-reboot.path").read_text()
    assert f"ConditionPathExists={request}\n" in service
    assert (
        f"ExecStart=/opt/safepoint/systemd/decide-reboot {request} /var/lib/safepoint-reboot/granted {A_DAY}\n"
        in service
    )
    assert "RuntimeDirectory=safepoint\n" in (SYSTEMD / "safepoint-agent.service").read_text()


def test_the_service_leaves_no_core_dump_which_would_hold_the_last_seconds_of_sound() -> None:
    assert "LimitCORE=0\n" in (SYSTEMD / "safepoint-agent.service").read_text()


def test_a_helper_that_the_kernel_kills_for_its_memory_does_not_take_the_daemon_with_it() -> None:
    assert "OOMPolicy=continue\n" in (SYSTEMD / "safepoint-agent.service").read_text()


def test_the_clock_can_still_be_asked_whether_it_is_right() -> None:
    service = (SYSTEMD / "safepoint-agent.service").read_text()
    assert "SystemCallFilter=adjtimex clock_adjtime\n" in service
    assert "\nProtectClock=" not in service


@pytest.mark.skipif(os.geteuid() != 0, reason="makes files of other users: as root only (./dev nspawn does it too)")
def test_users_and_folders_are_made_as_described(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for folder in ("sysusers.d", "tmpfiles.d"):
        (tmp_path / "usr/lib" / folder).mkdir(parents=True)
        shutil.copy(SYSTEMD / folder / "safepoint.conf", tmp_path / "usr/lib" / folder)
    for argv in (["systemd-sysusers"], ["systemd-tmpfiles", "--create"]):
        made = subprocess.run([*argv, f"--root={tmp_path}"], capture_output=True, text=True, check=True)
        assert "safepoint.conf:" not in made.stderr, "a line that systemd does not understand"
    users = {line.split(":")[0]: line.split(":")[-1] for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    assert users == dict.fromkeys(("safepoint", "safepoint-update"), "/usr/sbin/nologin")
    assert stat.S_IMODE((tmp_path / "etc/safepoint/tls").stat().st_mode) == 0o750
    assert (tmp_path / "etc/safepoint/tls").stat().st_uid == 0, "the agent may not change its own keys"
    assert (tmp_path / "opt/safepoint/slots").stat().st_uid not in {0, (tmp_path / "srv/safepoint").stat().st_uid}


def test_updates_are_looked_for_soon_after_the_start_and_then_regularly() -> None:
    timer = (SYSTEMD / "safepoint-update.timer").read_text()
    assert "OnBootSec=5min\n" in timer
    assert "OnUnitInactiveSec=15min\n" in timer


def test_the_update_and_its_units_mean_the_same_files() -> None:
    update = (SYSTEMD / "safepoint-update.service").read_text()
    restart = "/run/safepoint-update/restart"
    assert f"PathChanged={restart}\n" in (SYSTEMD / "safepoint-restart.path").read_text()
    settle = f"/opt/safepoint/systemd/settle-slot /opt/safepoint/slots {restart}\n"
    assert f"ExecStopPost={settle}" in update
    assert f"ExecStart={settle}" in (SYSTEMD / "safepoint-slot.service").read_text()
    places = parser().parse_args(["update"])
    assert (str(places.slots), str(places.restart)) == ("/opt/safepoint/slots", restart)
    assert str(places.status) == f"/run/safepoint/{FILE_NAME}"
    assert f"PathChanged={places.state}/incoming\n" in (SYSTEMD / "safepoint-update.path").read_text()
