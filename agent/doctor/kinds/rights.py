"""The daemon may not use what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.facts import AGENT
from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Access, Devices, Facts, Node

OTHERS = 0o077
_FOR_GROUP = 0o060
_FOR_ALL = 0o006


def find(facts: Facts) -> Iterator[Finding]:
    """User, groups and folder."""
    access = facts.access
    if access is None:
        return
    if not access.known:
        what = f"There is no user {access.user}, as whom the agent is to run."
        yield Finding(Weight.DOWN, what, "Run provisioning/provision.sh again.")
        return
    if access.state_owner is not None and access.state_owner != access.user:
        yield Finding(
            Weight.NO_CALL,
            f"{access.state_folder} belongs to {access.state_owner}, not to {access.user}: alerts cannot be stored.",
            f"Run: sudo chown -R {access.user}: {access.state_folder}",
        )
    elif access.state_mode & OTHERS:
        what = f"{access.state_folder} is open to others than {access.user} (mode {access.state_mode:04o})."
        yield Finding(Weight.EXPOSED, what, f"Run: sudo chmod 700 {access.state_folder}")
    if facts.devices is not None and access.user != "root":
        yield from _groups(access, facts.devices)


def _groups(access: Access, devices: Devices) -> Iterator[Finding]:
    for what, nodes, weight in (
        ("the pins", devices.pins, Weight.NO_CALL),
        ("microphone and speaker", devices.sound, Weight.PART_LOST),
        ("the camera", devices.video, Weight.PART_LOST),
    ):
        shut = [node for node in nodes if not _may_use(access, node)]
        if shut:
            node = shut[0]
            yield Finding(
                weight,
                f"The agent may not use {what}: {node.path} is for the group {node.group} (mode {node.mode:04o}), which"
                f" {access.user} is not in.",
                f"Run: sudo systemctl edit {AGENT}, add the group to SupplementaryGroups=, and restart it; or run"
                " provisioning/provision.sh again.",
            )


def _may_use(access: Access, node: Node) -> bool:
    return node.mode & _FOR_ALL == _FOR_ALL or (node.group in access.groups and node.mode & _FOR_GROUP == _FOR_GROUP)
