"""Of whom an SSH server takes passwords, by what it answers and what its files say.

A real one is asked in `./dev rootfs` (tests/rootfs/doors.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.provisioning.provisioner import call

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "KbdInteractiveAuthentication no\nPasswordAuthentication no\n"
ANYWHERE = "addr=203.0.113.9,host=elsewhere.example,laddr=192.0.2.9,lport=22,rdomain="


def ask(folder: Path, allowed: str, rules: str = "", setting: str = "passwordauthentication") -> str:
    """What is told of a server that takes passwords of the logins that fit; engineer and root could come in.

    Args:
        folder: for its file.
        allowed: a pattern of bash for "USER,PLACE", as sshd -C gets them.
        rules: its file.
        setting: by which it does.
    """
    (folder / "sshd_config").write_text(rules, encoding="utf-8")
    server = (
        "who_could_come_in() { printf 'engineer\\nroot\\n'; }\n"
        "ask_sshd() { local answer=no; [[ $1,$2 != $allowed ]] || answer=yes\n"
        f"  printf '%s\\n' 'permitrootlogin yes' \"{setting} $answer\"; }}\n"
    )
    ended = call(folder, f"{server}allowed='{allowed}'\nsshd_rules $folder/sshd_config '' 0 | sshd_at_fault")
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def lines_that_allow(folder: Path, main: str, key: str = "passwordauthentication") -> str:
    (folder / "sshd_config").write_text(main, encoding="utf-8")
    ended = call(folder, f"sshd_rules $folder/sshd_config '' 0 | lines_that_allow {key}")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("passwordauthentication", "PasswordAuthentication no"),
        ("kbdinteractiveauthentication", "KbdInteractiveAuthentication no"),
        ("permitemptypasswords", "PermitEmptyPasswords no"),
    ],
)
def test_ssh_with_passwords_is_refused_with_the_fix(tmp_path: Path, setting: str, line: str) -> None:
    told = ask(tmp_path, "*", setting=setting)
    assert told.count("passwords of everybody") == 1
    assert f"put the line  {line}  into /etc/ssh/sshd_config.d/10-safepoint.conf" in told


def test_ssh_with_keys_alone_is_fine(tmp_path: Path) -> None:
    assert ask(tmp_path, "nobody", MAIN + "Match User engineer\n PasswordAuthentication no\n") == ""


def test_who_lets_everybody_in_is_told_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "50-cloud-init.conf").write_text("PasswordAuthentication yes\n", encoding="utf-8")
    told = ask(tmp_path, "*", f"Include {tmp_path}/*.conf\n{MAIN}")
    assert f"of everybody (PasswordAuthentication, by {tmp_path}/50-cloud-init.conf:1)" in told


def test_one_user_whose_rule_allows_passwords_is_named_with_the_rule(tmp_path: Path) -> None:
    told = ask(tmp_path, "engineer,*", f"{MAIN}Match User engineer\n  PasswordAuthentication yes\n")
    assert f"of engineer (PasswordAuthentication, by {tmp_path}/sshd_config:4 under 'Match User engineer')" in told


@pytest.mark.parametrize(
    ("criterion", "pattern", "asked", "words"),
    [
        ("Address", "192.168.0.0/16", "addr=192.168.0.0", "from 192.168.0.0"),
        ("address", "!10.*,10.2.?.*", "addr=10.2.1.1", "from 10.2.1.1"),
        ("Address", "fe80::/10", "addr=fe80::", "from fe80::"),
        ("Address", "fe80:*", "addr=fe80::1", "from fe80::1"),
        ("Host", "*.example.org", "host=x.example.org", "from the host x.example.org"),
        ("LocalAddress", "10.0.0.7", "laddr=10.0.0.7", "at 10.0.0.7"),
        ("LocalPort", "2222", "lport=2222", "at port 2222"),
        ("RDomain", "v1", "rdomain=v1", "in the routing domain v1"),
    ],
)
def test_the_server_is_asked_for_the_places_that_its_rules_name(
    tmp_path: Path, criterion: str, pattern: str, asked: str, words: str
) -> None:
    rule = f"Match User * {criterion} {pattern}\n  PasswordAuthentication yes\n"
    told = ask(tmp_path, f"*,{asked}?(,*)", MAIN + rule)
    assert f"of engineer, root {words} (PasswordAuthentication" in told


@pytest.mark.parametrize(
    ("rule", "from_there"),
    [
        ("Address 127.0.0.1,::1", "*,addr=127.0.0.1,*"),
        ("Address 0.0.0.0/0", "*,addr=+([0-9.]),*"),
        ("Host localhost", "*host=localhost,*"),
        ("LocalPort 22", "*lport=22,*"),
    ],
)
def test_a_rule_that_forbids_passwords_from_one_place_alone_is_not_enough(
    tmp_path: Path, rule: str, from_there: str
) -> None:
    rules = f"PasswordAuthentication yes\nMatch {rule}\n  PasswordAuthentication no\n"
    told = ask(tmp_path, f"!({from_there})", rules)
    assert "SSH takes passwords of engineer, root" in told
    assert f"by {tmp_path}/sshd_config:1)" in told


def test_without_rules_the_server_is_asked_once_for_each_user(tmp_path: Path) -> None:
    assert call(tmp_path, "places_told_apart <<<''").stdout == f"{ANYWHERE}\t\n"


def test_a_rule_about_somebody_who_is_not_here_yet_is_refused(tmp_path: Path) -> None:
    told = ask(tmp_path, "nobody", MAIN + "Match Group visitors\n  KbdInteractiveAuthentication yes\n")
    assert "of whoever fits a rule (the password at the keyboard, KbdInteractiveAuthentication, by" in told
    assert told.count("SSH takes passwords") == 1


def test_a_server_that_does_not_answer_is_refused_in_its_own_words(tmp_path: Path) -> None:
    server = "who_could_come_in() { echo root; }; ask_sshd() { echo 'no hostkeys available'; return 1; }\n"
    ended = call(tmp_path, f"{server}sshd_at_fault <<<''")
    assert ended.returncode == 0
    assert 'sshd ends with "no hostkeys available"' in ended.stdout


def test_options_of_the_service_go_before_all_files(tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text('#SSHD_OPTS=-4\nSSHD_OPTS="-4 -o PasswordAuthentication=yes"\n', encoding="utf-8")
    read = (
        'SSHD_DEFAULTS=$folder/ssh; read -ra SSHD_OPTIONS <<<"$(sshd_options)"; printf "%s\\n" "${#SSHD_OPTIONS[@]}"\n'
    )
    ended = call(tmp_path, f"{read}option_rules | lines_that_allow passwordauthentication")
    assert ended.stdout == f"3\nSSHD_OPTS in {tmp_path}/ssh"


@pytest.mark.parametrize("match", ["Match Address 192.168.0.0/16", "match user engineer", "Match all"])
def test_lines_are_read_as_the_server_reads_them(tmp_path: Path, match: str) -> None:
    (tmp_path / "more.conf").write_text(f"{match}\n\tpasswordAuthentication=yes # for a while\n", encoding="utf-8")
    told = lines_that_allow(tmp_path, f"PasswordAuthentication no\nInclude {tmp_path}/*.conf\n")
    assert told == f"{tmp_path}/more.conf:2 under 'Match {match.split(' ', 1)[1]}'"


def test_a_match_around_an_include_holds_in_the_included_file(tmp_path: Path) -> None:
    (tmp_path / "more.conf").write_text("ChallengeResponseAuthentication yes\n", encoding="utf-8")
    main = f'Match Address 10.0.0.0/8\n  Include "{tmp_path}/more.conf"\n'
    told = lines_that_allow(tmp_path, main, "kbdinteractiveauthentication")
    assert told == f"{tmp_path}/more.conf:1 under 'Match Address 10.0.0.0/8'"


@pytest.mark.parametrize(
    "lines",
    [
        "PasswordAuthentication no\nPasswordAuthentication yes\n",
        "#Match all\n# PasswordAuthentication yes\nMatch User a\n PasswordAuthentication no\n",
        "UsePAM yes\nKbdInteractiveAuthentication yes\n",
    ],
)
def test_what_another_line_overrules_a_comment_and_other_settings_allow_nothing(tmp_path: Path, lines: str) -> None:
    assert lines_that_allow(tmp_path, lines) == ""


def test_who_has_a_shell_or_a_password_could_come_in(tmp_path: Path) -> None:
    machine = (
        "getent() { printf '%s\\n' root:x:0:0::/root:/bin/bash www:x:3:3::/:/usr/sbin/nologin sync:x:4:4::/:/bin/sync;"
        " }\npasswd() { printf '%s\\n' 'root L 1' 'www L 1' 'files P 1' 'open NP 1'; }\nwho_could_come_in"
    )
    assert call(tmp_path, machine).stdout.split() == ["files", "open", "root"]
