"""Exports: copies of footage, ready to be fetched or uploaded. A folder each below `exports`, whole or not there.

    <footage>/exports/NAME/     clip.mp4    the pictures
                                clip.json   what is known of them
                                made.json   when it was made, on both clocks: retention goes by it
                                SHA256SUMS  of the three, for `sha256sum -c`

A folder whose name begins with a dot is on its way in or out: whoever works on it holds its lock, and one that nobody
has locked was left by somebody who was killed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from agent.clock import Moment
from agent.durable import put_whole, sync_folder
from agent.footage.store.incident_files import SAFE_ID, sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXPORTS: Final = "exports"
MADE: Final = "made.json"
SUMS: Final = "SHA256SUMS"
FILE_MODE: Final = 0o640
FOLDER_MODE: Final = 0o750
_MOMENT: Final = TypeAdapter(Moment)


class ExportExists(Exception):
    """There is one of this name, or one is being written."""


@dataclass(frozen=True)
class Export:
    """What lies below `exports` under one name: a folder of ours, or what somebody else put there."""

    path: Path
    made: Moment | None
    """None: it is not ours, or what it says cannot be read."""
    changed_s: float
    """POSIX seconds of its last change, for one that does not say when it was made."""
    size_bytes: int

    @property
    def name(self) -> str:
        """As `upload` names it after `exports/`."""
        return self.path.name

    def remove(self) -> None:
        """Take it away: its name goes first, so that nothing half is ever seen under it.

        Raises:
            OSError: the disk refuses.
        """
        going = self.path.with_name(f".{self.name}.gone")
        _clear(going)
        self.path.rename(going)
        _clear(going)


def check_name(name: str) -> None:
    """Refuse what could not be named to `upload`.

    Raises:
        ValueError: it cannot.
    """
    if SAFE_ID.fullmatch(name) is None:
        msg = (
            f"{name!r} cannot be an export's name: 1 to 128 letters, digits, '.', '_' and '-', of which the first is a "
            "letter or a digit"
        )
        raise ValueError(msg)


@contextmanager
def writing(footage: Path, name: str, made: Moment) -> Iterator[Path]:
    """Give a folder to write into; when the block ends well it is the export of this name, with sums and its time.

    Args:
        footage: The footage folder.
        name: Of the export.
        made: Now.

    Raises:
        ValueError: the name cannot be one.
        ExportExists: there is an export of this name, or one is being written.
        OSError: the disk does not take it; nothing is left behind.
    """
    check_name(name)
    exports = footage / EXPORTS
    final, part = exports / name, exports / f".{name}.part"
    _make(exports)
    with _locked(part):
        try:
            _refuse_over(final)
            for left in part.iterdir():  # by a process that was killed
                _clear(left)
            yield part
            put_whole(part / MADE, _MOMENT.dump_json(made, indent=2), FILE_MODE)
            sums = "".join(f"{sha256_of(file)}  {file.name}\n" for file in sorted(part.iterdir()))
            put_whole(part / SUMS, sums.encode(), FILE_MODE)
            for file in part.iterdir():
                file.chmod(FILE_MODE)
            sync_folder(part)
            _refuse_over(final)  # put there by hand meanwhile: an empty folder would be replaced
            part.rename(final)
            sync_folder(exports)
        except BaseException:
            _clear(part)
            raise


def _refuse_over(final: Path) -> None:
    if os.path.lexists(final):
        msg = f"there is already an export {final.name}"
        raise ExportExists(msg)


def read_exports(footage: Path) -> list[Export]:
    """What lies below `exports`, whoever put it there, by name.

    Raises:
        OSError: the disk cannot be read.
    """
    found = []
    for path in _entries(footage / EXPORTS):
        if not _on_its_way(path):
            with suppress(FileNotFoundError):  # it went while we looked
                found.append(_read(path))
    return found


def bytes_on_their_way(footage: Path) -> int:
    """What exports that are being written hold so far.

    Raises:
        OSError: the disk cannot be read.
    """
    size_bytes = 0
    for path in _entries(footage / EXPORTS):
        if _on_its_way(path):
            with suppress(FileNotFoundError):
                size_bytes += _size_bytes(path)
    return size_bytes


def clear_left_over(footage: Path) -> list[str]:
    """Remove what killed processes left; returns the names.

    Raises:
        OSError: the disk refuses.
    """
    cleared = []
    for path in _entries(footage / EXPORTS):
        if _on_its_way(path):
            try:
                fd = _lock(path)
            except (FileNotFoundError, BlockingIOError):
                continue  # somebody is at it, or has just done it
            try:
                _clear(path)
            finally:
                os.close(fd)
            cleared.append(path.name)
    return cleared


def _read(path: Path) -> Export:
    changed_s, size_bytes = path.lstat().st_mtime, _size_bytes(path)
    try:
        made = _MOMENT.validate_json((path / MADE).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        made = None
    return Export(path, made, changed_s, size_bytes)


def _size_bytes(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(_size_bytes(inner) for inner in path.iterdir())


def _on_its_way(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith((".part", ".gone")) and path.is_dir()


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []  # no export yet


def _clear(path: Path) -> None:
    """Remove a folder with all that is in it, or a file, or the link that it is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# --- locks ----------------------------------------------------------------------------------------------------------


@contextmanager
def _locked(part: Path) -> Iterator[None]:
    """Make a folder, or take over one that was left, so that nobody clears it as left over.

    Raises:
        ExportExists: somebody else has it.
        OSError: the disk does not take it.
    """
    fd = None
    while fd is None:
        _make(part)
        with suppress(FileNotFoundError):  # cleared between its making and our lock: again
            try:
                fd = _lock(part)
            except BlockingIOError as error:
                msg = f"an export {part.name[1:].removesuffix('.part')} is being written just now"
                raise ExportExists(msg) from error
    try:
        yield
    finally:
        os.close(fd)


def _lock(folder: Path) -> int:
    """Be the one who works on a folder that is on its way, until the descriptor is closed.

    Raises:
        BlockingIOError: somebody else does.
        FileNotFoundError: it is gone.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _check_same(folder, fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _check_same(folder: Path, fd: int) -> None:
    if not os.path.samestat(folder.stat(), os.fstat(fd)):
        raise FileNotFoundError(errno.ENOENT, "it was cleared and made anew", str(folder))


def _make(folder: Path) -> None:
    """Make this folder in the one above it, which must be there: a lost disk gets none on the card below."""
    try:
        folder.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        return
    folder.chmod(FOLDER_MODE)  # whatever the umask says
    sync_folder(folder.parent)
