"""The files and links of a slot: as they lie there, and as they were listed when it was filled."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FOLDER: Final = "software"
"""In the slot: what vouches for it."""
LIST: Final = f"{FOLDER}/list"
CHUNK_BYTES: Final = 256 * 1024
LINK: Final = "# link "
TO: Final = " -> "
HEAD: Final = "# As this slot was filled. In the slot: sha256sum --check --quiet software/list\n"
DIGEST_LETTERS: Final = 64


class ListUnusable(Exception):
    """There is no list that says what lies in a slot; as the end of a sentence."""


@dataclass
class Pace:
    """How fast a card is read: it is the daemon's before it is ours."""

    bytes_per_s: float | None = None
    """None: as fast as it goes."""
    sleep: Callable[[float], None] = time.sleep
    _read: int = field(default=0, init=False)

    def read(self, count: int) -> None:
        """So many bytes were read: wait until more may be."""
        self._read += count
        if self.bytes_per_s is not None and self._read >= CHUNK_BYTES:
            self.sleep(self._read / self.bytes_per_s)
            self._read = 0


def contents(slot: Path, pace: Pace) -> dict[str, str]:
    """What lies in a slot now, its list apart: the SHA-256 of each file, ` -> TARGET` of each link, by its path in it.

    What cannot be read is there with the reason, which is no SHA-256.

    Args:
        slot: The folder.
        pace: Of reading.

    Raises:
        OSError: a folder of it cannot be read.
    """
    return {path: _content(entry, pace) for path, entry in _entries(slot, "") if path != LIST}


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path), f"{path}/")
        else:
            yield path, entry


def _content(entry: os.DirEntry[str], pace: Pace) -> str:
    try:
        if entry.is_symlink():
            return f"{TO}{Path(entry.path).readlink()}"
        if not entry.is_file(follow_symlinks=False):
            return "neither a file nor a link"
        digest = hashlib.sha256()
        with Path(entry.path).open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                pace.read(len(chunk))
    except OSError as error:  # a card that dies loses single files first
        return f"unreadable ({error.strerror})"
    return digest.hexdigest()


def write_list(slot: Path) -> None:
    """List what lies in a slot now.

    Raises:
        ListUnusable: something in it cannot be listed.
        OSError: the disk does not take it.
    """
    found = contents(slot, Pace())
    lines = [HEAD, *(_line(path, content) for path, content in sorted(found.items()))]
    (slot / FOLDER).mkdir(exist_ok=True)
    part = slot / f"{LIST}.part"
    part.write_text("".join(lines), encoding="utf-8")
    part.replace(slot / LIST)


def _line(path: str, content: str) -> str:
    if "\n" in path or "\\" in path or TO in path:
        msg = f"the name {path!r} cannot stand in it"
        raise ListUnusable(msg)
    if content.startswith(TO):
        return f"{LINK}{path}{content}\n"
    if len(content) != DIGEST_LETTERS:
        msg = f"{path} is {content}"
        raise ListUnusable(msg)
    return f"{content}  {path}\n"


def read_list(listed: bytes) -> Mapping[str, str]:
    """What a list says, in the words of `contents`.

    Raises:
        ListUnusable: it is none.
    """
    found = {}
    for line in listed.decode("utf-8", "replace").removeprefix(HEAD).splitlines():
        if line.startswith(LINK):
            path, _, target = line.removeprefix(LINK).partition(TO)
            found[path] = f"{TO}{target}"
        elif line[DIGEST_LETTERS : DIGEST_LETTERS + 2] == "  ":
            found[line[DIGEST_LETTERS + 2 :]] = line[:DIGEST_LETTERS]
        else:
            msg = f"the line {line[:80]!r} of it says nothing"
            raise ListUnusable(msg)
    return found


def differences(wanted: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """What is not as it was, a few words for each file, Python's own code before the rest."""
    words = [
        *((path, f"changed {path}") for path in wanted.keys() & there.keys() if wanted[path] != there[path]),
        *((path, f"missing {path}") for path in wanted.keys() - there.keys()),
        *((path, f"added {path}") for path in there.keys() - wanted.keys()),
    ]
    return [word for _, word in sorted(words, key=lambda each: (not each[0].endswith((".py", ".so")), each))]
