"""What names the release in a slot beyond its version: two builds of one version are two releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.software.signed import BUNDLE, NotSigned, digest_of

if TYPE_CHECKING:
    from pathlib import Path

PROVISIONED = "provisioned-from"
"""What provision.sh filled a slot from (provisioning/steps/agent.sh)."""
LETTERS = 12


def release_of(environment: Path) -> str | None:
    """`manifest 0123456789ab` of a signed update, `provisioned 0123456789ab`, or None where neither filled it.

    Args:
        environment: The slot, or any other environment of Python.
    """
    try:
        return f"manifest {digest_of((environment / BUNDLE).read_bytes())[:LETTERS]}"
    except (OSError, NotSigned):
        pass  # no update filled it
    try:
        return f"provisioned {(environment / PROVISIONED).read_text(encoding='ascii').strip()[:LETTERS]}"
    except (OSError, ValueError):
        return None
