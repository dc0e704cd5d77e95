"""Under which rights the daemon works: its user, its groups, and its folder."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.doctor.facts import AGENT, Access
from agent.doctor.look.asking import properties

if TYPE_CHECKING:
    from agent.doctor.look.case import Case

STATE_FOLDER: Final = Path("/var/lib/safepoint")


def look(case: Case) -> Access | None:
    """Ask systemd and the user database.

    Raises:
        OSError: systemd does not answer.
    """
    told = properties("systemctl", "show", "--property=LoadState,User,SupplementaryGroups", AGENT)[0]
    if told.get("LoadState") != "loaded":
        return None
    user = told.get("User") or "root"
    groups = set(told.get("SupplementaryGroups", "").split())
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return Access(user, known=False)
    groups |= {group.gr_name for group in grp.getgrall() if user in group.gr_mem or group.gr_gid == entry.pw_gid}
    folder = STATE_FOLDER if case.config is None else case.config.state_folder
    try:
        status = folder.stat()
    except FileNotFoundError:
        return Access(user, known=True, groups=tuple(sorted(groups)), state_folder=folder)
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = str(status.st_uid)
    return Access(user, True, tuple(sorted(groups)), folder, owner, status.st_mode & 0o777)  # noqa: FBT003 - `known`
