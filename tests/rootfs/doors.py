"""Who can come in by a password: the script asks the real SSH server of the root file system, and its user database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.rootfs.root import KEYS_ONLY, SSH_SETTINGS
from tests.rootfs.stories import REFUSED, must

if TYPE_CHECKING:
    from tests.rootfs.root import Root

CLOUD_INIT = "/etc/ssh/sshd_config.d/50-cloud-init.conf"
"""Where cloud-init has it, on Raspberry Pi OS too; read after `SSH_SETTINGS`, and the first word holds."""
MAIN = "/etc/ssh/sshd_config"
INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf\n"
UNDER_INCLUDE = "UsePAM yes\nKbdInteractiveAuthentication no\n"
PEOPLE = """\
set -e
useradd --create-home --shell /bin/bash engineer
groupadd visitors
useradd --no-create-home --shell /usr/sbin/nologin --groups visitors files
printf '%s\\n' engineer:a-long-word files:another-word | chpasswd
"""
MAKE_PI = "useradd --create-home --shell /bin/bash pi && echo pi:raspberry | chpasswd"
LOCK_PI = "passwd --lock pi"
OPEN = "passwd --delete files"
CLOSE = "passwd --lock files"
DOCTOR = "mkdir -p /run/sshd && exec /opt/safepoint/bin/safepoint doctor"
REMOVE_SSHD = "dpkg --remove --force-depends openssh-server"


@dataclass(frozen=True)
class Door:
    """A way in, as an engineer could leave it."""

    name: str
    files: dict[str, str]
    """What is written where; `SSH_SETTINGS` forbids passwords unless it is among them."""
    told: tuple[str, ...]
    """Words of the sentence that the script ends with."""


DOORS = (
    Door(
        "a user's rule",
        {CLOUD_INIT: "Match LocalPort 2222\nMatch User engineer\n    PasswordAuthentication yes\n"},
        ("passwords of engineer (", f"{CLOUD_INIT}:3 under 'Match User engineer'"),
    ),
    Door(
        "a network's rule",
        {CLOUD_INIT: "Match Address 192.168.0.0/16,10.*\n    PasswordAuthentication yes\n"},
        ("engineer, files, root from 192.168.0.0 (", f"{CLOUD_INIT}:2 under 'Match Address 192.168.0.0/16,10.*'"),
    ),
    Door(
        "a group's rule, for somebody without a shell",
        {CLOUD_INIT: "Match Group visitors\n    ForceCommand internal-sftp\n    PasswordAuthentication yes\n"},
        ("passwords of files (", f"{CLOUD_INIT}:3 under 'Match Group visitors'"),
    ),
    Door(
        "a port's rule in the main file",
        {MAIN: f"{INCLUDE}{UNDER_INCLUDE}Match LocalPort 2222\nPasswordAuthentication yes\n"},
        ("at port 2222 (", f"{MAIN}:5 under 'Match LocalPort 2222'"),
    ),
    Door(
        "a rule that forbids them from here alone",
        {SSH_SETTINGS: "Match Address 127.0.0.1,::1\nPasswordAuthentication no\n"},
        ("passwords of engineer, files, root (", "which no file forbids to all"),
    ),
    Door(
        "what cloud-init writes when it is to allow them",
        {SSH_SETTINGS: "", CLOUD_INIT: "PasswordAuthentication yes\n"},
        ("passwords of everybody (", f"by {CLOUD_INIT}:1)"),
    ),
    Door(
        "the main file, before it includes the others",
        {MAIN: f"PasswordAuthentication yes\n{INCLUDE}{UNDER_INCLUDE}"},
        ("passwords of everybody (", f"by {MAIN}:1)"),
    ),
    Door(
        "PAM's question at the keyboard",
        {SSH_SETTINGS: "PasswordAuthentication no\nKbdInteractiveAuthentication yes\n"},
        ("passwords of everybody (the password at the keyboard", f"by {SSH_SETTINGS}:2)"),
    ),
    Door(
        "the same by its old name, for one network",
        {CLOUD_INIT: "Match Address 10.0.0.0/8\n    ChallengeResponseAuthentication yes\n"},
        ("from 10.0.0.0 (the password at the keyboard", f"{CLOUD_INIT}:2 under"),
    ),
    Door(
        "an option of the service",
        {"/etc/default/ssh": 'SSHD_OPTS="-o PasswordAuthentication=yes"\n'},
        ("passwords of everybody (", "by SSHD_OPTS in /etc/default/ssh"),
    ),
    Door(
        "a server that cannot read its file",
        {CLOUD_INIT: "PasswordAuthentication perhaps\n"},
        ("does not say whom it lets in", f"{CLOUD_INIT} line 1"),
    ),
)
SHUT = {CLOUD_INIT: "PasswordAuthentication yes\nMatch Address 10.0.0.0/8\n    PasswordAuthentication no\n"}
"""All in order: what cloud-init allows comes after what forbids it."""


def doors(root: Root) -> str:
    """A finished unit is refused for each way in, by one sentence that says which; and passes when all are shut.

    Args:
        root: is provisioned already; so a run has nothing else to do.
    """
    _do(root, PEOPLE)
    for door in DOORS:
        before = _write(root, {SSH_SETTINGS: KEYS_ONLY, **door.files})
        _refused(root, door.name, *door.told)
        if door is DOORS[0]:
            _doctor_says(root, sees_it=True)
        _write(root, before)
    _doctor_says(root, sees_it=False)
    before = _write(root, {SSH_SETTINGS: KEYS_ONLY, **SHUT})
    _passes(root, "with all ways shut")
    _do(root, MAKE_PI)
    _refused(root, "the image's user with a password", "the default user pi is enabled", "passwd --lock pi")
    _do(root, LOCK_PI)
    _passes(root, "with the image's user locked")
    _do(root, OPEN)
    _refused(root, "an account without a password", "the account files has an empty password")
    _do(root, CLOSE)
    _write(root, before)
    root.put(SSH_SETTINGS, "PasswordAuthentication yes\n")
    _do(root, REMOVE_SSHD)
    _passes(root, "without an SSH server")
    return (
        f"{len(DOORS) + 2} ways in refused, each in one sentence; shut, locked and without an SSH server it ends well"
    )


def _refused(root: Root, what: str, *told: str) -> None:
    ended = root.provision()
    must(ended.code == REFUSED and "-- services" not in ended.text, f"{what}: refused before the services", ended)
    noted, _, refused = ended.text.partition("REFUSED in step access")
    sentences = [line for line in refused.splitlines() if line.startswith("  * ")]
    must(len(sentences) == 1, f"{what}: one sentence", ended)
    must(sentences[0] in noted, f"{what}: told at the beginning too", ended)
    must(all(words in sentences[0] for words in told), f"{what}: it says {told}", ended)


def _doctor_says(root: Root, *, sees_it: bool) -> None:
    """`safepoint doctor` finds later what the script would refuse now."""
    ended = root.run(["/usr/bin/bash", "-c", DOCTOR])
    must("GOOD TO KNOW" in ended.text, "the doctor comes to its end", ended)
    must(("The SSH server takes passwords" in ended.text) is sees_it, f"the doctor sees it: {sees_it}", ended)


def _passes(root: Root, how: str) -> None:
    ended = root.provision()
    must(ended.code == 0 and "nothing was changed" in ended.text, f"{how} it ends well", ended)


def _write(root: Root, files: dict[str, str]) -> dict[str, str]:
    """Lay these files; an empty text removes one. Returns what puts them back as they were."""
    before: dict[str, str] = {}
    for path, text in files.items():
        target = root.folder / path.lstrip("/")
        before[path] = target.read_text(encoding="utf-8") if target.exists() else ""
        if text:
            root.put(path, text)
        else:
            target.unlink(missing_ok=True)
    return before


def _do(root: Root, script: str) -> None:
    ended = root.run(["/usr/bin/bash", "-c", script])
    must(ended.code == 0, f"{script!r} is done", ended)
