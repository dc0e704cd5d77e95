"""Who else can read a private key."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
SHOWN_BY_SYSTEMD: Final = 0o440
"""`LoadCredential=` shows a credential like this where it cannot use access lists: the folder around it is closed to
everybody but the service, and the group is root's."""


def is_exposed(path: Path, mode: int) -> bool:
    """Whether others than its owner can use this key file.

    Args:
        path: The file.
        mode: Its permissions.
    """
    if not mode & OTHERS:
        return False
    return not (stat.S_IMODE(mode) == SHOWN_BY_SYSTEMD and _is_credential(path))


def _is_credential(path: Path) -> bool:
    """Whether systemd gave this file to this very service."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and path.resolve().is_relative_to(Path(str(folder)).resolve())
