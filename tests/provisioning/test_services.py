"""The services are started, an agent at work stays at work, and the script ends only when the agent is armed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.provisioning.provisioner import call

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = 2
SYSTEMD = """
systemctl() { # a running systemd: remembers in $folder/active what is active, and is asked what it was told to do
  printf '%s\\n' "$*" >>"$folder/asked"
  case "$*" in
    "--quiet is-active "*) grep -qx "$3" "$folder/active" 2>/dev/null ;;
    "start --no-block "*) printf '%s\\n' "$3" >>"$folder/active" ;;
    "show "*) cat "$folder/agent" ;;
  esac
}
ARMED_WITHIN=0 AGENT_CHANGED='' CONFIGURATION_CHANGED=''
"""
ARMED = "ActiveState=active\n"


def started(folder: Path, script: str) -> tuple[int, str, list[str]]:
    """What the script said, and what it had systemd do."""
    ended = call(folder, f"{SYSTEMD}{script}")
    asked = (folder / "asked").read_text(encoding="utf-8").splitlines()
    return ended.returncode, ended.stdout + ended.stderr, [each for each in asked if "is-active" not in each]


def test_an_agent_at_work_is_left_at_work(tmp_path: Path) -> None:
    start = 'start_now safepoint-agent.service safepoint-update.timer; echo "$CHANGES changes"'
    told = started(tmp_path, start)
    assert "2 changes" in told[1]
    assert told[2] == ["start --no-block safepoint-agent.service", "start --no-block safepoint-update.timer"]
    again = started(tmp_path, start)
    assert again[1] == "0 changes\n"
    assert again[2] == told[2], "nothing more was asked"


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        ("AGENT_CHANGED=yes ANSWER[unit_id]=u; touch $TLS/cert.pem", "restart --no-block"),
        ("CONFIGURATION_CHANGED=yes ANSWER[unit_id]=u; touch $TLS/cert.pem", "reload --no-block"),
        ("CONFIGURATION_CHANGED=yes ANSWER[unit_id]=u; rm -f $TLS/cert.pem", "restart --no-block"),
    ],
)
def test_another_agent_is_started_anew_and_another_configuration_read(tmp_path: Path, changed: str, asked: str) -> None:
    start = f"TLS=$folder/tls; mkdir -p $TLS; {changed}; start_now safepoint-agent.service"
    assert started(tmp_path, start)[2] == ["start --no-block safepoint-agent.service"], "it comes with both"
    assert started(tmp_path, start)[2][1:] == [f"{asked} safepoint-agent.service"]


def test_an_armed_agent_is_told(tmp_path: Path) -> None:
    (tmp_path / "agent").write_text(ARMED, encoding="ascii")
    assert started(tmp_path, "wait_until_armed")[:2] == (0, "   the agent is armed\n")


@pytest.mark.parametrize("state", ["ActiveState=activating\n", f"{ARMED}Job=117\n", "ActiveState=failed\n"])
def test_an_agent_that_is_not_armed_is_no_good_end(tmp_path: Path, state: str) -> None:
    (tmp_path / "agent").write_text(state, encoding="ascii")
    code, told, _ = started(tmp_path, "wait_until_armed")
    assert code == REFUSED
    assert "is not armed after 0 s: run  safepoint doctor" in told
