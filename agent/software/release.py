"""What names the release in a slot beyond its version: two builds of one version are two releases.

Light to import: every command of `safepoint` does.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from agent.software.listing import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

BUNDLE: Final = f"{FOLDER}/bundle"
HEAD_LINES: Final = 3
"""Of `agent.update.bundle`: what it is, the signature, the manifest."""
PROVISIONED_FROM: Final = "provisioned-from"
"""What provision.sh filled a slot from (provisioning/steps/agent.sh)."""
LETTERS: Final = 12


class NotSigned(Exception):
    """What says what is in a slot is signed by nobody whom this unit knows; as the end of a sentence."""


def lines_of(head: bytes) -> list[bytes]:
    """The three lines of a bundle's head.

    Raises:
        NotSigned: it has others.
    """
    lines = head.splitlines(keepends=True)
    if len(lines) != HEAD_LINES:
        msg = "the head of its bundle is damaged"
        raise NotSigned(msg)
    return lines


def digest_of(head: bytes) -> str:
    """What names a signed release: the SHA-256 of its manifest, the third line of the head.

    Raises:
        NotSigned: it is no head.
    """
    return hashlib.sha256(lines_of(head)[2]).hexdigest()


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
        return f"provisioned {(environment / PROVISIONED_FROM).read_text(encoding='ascii').strip()[:LETTERS]}"
    except (OSError, ValueError):
        return None
