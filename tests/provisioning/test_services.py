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
systemd_runs() { true; }
ARMED_WITHIN=0 UNTIL_RESTART=$folder/until-restart
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
        ("owe reload restart; ANSWER[unit_id]=u; touch $TLS/cert.pem", "restart --no-block"),
        ("owe reload; ANSWER[unit_id]=u; touch $TLS/cert.pem", "reload --no-block"),
        ("owe reload; ANSWER[unit_id]=u; rm -f $TLS/cert.pem", "restart --no-block"),
    ],
)
def test_another_agent_is_started_anew_and_another_configuration_read(tmp_path: Path, changed: str, asked: str) -> None:
    start = f"TLS=$folder/tls; mkdir -p $TLS; {changed}; start_now safepoint-agent.service"
    assert started(tmp_path, start)[2] == ["start --no-block safepoint-agent.service"], "it comes with both"
    assert started(tmp_path, start)[2][1:] == [f"{asked} safepoint-agent.service"]
    assert started(tmp_path, "start_now safepoint-agent.service")[2][2:] == [], "it was told: once is enough"


INSTALL = 'install() { command install -m "$2" "${@: -2}"; }'  # no root here, and no user safepoint
CONFIGURED = f"""
{INSTALL}
check_configuration() {{ :; }}
take_update_key() {{ :; }}
put_folder() {{ :; }}
configuration_text() {{ printf 'location: %s\\n' "$place"; }}
rights_of() {{ printf '640 root:safepoint'; }}
TLS=$folder/tls; mkdir -p "$TLS"; touch "$TLS/cert.pem"; ANSWER[unit_id]=u
"""


def test_a_run_that_ended_half_way_leaves_the_next_one_its_debts(tmp_path: Path) -> None:
    (tmp_path / "agent").write_text(ARMED, encoding="ascii")
    at_work = "tell_systemd safepoint-agent.service"

    def configure(place: str) -> str:
        return f"{CONFIGURED} place={place}; configuration_step"

    started(tmp_path, f"{configure('old')}; {at_work}")
    interrupted = started(tmp_path, f"{configure('new')}; refuse 'sshd takes passwords'")
    assert interrupted[0] == REFUSED
    assert interrupted[2] == ["start --no-block safepoint-agent.service"]
    resumed = started(tmp_path, f"{configure('new')}; {at_work}")
    assert resumed[2][1:] == ["reload --no-block safepoint-agent.service"]
    assert started(tmp_path, f"{configure('new')}; {at_work}")[2][2:] == []


def test_units_that_were_changed_are_read_by_the_run_that_gets_so_far(tmp_path: Path) -> None:
    change = "echo x | OWES=daemon-reload put_file 644 root:root $folder/x.timer"
    assert started(tmp_path, f"{INSTALL}; {change}; systemctl status; kill -9 $$")[2] == ["status"]
    again = started(tmp_path, "tell_systemd")
    assert again[2][1:] == ["daemon-reload"]
    assert (tmp_path / "until-restart").exists(), "each run says that the machine is to be restarted, until it was"
    assert started(tmp_path, "tell_systemd")[2][2:] == []


def test_where_no_systemd_runs_nothing_is_owed_to_it(tmp_path: Path) -> None:
    told = started(
        tmp_path, "systemd_runs() { false; }; owe restart daemon-reload; tell_systemd; cat $OWED; systemctl x"
    )
    assert told == (0, "", ["x"])


def test_an_armed_agent_is_told(tmp_path: Path) -> None:
    (tmp_path / "agent").write_text(ARMED, encoding="ascii")
    assert started(tmp_path, "wait_until_armed")[:2] == (0, "   the agent is armed\n")


@pytest.mark.parametrize("state", ["ActiveState=activating\n", f"{ARMED}Job=117\n", "ActiveState=failed\n"])
def test_an_agent_that_is_not_armed_is_no_good_end(tmp_path: Path, state: str) -> None:
    (tmp_path / "agent").write_text(state, encoding="ascii")
    code, told, _ = started(tmp_path, "wait_until_armed")
    assert code == REFUSED
    assert "is not armed after 0 s: run  safepoint doctor" in told
