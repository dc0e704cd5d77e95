"""Somebody can log in with a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts

DEFAULT_USER = "pi"
"""Of Raspberry Pi OS: every thief tries it first."""


def find(facts: Facts) -> Iterator[Finding]:
    """EN 303 645, 5.1: no password that many units share, and none that can be guessed from afar."""
    logins = facts.logins
    if logins is None:
        return
    if logins.ssh_passwords:
        yield Finding(
            Weight.EXPOSED,
            "The SSH server takes passwords.",
            "Put your key on the unit (ssh-copy-id), then write PasswordAuthentication no and"
            " KbdInteractiveAuthentication no into /etc/ssh/sshd_config.d/, see that no Match says yes, and run: sudo"
            " systemctl reload ssh",
        )
    if DEFAULT_USER in logins.passwords:
        yield Finding(
            Weight.EXPOSED,
            f"The default user {DEFAULT_USER} is enabled.",
            f"Log in as somebody else and run: sudo deluser --remove-home {DEFAULT_USER}; or at least: sudo passwd"
            f" --lock {DEFAULT_USER}",
        )
    others = [name for name in logins.passwords if name != DEFAULT_USER]
    if others and logins.ssh_passwords:
        what = f"These users can be guessed at from afar, because they have a password: {', '.join(others)}."
        yield Finding(Weight.EXPOSED, what, "Run for each: sudo passwd --lock NAME (keys go on working).")
