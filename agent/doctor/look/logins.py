"""Who can log in here with a password."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.doctor.facts import Logins
from agent.doctor.look.asking import answer

if TYPE_CHECKING:
    from agent.doctor.look.case import Case

SHADOW: Final = Path("/etc/shadow")
WAYS: Final = ("passwordauthentication", "kbdinteractiveauthentication")
"""Of sshd_config(5): both ask for a password."""
ELSEWHERE: Final = "host=elsewhere.example,addr=203.0.113.9,laddr=192.0.2.9,lport=22,rdomain="
"""A login from elsewhere (addresses for examples, RFC 5737): sshd wants to know all that a Match could look at."""


def look(_case: Case) -> Logins:
    """Read the user database and ask the SSH server for its effective settings.

    Raises:
        OSError: they cannot be read.
    """
    passwords = usable_passwords(SHADOW.read_text(encoding="utf-8", errors="replace"))
    sshd = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if sshd is None:
        return Logins(passwords)
    # A Match can have a rule for one of them; what holds for root holds for whoever has no password.
    asked = [_settings(sshd, user) for user in dict.fromkeys((*passwords, "root"))]
    return Logins(
        passwords,
        ssh_passwords=any(settings.get(way) == "yes" for settings in asked for way in WAYS),
        ssh_root=asked[-1].get("permitrootlogin", "no") != "no",
    )


def _settings(sshd: str, user: str) -> dict[str, str]:
    told = answer(sshd, "-T", "-C", f"user={user},{ELSEWHERE}")
    return dict(line.split(" ", 1) for line in told.splitlines() if " " in line)


def usable_passwords(shadow: str) -> tuple[str, ...]:
    """The users of a shadow(5) whose password lets somebody in; an empty one lets in everybody."""
    entries = [line.split(":") for line in shadow.splitlines() if line.count(":") > 1]
    return tuple(entry[0] for entry in entries if not entry[1].startswith(("!", "*")))
