"""A voice model's list of checksums: damage that Vosk does not notice is found before it is loaded.

A flipped bit in the weights loads without a word and hears less, or nothing; so does a file that was swapped for that
of another model. The list is `SHA256SUMS` in the model's folder, as `sha256sum` writes it and `sha256sum --check` reads
it. Models from elsewhere come without one; the bundled model and those that `provisioning/fetch-voice-model` installs
have one.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "SHA256SUMS"
MAX_BYTES = 256 * 1024
"""No model has a thousand files: what is longer is no list of them."""
_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S.*)")


def write(model: Path) -> None:
    """List every file of the folder as it is now, in the order of their names.

    Raises:
        OSError: a file cannot be read, or the list not written.
    """
    lines = [f"{_sha256(model / name)}  {name}\n" for name in sorted(_files(model))]
    (model / NAME).write_text("".join(lines), encoding="utf-8")


def damage(model: Path) -> str | None:
    """What in the folder is not as its list says, as the end of a sentence; None when all is, or there is no list.

    Raises:
        OSError: a file cannot be read.
    """
    listed = model / NAME
    if not listed.exists():
        return None
    sums = _read(listed)
    if not sums:
        return f"its list of checksums ({NAME}) is damaged"
    there = set(_files(model))
    for name in sorted(sums.keys() | there):
        if name not in there:
            return f"{name} is missing"
        if name not in sums:
            return f"{name} does not belong to it"
        if _sha256(model / name) != sums[name]:
            return f"{name} is not as it was made"
    return None


def _read(listed: Path) -> dict[str, str]:
    """The checksums by file name; empty when any line of the list is not as `sha256sum` writes it."""
    with listed.open("rb") as file:
        text = file.read(MAX_BYTES + 1).decode("utf-8", errors="replace")
    lines = [_LINE.fullmatch(line) for line in text.split("\n")[:-1]]
    if len(text) > MAX_BYTES or not text.endswith("\n") or not all(lines):
        return {}
    return {line[2]: line[1] for line in lines if line}


def _files(model: Path) -> Iterator[str]:
    """Every file below the folder but the list itself, named from the folder."""
    for path in model.rglob("*"):
        if not path.is_dir() and (name := path.relative_to(model).as_posix()) != NAME:
            yield name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
