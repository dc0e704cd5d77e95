"""Evidence series: what one unit films at one site. A unit that moves closes one and opens the next.

The masks of a site are of no use at another one: they hide the wrong windows. So from the moment a series is closed the
camera does not film until somebody says that the masks are right for the new one. Everything else goes on as ever: a
button, a lamp and a call need no picture.

The state folder has `series.json` since the first move; a unit that never moved has none, and is in its first series.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the types of a record
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.durable import put_whole

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Config

FILE_NAME: Final = "series.json"
"""In the state folder."""
FIRST: Final = 1


class Approval(BaseModel):
    """Somebody looked at the picture and at the masks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    at: datetime
    masks: tuple[str, ...]
    """Their names; there may be none to hide anything from."""


class Series(BaseModel):
    """The series that a unit is in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    """1 is the first site of a unit."""
    opened: datetime
    by: str
    approved: Approval | None = None
    """None: the masks are those of another site, and nothing is filmed."""
    closing: bool = False
    """The unit is being moved: the series ends, and the next one has not begun."""

    @property
    def may_film(self) -> bool:
        """Whether the masks are those of this site."""
        return self.approved is not None and not self.closing


class SeriesUnreadable(ValueError):
    """The record is damaged; the text says how."""


def read_series(state_folder: Path) -> Series | None:
    """The series that the unit is in; None: its first one.

    Raises:
        SeriesUnreadable: it is damaged.
        OSError: the disk does not give it.
    """
    path = state_folder / FILE_NAME
    try:
        return Series.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        msg = f"{path} is damaged ({error.errors(include_url=False)[0]['msg']})"
        raise SeriesUnreadable(msg) from error


def put_series(state_folder: Path, series: Series) -> None:
    """Remember the series; on return it outlives a power cut.

    Raises:
        OSError: the disk does not take it.
    """
    put_whole(state_folder / FILE_NAME, series.model_dump_json(indent=2).encode(), 0o644)


def why_not_filmed(config: Config) -> str | None:
    """Why the camera must not film, in one sentence; None: it may, or there is none.

    What cannot be read counts as not approved: a neighbour's window that is filmed is not taken back.
    """
    if not config.camera.enabled:
        return None
    try:
        series = read_series(config.state_folder)
    except (SeriesUnreadable, OSError) as error:
        return f"Nobody knows whether the masks are of this site, so nothing is filmed: {error}."
    if series is None or series.may_film:
        return None
    return "The unit was moved and its masks are not approved for this site: nothing is filmed, calls go out as ever."


def filming(config: Config) -> Config:
    """The configuration that the unit runs with: without a camera while that must not film."""
    if why_not_filmed(config) is None:
        return config
    return config.model_copy(update={"camera": config.camera.model_copy(update={"enabled": False})})
