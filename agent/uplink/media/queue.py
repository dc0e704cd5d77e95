"""Which files uploads wait for, for somebody beside them: who removes footage asks, and leaves these alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, Field, ValidationError

from agent.uplink.media.request import File, PieceOf, path_of

if TYPE_CHECKING:
    from agent.config.settings import Config

UPLOADS: Final = Path("media", "uploads")
"""Where they are remembered, below the state folder."""


class _Request(BaseModel):
    what: Annotated[PieceOf | File, Field(union_mode="left_to_right")]


class _Job(BaseModel):
    """What matters here of a remembered upload; the rest of it may be secret."""

    request: _Request


def waited_for(config: Config) -> frozenset[Path]:
    """The files that uploads of this unit wait for, whichever life began them.

    Raises:
        OSError: the disk does not tell.
    """
    found = set()
    for file in _remembered(config.state_folder / UPLOADS):
        try:
            job = _Job.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            continue  # over since the folder was listed
        except ValidationError:
            continue  # it is no upload: `Shelf.remembered` refuses it, too, and tells
        found.add(path_of(job.request.what, config.footage_folder))
    return frozenset(found)


def _remembered(folder: Path) -> list[Path]:
    try:
        return [file for file in folder.iterdir() if file.suffix == ".json"]
    except FileNotFoundError:
        return []  # there was no upload yet
